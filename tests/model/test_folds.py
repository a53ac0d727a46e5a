import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.model_selection import StratifiedKFold, cross_val_score

from deepwright.model.baselines import STRENGTHS, LinearBaseline
from deepwright.model.folds import folds


def noisy(load):
    """The data set's columns and eighty of noise, in every sixth row: the usual penalty is not the best."""
    x, target = load(return_X_y=True)
    x = np.concatenate([(x - x.mean(0)) / x.std(0), np.random.default_rng(0).normal(size=(len(x), 80))], axis=1)
    return x[::6].astype(np.float32), target[::6]


def test_every_row_is_judged_once_and_every_class_is_learned():
    target = np.array([0] * 47 + [1] * 3)
    parts = folds(target, True, seed=0)
    assert sorted(np.concatenate([judge for _, judge in parts])) == list(range(50))
    assert all(set(target[learn]) == {0, 1} and not set(learn) & set(judge) for learn, judge in parts)
    assert folds(np.array([0, 0, 1]), True, seed=0) == []


def test_the_penalty_for_classes_is_the_one_with_the_least_log_loss_on_folds():
    x, target = noisy(load_breast_cancer)
    found = LinearBaseline(c=None).learn(x, target, "classification", 2, seed=0)
    scores = {
        c: cross_val_score(
            LogisticRegression(C=c, max_iter=1000, random_state=0), x.astype(float), target, scoring="neg_log_loss",
            cv=StratifiedKFold(5, shuffle=True, random_state=0),
        ).sum()
        for c in STRENGTHS
    }  # fmt: skip
    best = max(scores, key=scores.get)
    assert best != 1.0
    assert found == LinearBaseline(c=best).learn(x, target, "classification", 2, seed=0)


def test_the_penalty_for_values_is_about_that_of_ridge_cv():
    x, target = noisy(load_diabetes)
    found = LinearBaseline(alpha=None).learn(x, target, "regression", 1, seed=0)
    alpha = RidgeCV(alphas=STRENGTHS).fit(x.astype(float), target).alpha_
    near = STRENGTHS.index(alpha)
    assert found in [
        LinearBaseline(alpha=a).learn(x, target, "regression", 1, seed=0) for a in STRENGTHS[near - 1 : near + 2]
    ]
    assert alpha > 1
