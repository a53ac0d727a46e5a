"""Support vector machine: a baseline for small tables."""

from typing import Any

import numpy as np

from deepwright.core.families import Baseline
from deepwright.core.operations import Kernel, Operation
from deepwright.core.part import option
from deepwright.core.schema import Problem
from deepwright.model.baselines import require_every_class
from deepwright.model.folds import folds
from deepwright.model.nearest import require_few_rows


class SVM(Baseline, kind="svm"):
    """Support vectors with a Gaussian kernel, one class against the rest; its time grows with the square of the rows.

    Probabilities are sigmoids of the scores, fitted on scores of five folds of the training part (Platt 1999). The
    support vectors are training rows and go into the bundle.

    >>> x = np.linspace(-2, 2, 41, dtype=np.float32)[:, None]
    >>> fitted = SVM(c=100.0).learn(x, np.abs(x[:, 0]) > 1, "classification", num_classes=2, seed=0)
    >>> fitted.apply({"x": np.array([[0.0], [1.8]], np.float32)})["probability"].argmax(axis=1).tolist()
    [0, 1]
    """

    c: float = option(1.0, "what a row on the wrong side costs", above=0, search=(1e-2, 1e3, "log"))
    gamma: float | None = option(
        None, "how fast a bump falls; none: 1 / (features * variance of x)", above=0, search=(1e-3, 10.0, "log")
    )
    epsilon: float = option(
        0.1, "error of a value that costs nothing, in sds of the target", low=0, search=(0.01, 1.0, "log")
    )
    max_rows: int = option(5_000, "training rows, at most; more are refused", low=1, high=1_000_000)

    def learn(
        self,
        x: np.ndarray,
        target: np.ndarray,
        problem: Problem,
        num_classes: int,
        seed: int,
        weight: np.ndarray | None = None,
    ) -> Operation:
        """Raises DataError for more rows than `max_rows`."""
        from sklearn.svm import SVC, SVR

        require_few_rows("svm", len(x), self.max_rows)
        x64 = x.astype(np.float64)
        weight = np.ones(len(x)) if weight is None else weight
        gamma = self.gamma or 1.0 / (x.shape[1] * (float(x64.var()) or 1.0))
        if problem == "regression":
            mean, sd = float(np.average(target, weights=weight)), float(target.std()) or 1.0
            model = SVR(C=self.c, gamma=gamma, epsilon=self.epsilon).fit(x64, (target - mean) / sd, weight)
            return _kernel([model], x64, gamma, [sd], [mean], "value")
        require_every_class(target, num_classes, "svm")
        models, sigmoids = [], []
        for number in [1] if num_classes == 2 else range(num_classes):
            is_class = (np.asarray(target) == number).astype(np.int64)
            model = SVC(C=self.c, gamma=gamma)
            sigmoids.append(_sigmoid(model, x64, is_class, weight, seed))
            models.append(SVC(C=self.c, gamma=gamma).fit(x64, is_class, weight))
        scales, shifts = zip(*sigmoids, strict=True)
        return _kernel(models, x64, gamma, scales, shifts, "sigmoid" if num_classes == 2 else "one_against_rest")


def _sigmoid(model: Any, x: np.ndarray, is_class: np.ndarray, weight: np.ndarray, seed: int) -> tuple[float, float]:
    """Scale and shift from scores to log odds, fitted on scores of rows that the model had not learned from."""
    from sklearn.linear_model import LogisticRegression

    scores = np.zeros(len(x))
    for learn, judge in folds(is_class, True, seed):
        scores[judge] = model.fit(x[learn], is_class[learn], weight[learn]).decision_function(x[judge])
    fitted = LogisticRegression().fit(scores[:, np.newaxis], is_class, weight)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _kernel(models: list[Any], x: np.ndarray, gamma: float, scales: Any, shifts: Any, link: str) -> Kernel:
    """Models over the same rows as one operation over the rows that support any of them."""
    used = np.unique(np.concatenate([model.support_ for model in models]))
    coefficients = np.zeros((len(x), len(models)))
    for place, model in enumerate(models):
        coefficients[model.support_, place] = model.dual_coef_[0]
    return Kernel(
        answer="value" if link == "value" else "probability",
        rows=tuple(map(tuple, x[used].tolist())),
        coefficients=tuple(map(tuple, coefficients[used].tolist())),
        bias=tuple(float(model.intercept_[0]) for model in models),
        gamma=gamma,
        scales=tuple(scales),
        shifts=tuple(shifts),
        link=link,
    )
