"""What every augmentation of images must do."""

from typing import Any

from deepwright.core.families import Augment, Mixing

SHAPES = ((6, 8, 11, 3), (5, 9, 9, 1), (1, 16, 12, 3))


def images(shape: tuple[int, ...], dtype: Any = None, seed: int = 0) -> Any:
    import torch

    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, shape, generator=generator).to(dtype or torch.uint8)


def changed(part: Augment, given: Any, seed: int = 0) -> Any:
    import torch

    torch.manual_seed(seed)
    return part.change(given)


def images_stay_images(part: Augment) -> None:
    """Of the same shape and type, from 0 to 255, whatever their shape; what was given stays as it was."""
    import torch

    for shape in SHAPES:
        for dtype in (torch.uint8, torch.float32):
            given = images(shape, dtype)
            before = given.clone()
            found = changed(part, given)
            assert found.shape == given.shape and found.dtype == dtype, f"{tuple(found.shape)} {found.dtype}"
            assert torch.equal(given, before), "the given images were changed in place"
            assert bool(torch.isfinite(found.float()).all()), "a pixel is not finite"
            assert float(found.min()) >= 0 and float(found.max()) <= 255, "a pixel is beyond 0 to 255"


def the_seed_decides_every_draw(part: Augment) -> None:
    import torch

    given = images((12, 10, 10, 3))
    first = changed(part, given, seed=1)
    assert torch.equal(first, changed(part, given, seed=1)), "the same seed gave other images"
    others = [changed(part, given, seed=seed) for seed in range(2, 8)]
    assert not all(torch.equal(first, other) for other in others), "no other seed gives other images"


def an_image_is_changed_by_itself(part: Augment) -> None:
    """Or is mixed with the one that it says, which it is not itself."""
    import torch

    given = images((6, 10, 10, 3))
    other = given.clone()
    other[2] = 255 - other[2]
    touched = (changed(part, given) != changed(part, other)).flatten(1).any(dim=1).nonzero()[:, 0].tolist()
    allowed = {2}
    if isinstance(part, Mixing):
        torch.manual_seed(0)
        _, partner, kept = part.mix(given)
        assert sorted(partner.tolist()) == list(range(6)), "an image is the other of two, or of none"
        assert not any(partner == torch.arange(6)), "an image is mixed with itself"
        assert 0 <= kept <= 1, kept
        allowed |= set((partner == 2).nonzero()[:, 0].tolist())
    assert set(touched) <= allowed, f"image 2 is seen in {touched}"


def what_is_asked_of_training_rows_changes_each_of_them(part: Augment) -> None:
    """So far as it can: a draw may be of no change."""
    given = images((200, 10, 10, 3))
    for asked in part.checked():
        assert asked.kind == part.kind, asked.kind
        same = (changed(asked, given) == given).flatten(1).all(dim=1)
        assert float(same.float().mean()) <= 0.3, f"{int(same.sum())} of 200 images are as they were"
