"""Augmentation through the whole line: digits are not mirrored, and answers of several views are the bundle's."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps
from sklearn.datasets import load_digits

from deepwright import cli
from deepwright.core.bundle import Bundle
from deepwright.core.run import Run
from deepwright.data.media import Media
from deepwright.practice.keep import kept_rows
from deepwright.practice.opening import recipe_of
from deepwright.practice.verify import verify

LINE = (
    "run digits.npz --source images --network cnn --network.widths 4,8 --network.repeats 1 --train.epochs 1 "
    "--train.batch_size 64 --train.threads 1 --train.speed exact --baselines constant --ship network"
)


@pytest.fixture
def digits() -> None:
    found = load_digits()
    np.savez("digits.npz", x=(found.images[:600] * 15.9).astype(np.uint8), y=found.target[:600])


def run(words: str = "") -> Run:
    assert cli.call([*LINE.split(), *words.split(), "--name", "digits"]) == 0
    return Run.open(Path("runs/digits"))


def rules(found: Run) -> dict[str, str]:
    return {finding.rule: finding.where for finding in found.report.findings}


def test_digits_are_not_mirrored_and_the_report_says_why(digits: None, capsys: pytest.CaptureFixture[str]):
    made = run("--predict.views flip")
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("Left out: "))
    assert line.startswith("Left out: flip; ")
    assert recipe_of(made).augment.dump()["changes"][0]["kind"] == "flip"
    found = rules(made)
    assert found["augment_off"] == "flip" and "augment_used" in found and "augment_unchecked" not in found
    facts = made.report.environment["network"]["augment"]
    assert facts["used"] == ["crop"]
    assert [each["outcome"] for each in facts["survivals"]] == ["off", "kept"]
    mirrored_images_get_the_same_answers(made)


def mirrored_images_get_the_same_answers(made: Run) -> None:
    """Since the bundle answers with the mean over both; and every reported number is of these answers."""
    assert "views" in rules(made) and verify(made).difference == 0.0
    with Media() as media:
        files = [media.read(reference) for reference in kept_rows(made, "validation").columns["image"][:40]]
    answers = []
    for mirrored in (False, True):
        pictures = [Image.open(io.BytesIO(file)) for file in files]
        turned = [ImageOps.mirror(picture) if mirrored else picture for picture in pictures]
        answers.append(Bundle.load(made.bundle_folder).predict([{"image": png(each)} for each in turned]).probability)
    np.testing.assert_allclose(*answers, atol=1e-5)
    assert answers[0].std(axis=0).max() > 1e-3


def png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.slow
def test_an_explicit_choice_is_taken_and_printed(digits: None):
    made = run("--augment.changes flip;mixup;cutmix --augment.check no --train.class_weights balanced")
    found = rules(made)
    assert found["augment_unchecked"] == "flip, mixup, cutmix" and "augment_off" not in found
    assert made.report.environment["network"]["augment"]["survivals"] == []
    assert verify(made).difference == 0.0


def test_a_network_without_images_has_nothing_to_augment(capsys: pytest.CaptureFixture[str], tables: Path):
    table = ["run", str(tables / "wine.csv"), "--target", "kind", "--baselines", "constant", "--train.epochs", "1"]
    assert cli.call([*table, "--network", "mlp", "--augment.changes", "flip"]) == 2
    assert "--augment.changes flip: augmentation changes images, and there are none" in capsys.readouterr().err
    assert cli.call([*table, "--network", "mlp", "--predict.views", "flip", "--name", "views"]) == 2
    assert "--predict.views flip: views are of images" in capsys.readouterr().err
