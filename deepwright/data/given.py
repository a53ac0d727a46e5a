"""Given parts: a validation file of the user's own beside the training file."""

from dataclasses import replace

import numpy as np

from deepwright.core.seal import TRAIN, VALIDATION
from deepwright.data.raw import Raw


def with_validation(whole: Raw, validation: Raw) -> Raw:
    """The rows of both, those of the second for validation; each keeps its file.

    Raises DataError where the second has other columns than the first.
    """
    from deepwright.data.append import append

    first = np.full(len(whole), TRAIN, np.int8) if whole.part is None else whole.part
    second = np.full(len(validation), VALIDATION, np.int8)
    return append([replace(whole, part=first), replace(validation, part=second)], whole.source)
