"""Texts through the whole line: learned from, bundled, proven, predicted from a file and answered row by row."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from deepwright import cli
from deepwright.core.bundle import Bundle
from deepwright.core.run import Run

GOOD, BAD = ("loved", "warm", "great", "很好"), ("hated", "cold", "dull", "不好")
FILLING = ("the", "film", "was", "a", "plot", "actor", "and", "it", "scene")


def write(path: Path, count: int, seed: int = 0) -> Path:
    """Reviews whose words tell the class, beside a number that says nothing and a few missing texts."""
    draw = random.Random(seed)
    rows = ["stars\treview\tlabel"]
    for place in range(count):
        is_good = draw.random() < 0.5
        words = [*draw.choices(FILLING, k=8), *draw.choices(GOOD if is_good else BAD, k=2)]
        draw.shuffle(words)
        review = "" if place % 50 == 7 else " ".join(words)
        rows.append(f"{draw.randint(1, 5) + 0.5}\t{review}\t{'good' if is_good else 'bad'}")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run over 400 reviews."""
    folder = tmp_path_factory.mktemp("reviews")
    path = write(folder / "reviews.tsv", 400)
    quick = "--network mlp --train.epochs 2 --train.threads 1 --baselines constant,linear,boosting --name run"
    arguments = ["run", str(path), "--target", "label", "--runs", str(folder / "runs"), *quick.split()]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("DEEPWRIGHT_HOME", str(folder / "home"))
        assert cli.call(arguments) == 0
    return folder / "runs" / "run"


def test_every_member_learns_from_the_words(finished: Path):
    report = json.loads((finished / "report.json").read_bytes())
    rules = {finding["rule"] for finding in report["findings"]}
    assert {"text_terms", "text_lengths"} <= rules and "text_unused" not in rules
    for member in ("network", "linear", "boosting"):
        bundle = Bundle.load(finished / "members" / member)
        found = bundle.predict(
            [{"stars": 3.5, "review": words} for words in ("it was loved, great", "a dull, cold film")]
        )
        assert found.label.tolist() == ["good", "bad"], member


def test_golden_rows_hold_texts_and_are_answered_alike_after_loading(finished: Path):
    bundle = Bundle.load(finished / "bundle")
    assert len({row["review"] for row in bundle.golden["rows"]}) > 3
    assert bundle.replay_golden() <= 1e-6


def test_a_file_is_answered_as_its_rows_are(finished: Path, tmp_path: Path):
    path = write(tmp_path / "new.tsv", 60, seed=1)
    assert cli.call(["predict", str(finished / "bundle"), str(path), "-o", str(tmp_path / "out.jsonl")]) == 0
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    cells = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]]
    rows = [{"stars": float(stars), "review": review or None} for stars, review, _ in cells]
    found = Bundle.load(finished / "bundle").predict(rows)
    assert [answer["label"] for answer in answers] == found.label.tolist()
    right = np.mean([answer["label"] == cell[2] for answer, cell in zip(answers, cells, strict=True) if cell[1]])
    assert right > 0.9


def test_the_report_can_be_verified(finished: Path, monkeypatch):
    monkeypatch.chdir(finished.parents[1])
    assert cli.call(["report", str(finished), "--verify"]) == 0
    assert Run.open(finished).is_done


def test_lines_of_a_form_are_learned_and_lines_without_a_label_answered(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / "home"))
    table = write(tmp_path / "reviews.tsv", 200).read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split("\t") for line in table]
    (tmp_path / "lines.txt").write_text("\n".join(f"{label}:x {text}" for _, text, label in cells if text))
    arguments = "run lines.txt --source.form {label}:{}_{text} --ship best --network mlp --train.epochs 1 --name run"
    quick = [word.replace("_", " ") for word in arguments.split()]
    assert cli.call([*quick, "--baselines", "constant,linear", "--train.threads", "1"]) == 0
    (tmp_path / "new.txt").write_text("it was great, loved it\nso dull and cold\n")
    asked = ["predict", "runs/run/bundle", "new.txt", "--source.form", "{text}", "-o", "out.jsonl"]
    assert cli.call(asked) == 0
    answers = [json.loads(line)["label"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert answers == ["good", "bad"]
