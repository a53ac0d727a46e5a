"""Real reports for the tests of this folder: scikit-learn models on its bundled data, judged as a run judges them."""

import warnings
from functools import cache
from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from deepwright.core.report import Data, Finding, Look, Report, Sentence, SetAside
from deepwright.evaluation.compare import best_member, verdict
from deepwright.evaluation.judge import evidence, judge, main_metric, usual_metrics

NUM_EPOCHS = 12
NEXT = ["deepwright test runs/sample-1a2b3c4d", "deepwright serve runs/sample-1a2b3c4d/bundle"]
LOOKS = (
    Look(number=1, when="2026-11-02T10:11:12Z", run="sample-1a2b3c4d", reason=None),
    Look(number=2, when="2026-11-03T09:00:00Z", run="sample-5e6f7a8b", reason="the first run had a wrong unit"),
)


@cache
def binary() -> Report:
    """Breast cancer, looked at twice: validation and test."""
    raw = load_breast_cancer()
    return _report("binary", raw.data, 1 - raw.target, ("benign", "malignant"), looks=LOOKS)


@cache
def many() -> Report:
    """Digits, sealed."""
    raw = load_digits()
    return _report("many", raw.data, raw.target, tuple("0123456789"))


@cache
def regression() -> Report:
    """Diabetes, sealed."""
    raw = load_diabetes()
    return _report("regression", raw.data, raw.target.astype(np.float64), ())


def _report(name: str, x: np.ndarray, y: np.ndarray, levels: tuple[str, ...], looks: tuple[Look, ...] = ()) -> Report:
    stratify = y if levels else None
    x_train, x_rest, y_train, y_rest = train_test_split(x, y, test_size=0.4, random_state=0, stratify=stratify)
    half = len(y_rest) // 2
    scaler = StandardScaler().fit(x_train)
    x_train, x_rest = scaler.transform(x_train), scaler.transform(x_rest)
    parts = {"validation": (x_rest[:half], y_rest[:half]), "test": (x_rest[half:], y_rest[half:])}
    members, history = _members(x_train, y_train, *parts["validation"], levels)
    problem = "classification" if levels else "regression"
    metrics, main = usual_metrics(problem, len(levels)), main_metric(problem)
    numbers, found, words = [], {}, ()
    chosen = ""
    for part, (x_part, y_part) in parts.items():
        if part == "test" and not looks:
            continue
        answers = {m: model.predict_proba(x_part) if levels else model.predict(x_part) for m, model in members.items()}
        chosen = chosen or best_member(y_part, answers, main)
        for member, answer in answers.items():
            favoured = part == "validation" and member in ("network", chosen)
            numbers += judge(y_part, answer, metrics, part=part, member=member, optimistic=favoured)
        found[part] = {m: evidence(y_part, answer, problem, levels) for m, answer in answers.items()}
        words = verdict(y_part, answers, main, chosen=chosen, part=part)
    return Report(
        run="runs/sample-1a2b3c4d",
        recipe_hash="8f3c" * 16,
        bundle="runs/sample-1a2b3c4d/bundle",
        bundle_digest="27ad" * 16,
        problem=problem,
        target={"binary": "diagnosis", "many": "digit", "regression": "progression"}[name],
        levels=levels,
        metric=main.kind,
        chosen=chosen,
        members=tuple(members),
        data=Data(
            source=f"{name}.csv.gz",
            source_sha256="c0de" * 16,
            rows_in=len(x) + 3,
            rows_kept=len(x),
            set_aside=(SetAside(reason="the target is missing", count=3, rows=(17, 230, 231)),),
            parts={"train": len(y_train), "validation": half, "test": len(y_rest) - half},
            fingerprints={"train": "aa11" * 16, "validation": "bb22" * 16, "test": "cc33" * 16},
        ),
        numbers=tuple(numbers),
        evidence=found,
        history=tuple(history),
        findings=(
            Finding(rule="sample_note", severity="note", where="area", sentence=_sentence("two columns look alike")),
            Finding(rule="sample_warning", severity="warning", where="id", sentence=_sentence("id is unique per row")),
        ),
        verdict=words,
        exemptions=(_sentence("rule max_set_aside, because three rows are known to be broken"),),
        looks=looks,
        environment={"versions": {"python": "3.11.7", "torch": "2.13.0"}, "threads": 2, "machine": "Linux x86_64"},
        seconds={"run": 12.3, "network": 8.1},
    )


def _sentence(words: str) -> Sentence:
    return Sentence(key="test.example", values={"name": words})


def _members(
    x: np.ndarray, y: np.ndarray, x_val: np.ndarray, y_val: np.ndarray, levels: tuple[str, ...]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Fitted models by name, and what the network's epochs gave."""
    if levels:
        network: Any = MLPClassifier((32,), learning_rate_init=0.005, random_state=0, max_iter=1, warm_start=True)
        others: dict[str, Any] = {
            "constant": DummyClassifier(),
            "linear": LogisticRegression(max_iter=500),
            "boosting": HistGradientBoostingClassifier(max_iter=25),
        }
    else:
        network = MLPRegressor(
            hidden_layer_sizes=(32,), learning_rate_init=0.1, random_state=0, max_iter=1, warm_start=True
        )
        others = {
            "constant": DummyRegressor(),
            "linear": Ridge(),
            "boosting": HistGradientBoostingRegressor(max_iter=25),
        }
    main = main_metric("classification" if levels else "regression")
    history = []
    for epoch in range(1, NUM_EPOCHS + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            network.fit(x, y)
        record: dict[str, Any] = {"epoch": epoch, "seconds": 0.2 * epoch, "lr": 0.001}
        for part, (rows, truth) in {"train": (x, y), "validation": (x_val, y_val)}.items():
            answer = network.predict_proba(rows) if levels else network.predict(rows)
            loss = usual_metrics("classification", 3)[4] if levels else main
            record[part] = {"loss": loss.value(truth, answer), main.kind: main.value(truth, answer)}
        history.append(record)
    return {"network": network, **{name: model.fit(x, y) for name, model in others.items()}}, history
