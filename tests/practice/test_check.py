"""Check: stages 1 and 2 without training, with and without a target; and sources that give parts themselves."""

import json
from pathlib import Path

import numpy as np
import pytest

from deepwright import cli
from deepwright.core.errors import DataError, RecipeError, RuleError, UsageError
from deepwright.core.families import Source
from deepwright.core.recipe import Recipe
from deepwright.core.seal import TEST, TRAIN, VALIDATION
from deepwright.data.collect import collect
from deepwright.data.raw import Raw, SourceFile
from deepwright.data.split import Given
from deepwright.data.table import Table
from deepwright.practice.check import check, check_lines
from deepwright.practice.keep import from_arrow, to_arrow
from deepwright.practice.run import practise, split_rows


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "flowers.csv"
    rows = [f"{i % 7},{i % 3}.5,{'red' if i % 2 else 'blue'}" for i in range(60)]
    path.write_text("petals,width,colour\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def in_parts() -> type[Source]:
    """A source whose rows say their part: 40 of training, 12 of validation of which two repeat others, 8 of test."""
    kinds = dict(Source.kinds)

    class InParts(Source, kind="in_parts"):
        default_target = "answer"
        parts: tuple[int, ...] = tuple([TRAIN] * 40 + [VALIDATION] * 12 + [TEST] * 8)

        def read(self, target: str | None) -> Raw:
            size = len(self.parts)
            numbers = np.arange(size)
            numbers[50:52] = (0, 1)  # two validation rows that stand in the training part too
            picture = np.array([f"pictures/{n}.png" for n in numbers], object)
            cells = {"picture": picture, "answer": np.array(["yes" if n % 2 else "no" for n in numbers], object)}
            return Raw(
                ("picture", "answer"), cells, np.arange(1, size + 1), "pictures", "0" * 64, Table(),
                forms={"picture": "image"}, digests={"picture": np.array([f"{n:08x}" for n in numbers], object)},
                part=np.array(self.parts, np.int8), file_of=(np.arange(size) % 2).astype(np.int32),
                files=(SourceFile("a", "1" * 64, size // 2), SourceFile("b", "2" * 64, size // 2)),
            )  # fmt: skip

    yield InParts
    Source.kinds.clear()
    Source.kinds.update(kinds)


def test_check_names_columns_findings_and_the_command_that_runs(table, capsys):
    assert cli.call(["check", str(table), "--target", "colour", "--json"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert any(line.startswith("petals") and "0 .. 6" in line for line in lines)
    assert lines[-1] == f"next: deepwright run {table} --target colour"
    record = json.loads(last)
    assert record["problem"] == "classification"
    assert [f["name"] for f in record["features"]] == ["petals", "width", "colour"]
    assert {"rule", "severity", "where", "text"} == set(record["findings"][0])
    assert sum(record["parts"].values()) == record["kept"] == 60


def test_check_without_a_target_looks_at_the_columns_alone(table, capsys):
    assert cli.call(["check", str(table)]) == 0
    out = capsys.readouterr().out
    assert "2: blue, red" in out
    assert "--target COLUMN" in out


def test_check_writes_nothing(table, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    check(Recipe(source=Table(path=str(table)), target="colour"))
    assert sorted(tmp_path.rglob("*")) == before


def test_check_shows_what_would_stop_a_run(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("day,x,y\n" + "".join(f"2024-01-{i + 1:02d},{i % 5},{int(i >= 20)}\n" for i in range(30)))
    recipe = Recipe(source=Table(path=str(path)), target="y", time="day")
    lines = check_lines(check(recipe))
    assert "A run would stop (1):" in lines
    with pytest.raises(RuleError):
        split_rows(recipe, collect(recipe))


def test_a_run_without_a_target_asks_for_one_and_lists_the_columns(table, tmp_path):
    with pytest.raises(UsageError, match="petals, width, colour"):
        practise(Recipe(source=Table(path=str(table))), runs=tmp_path / "runs")


def test_parts_that_the_data_give_are_kept_and_no_row_is_in_two(in_parts):
    recipe = Recipe(source=in_parts())
    table = collect(recipe)
    assert table.schema["picture"].type == "image"
    assert table.schema.target.name == "answer"
    assert (len(table.whole), len(table.test), table.rows_in) == (52, 8, 60)
    split, findings = split_rows(recipe, table)
    assert (len(split.train), len(split.validation), len(split.test)) == (42, 10, 8)
    (given,) = [f for f in findings if f.rule == "split_given"]
    assert "2 validation rows" in given.text
    assert check(recipe).parts == {"train": 42, "validation": 10, "test": 8}


def test_a_part_of_training_is_sealed_where_the_data_give_no_test(in_parts):
    recipe = Recipe(source=in_parts(parts=(TRAIN,) * 400 + (VALIDATION,) * 60))
    split, _ = split_rows(recipe, collect(recipe))
    assert 20 < len(split.test) < 60
    assert len(split.validation) == 60


def test_test_rows_alone_are_refused(in_parts):
    with pytest.raises(DataError, match="every row is of a test part"):
        collect(Recipe(source=in_parts(parts=(TEST,) * 60)))


def test_given_parts_that_are_not_there_are_refused(table):
    whole = collect(Recipe(source=Table(path=str(table)), target="colour")).whole
    with pytest.raises(RuleError, match="--split given"):
        Given().assign(whole)


def test_kept_rows_still_know_their_file_and_their_given_part(in_parts):
    whole = collect(Recipe(source=in_parts())).whole
    train = whole.take(np.arange(45), "train")
    again = from_arrow(to_arrow(train), whole.schema, "train")
    assert again.files == ("a", "b")
    assert again.file_of.tolist() == train.file_of.tolist() == [i % 2 for i in range(45)]
    assert again.given.tolist() == train.given.tolist()
    assert again.fingerprint == train.fingerprint


def test_a_run_on_images_stops_before_anything_is_written_and_check_says_so(in_parts, tmp_path):
    recipe = Recipe(source=in_parts())
    assert "no_network" in {finding.rule for finding in check(recipe).findings}
    with pytest.raises(RecipeError, match="picture: the network tabm takes no inputs of type image"):
        practise(recipe, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
