"""Augmentation: how training images are changed, and how many views of an image are answered by."""

from typing import Literal

from deepwright.core.families import Augment
from deepwright.core.part import Part, option


class Augmentation(Part):
    """How training images are changed at random, anew in each step."""

    changes: tuple[Augment, ...] = option(
        (), "one after the other; a flag takes 'flip; crop pad=0.1', or none; of images flip and crop"
    )
    check: bool = option(
        True, "whether training rows are asked first if labels survive each change; one that they do not is left out"
    )


class Predict(Part):
    """Of how many views of an image the answers are averaged; inside the bundle's graph, so wherever it answers."""

    views: Literal["one", "flip", "shift", "flip_shift", "auto"] = option(
        "one",
        "one: the image as it is; flip: and its mirror image (2 times the work and memory); shift: and moved to two "
        "corners (3 times); flip_shift: both (6 times); auto: what is better on validation",
    )
    shift: float = option(0.0625, "share of each side that a view is moved by", above=0, high=0.5)
