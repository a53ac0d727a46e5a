"""Every network on images, from a folder of handwritten digits to a server that answers what the report says."""

from base64 import b64encode
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from deepwright import cli
from deepwright.core.dataset import PartTag
from deepwright.core.run import Run
from deepwright.practice.keep import kept_rows
from tests.deploy.servers import running

CUSTOM = """
source: {kind: images, path: digits}
network:
  kind: custom
  layers:
    - {kind: conv, width: 16, bias: false}
    - norm
    - activation
    - pool
    - kind: residual
      layers: [{kind: conv, width: 32, bias: false}, norm, activation, {kind: squeeze_excite, reduction: 4}]
    - activation
    - pool
"""
KINDS = [
    ("cnn", "--network.widths 16,32", 10, 0.95),
    ("resnet", "--network.depth 8", 10, 0.95),
    ("inception", "--network.width 8 --network.blocks 1,1,1", 15, 0.95),
    ("densenet", "--network.blocks 2,2,2", 10, 0.95),
    ("convnext", "--network.depths 1,1,2 --network.width 32", 20, 0.9),
    ("vit", "--network.dim 48 --network.depth 2 --network.heads 3 --network.patch 4", 120, 0.85),
    ("custom", "", 80, 0.9),
]
"""Network, options, epochs, and the accuracy on the test part that it stays above."""


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,797 files in ten folders; each of the 8 x 8 pixels is four."""
    folder = tmp_path_factory.mktemp("digits")
    data = load_digits()
    for number, (pixels, digit) in enumerate(zip(data.images, data.target, strict=True)):
        path = folder / "digits" / str(digit) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.kron(pixels * (255 / 16), np.ones((2, 2))).round().astype(np.uint8)).save(path)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "options", "epochs", "floor"), KINDS, ids=[kind for kind, *_ in KINDS])
def test_it_learns_and_is_served(
    kind: str, options: str, epochs: int, floor: float, digits: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(digits)
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(digits / ".deepwright"))
    (digits / "custom.yaml").write_text(CUSTOM)
    command = ["run", "custom.yaml"] if kind == "custom" else ["run", "digits", "--network", kind, *options.split()]
    command += ["--train.epochs", str(epochs), "--train.batch_size", "64", "--train.threads", "1"]
    command += ["--baselines", "linear", "--ship", "network", "--name", kind]
    assert cli.call([*command, "--final", "--reason", "each kind looks once"]) == 0
    run = Run.open(digits / "runs" / kind)
    assert number(run, "test") >= floor
    rows = kept_rows(run, "validation").columns["image"]
    sent = [{"image": b64encode(Path(path).read_bytes()).decode()} for path in rows]
    with running(run.bundle_folder) as server:
        answers = httpx.post(f"{server.url}/predict", json={"rows": sent}, timeout=60).json()["answers"]
    right = [answer["label"] == Path(path).parent.name for answer, path in zip(answers, rows, strict=True)]
    assert np.mean(right) == pytest.approx(number(run, "validation"), abs=1e-12)


def number(run: Run, part: PartTag) -> float:
    value = run.report.number("accuracy", part, "network").value
    assert value is not None
    return value
