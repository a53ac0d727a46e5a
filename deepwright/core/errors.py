"""The errors a user can meet; each says where, what was found, what is allowed and what to do.

PracticeError                exit 1   our own failure
  UsageError                 exit 2   a command or an option is wrong
    RecipeError              exit 2   an option of a recipe is wrong
  DataError                  exit 3   data (or a bundle) refused
    AskError                 exit 3   a question that only the user can answer; prints the option that answers it
    BundleError              exit 3   a bundle was changed, cut or is of another format
  RuleError                  exit 4   a rule of practice stopped it
    LeakError (TypeError)    exit 4   something was to be fitted outside the training part
    SealError                exit 4   a further look at the test part without a reason
    ProofError               exit 4   a proof or a verification failed
  ResourceError              exit 5   disk, memory, port or lock
"""

from typing import Any

from deepwright.core.text import text


class PracticeError(Exception):
    """A failure with a text of the catalogue. `key` and `values` stay readable for machines."""

    exit_code = 1

    def __init__(self, key: str, /, **values: Any) -> None:
        self.key = key
        self.values = values
        super().__init__(text(key, **values))


class UsageError(PracticeError):
    exit_code = 2


class RecipeError(UsageError):
    pass


class DataError(PracticeError):
    exit_code = 3


class AskError(DataError):
    pass


class BundleError(DataError):
    pass


class RuleError(PracticeError):
    exit_code = 4


class LeakError(RuleError, TypeError):
    pass


class SealError(RuleError):
    pass


class ProofError(RuleError):
    pass


class ResourceError(PracticeError):
    exit_code = 5


def did_you_mean(word: str, known: list[str] | tuple[str, ...]) -> str:
    """A closing ` Did you mean 'x'?` when a known word is near, else nothing."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return text("core.did_you_mean", word=near[0]) if near else ""
