"""The tree of errors: kinds, exit codes, readable keys."""

import pytest

from deepwright.core import errors
from deepwright.core.errors import PracticeError, did_you_mean

EXIT_CODES = {
    "PracticeError": 1,
    "UsageError": 2,
    "RecipeError": 2,
    "DataError": 3,
    "AskError": 3,
    "BundleError": 3,
    "RuleError": 4,
    "LeakError": 4,
    "SealError": 4,
    "ProofError": 4,
    "ResourceError": 5,
}


def test_every_kind_of_error_has_its_exit_code():
    kinds = {n: k for n, k in vars(errors).items() if isinstance(k, type) and issubclass(k, PracticeError)}
    assert {name: kind.exit_code for name, kind in kinds.items()} == EXIT_CODES


def test_an_error_keeps_key_and_values_for_machines():
    error = errors.DataError("test.example", name="x")
    assert (error.key, error.values, str(error)) == ("test.example", {"name": "x"}, "This is x.")


@pytest.mark.parametrize(("word", "hint"), [("resnt", " Did you mean 'resnet'?"), ("RESNET", ""), ("xyz", "")])
def test_a_near_word_is_guessed_and_a_far_one_is_not(word: str, hint: str):
    assert did_you_mean(word, ["resnet", "mlp"]) == hint
