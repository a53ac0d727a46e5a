"""Several training seeds through the whole line."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from deepwright import cli
from deepwright.core.errors import ProofError, UsageError
from deepwright.core.run import Run
from deepwright.evaluation.lines import summary_lines
from deepwright.practice.look import look
from deepwright.practice.run import practise
from deepwright.practice.show import quiet
from deepwright.practice.verify import verify


@pytest.fixture(scope="module")
def recipe(tables, make_recipe):
    return make_recipe(tables / "mixed.csv", "buys", network="mlp", baselines=("constant", "linear"), ship="network")


@pytest.fixture(scope="module")
def made(recipe, tmp_path_factory) -> dict[str, Path]:
    """The same run with one seed, and with three after it was finished with one."""
    folder = tmp_path_factory.mktemp("seeds")
    one = practise(recipe, runs=folder, name="one").folder
    three = shutil.copytree(one, folder / "later" / "one")
    practise(recipe, runs=folder / "later", name="one", seeds=3)
    return {"one": one, "three": three}


def test_the_spread_over_seeds_is_reported_and_the_first_seed_ships(made, recipe):
    alone, run = Run(made["one"]), Run(made["three"])
    report = run.report
    assert report.seeds == (0, 1, 2)
    assert run.bundle.digest == alone.bundle.digest
    assert report.numbers == alone.report.numbers
    (spread,) = [s for s in report.spread if (s.member, s.metric) == ("network", "log_loss")]
    assert spread.values[0] == report.number("log_loss", "validation").value
    assert len(set(spread.values)) == 3
    assert spread.low == min(spread.values) <= spread.mean <= spread.high == max(spread.values)
    assert spread.place == sorted(spread.values).index(spread.values[0]) + 1
    assert {s.sd for s in report.spread if s.member == "linear"} == {0.0}
    assert report.summary()["seeds"]["log_loss"]["place"] == spread.place
    assert "seeds" not in alone.report.summary()
    assert "mean over 3 training seeds" in " ".join(sentence.text for sentence in report.verdict)
    assert any(line.startswith("Over 3 training seeds network has accuracy ") for line in summary_lines(report))
    assert "Training seeds" in (run.folder / "report.html").read_text(encoding="utf-8")
    assert "Training seeds" not in (alone.folder / "report.html").read_text(encoding="utf-8")


def test_the_spread_is_verified_and_a_forged_one_is_refused(made, tmp_path):
    run = Run(Path(shutil.copytree(made["three"], tmp_path / "copy")))
    assert verify(run).difference == 0.0
    members = run.folder / "seeds" / "seed-1" / "members"
    shutil.rmtree(members / "network")
    shutil.copytree(members / "linear", members / "network")
    with pytest.raises(ProofError, match="the spread over 3 training seeds in the report is not what"):
        verify(run)


def test_seeds_can_be_added_until_the_look(made, recipe, tmp_path):
    run = Run(Path(shutil.copytree(made["three"], tmp_path / "one")))
    look(run)
    assert practise(recipe, runs=tmp_path, name="one", seeds=3).report.spread == run.report.spread
    assert run.report.number("accuracy", "test") is not None
    with pytest.raises(UsageError, match=r"run 'one' has taken its look with 3 seeds, .*; 4 are wanted"):
        practise(recipe, runs=tmp_path, name="one", seeds=4)


def test_a_run_killed_in_its_second_seed_ends_as_if_it_had_not_been(made, recipe, tmp_path):
    shutil.copytree(made["one"], tmp_path / "one")
    passes = []

    def interrupted(events):
        passes.append(None)
        for place, event in enumerate(events):
            if len(passes) == 2 and place == 4:
                raise KeyboardInterrupt
            yield event

    with pytest.raises(KeyboardInterrupt):
        practise(recipe, runs=tmp_path, name="one", seeds=2, show=dataclasses.replace(quiet, watch=interrupted))
    assert Run(tmp_path / "one").report.seeds == ()
    run = practise(recipe, runs=tmp_path, name="one", seeds=2)
    three = {(s.member, s.metric): s.values[:2] for s in Run(made["three"]).report.spread}
    assert {(s.member, s.metric): s.values for s in run.report.spread} == three


def test_a_number_of_seeds_that_is_none_is_refused_from_the_shell(tables, capsys):
    command = ["run", str(tables / "mixed.csv"), "--target", "buys", "--network", "mlp"]
    assert cli.call([*command, "--seeds", "0"]) == 2
    assert "--seeds: found 0; allowed: 1 to 100." in capsys.readouterr().err
