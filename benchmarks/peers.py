"""Who takes part, what each can run, and the environment it is installed in."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_FOLDER = Path("~/.cache/deepwright/peers").expanduser()

TABLES = ("mlp", "mlp-2048")
ALL = (*TABLES, "cnn", "lstm", "transformer")
TORCH = "torch==2.13.0"


@dataclass(frozen=True)
class Environment:
    """installs: arguments of one `pip install` after another, all under constraints.txt."""

    name: str
    installs: tuple[tuple[str, ...], ...]


LIGHTNING = Environment("lightning", ((TORCH, "lightning==2.6.6"),))
HF = Environment("hf", ((TORCH, "transformers==5.23.0", "accelerate==1.15.0"),))
SKORCH = Environment("skorch", ((TORCH, "skorch==1.4.0"),))
KERAS = Environment("keras", ((TORCH, "keras==3.15.1"),))
JAX = Environment("jax", (("jax==0.10.2", "optax==0.2.8", "keras==3.15.1"),))
# fastai cannot be imported without torchvision, whose wheels are built for another torch: see contestants/shim.py.
FASTAI = Environment(
    "fastai",
    (
        (
            TORCH, "fastcore==2.2.39", "fastdownload<2", "fasttransform", "fastprogress==1.1.6", "plum-dispatch<2.10",
            "cloudpickle", "matplotlib", "packaging", "pandas", "pillow", "pyyaml", "requests", "scikit-learn", "scipy",
        ),
        ("--no-deps", "fastai==2.8.12", "torchvision==0.28.0"),
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Contestant:
    """environment: None is the one that the script runs in. on_gpu: whether `--device cuda` takes it."""

    name: str
    title: str
    module: str
    environment: Environment | None = None
    workloads: tuple[str, ...] = ALL
    options: tuple[str, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    on_cpu: bool = True
    on_gpu: bool = False
    why_not: str = ""
    """Why it does not run the other workloads."""


OURS, OURS_BF16, BEST, BEST_BF16, BY_HAND = "ours", "ours-bf16", "best", "best-bf16", "by-hand"

_NO_LENGTHS = "its loader takes no rows of unequal length without code of one's own"
_RECOMPILES = "rows of unequal length make it compile again and again"
_FIXED = (*TABLES, "cnn", "transformer")
_NOT_WRITTEN = "the network is not written for it here"

CONTESTANTS = {
    each.name: each
    for each in (
        Contestant(OURS, "ours", "ours", on_gpu=True),
        Contestant(OURS_BF16, "ours, bf16 where its gate passes", "ours", options=("--bf16",), on_gpu=True),
        Contestant(BEST, "best by hand", "best", on_gpu=True),
        Contestant(BEST_BF16, "best by hand, bf16", "best", options=("--bf16",), on_gpu=True),
        Contestant(
            "best-compiled", "best by hand, compiled", "best", None, _FIXED, ("--compiled",), on_cpu=False, on_gpu=True,
            why_not=_RECOMPILES,
        ),
        Contestant(
            "best-bf16-compiled", "best by hand, bf16, compiled", "best", None, _FIXED, ("--bf16", "--compiled"),
            on_cpu=False, on_gpu=True, why_not=_RECOMPILES,
        ),
        Contestant(BY_HAND, "by hand, DataLoader", "by_hand", on_gpu=True),
        Contestant("lightning", "Lightning", "lightning_trainer", LIGHTNING, on_gpu=True),
        Contestant(
            "lightning-bf16-compiled", "Lightning, bf16, compiled", "lightning_trainer", LIGHTNING, _FIXED,
            ("--bf16", "--compiled"), on_cpu=False, on_gpu=True, why_not=_RECOMPILES,
        ),
        Contestant("hf", "HF Trainer", "hf_trainer", HF, on_gpu=True),
        Contestant(
            "hf-bf16-compiled", "HF Trainer, bf16, compiled", "hf_trainer", HF, _FIXED, ("--bf16", "--compiled"),
            on_cpu=False, on_gpu=True, why_not=_RECOMPILES,
        ),
        Contestant("skorch", "skorch", "skorch_net", SKORCH, (*TABLES, "cnn", "transformer"), why_not=_NO_LENGTHS),
        Contestant("fastai", "fastai", "fastai_learner", FASTAI, (*TABLES, "cnn", "transformer"), why_not=_NO_LENGTHS),
        Contestant(
            "keras", "Keras (torch)", "keras_fit", KERAS, (*TABLES, "cnn"), settings={"KERAS_BACKEND": "torch"},
            why_not=_NOT_WRITTEN,
        ),
        Contestant("jax", "JAX scan", "jax_scan", JAX, TABLES, why_not=_NOT_WRITTEN),
        Contestant(
            "keras-jax", "Keras (JAX)", "keras_fit", JAX, TABLES, settings={"KERAS_BACKEND": "jax"},
            why_not=_NOT_WRITTEN,
        ),
    )
}  # fmt: skip


def python_of(contestant: Contestant, folder: Path) -> str:
    """The interpreter that a contestant runs in, installed first where it is not there yet.

    Raises subprocess.CalledProcessError when pip fails.
    """
    environment = contestant.environment
    if environment is None:
        return sys.executable
    place = folder / environment.name
    stamp = place / "installed.json"
    wanted = json.dumps(environment.installs)
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {environment.name} below {place} (about 1 GB)", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(place)], check=True)
        for arguments in environment.installs:
            command = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"]
            constraints = [] if "--no-deps" in arguments else ["--constraint", str(ROOT / "constraints.txt")]
            subprocess.run([*command, *constraints, *arguments], check=True)
        stamp.write_text(wanted)
    return str(place / "bin" / "python")
