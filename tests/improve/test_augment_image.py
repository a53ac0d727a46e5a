"""Augmenter: what a batch's images and targets become."""

import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.core.families import Augment
from deepwright.improve.augment_image import Augmenter
from deepwright.improve.mix import MixUp
from deepwright.improve.places import Flip
from deepwright.train.batch import Batch


def batch(target: torch.Tensor) -> Batch:
    draw = torch.Generator().manual_seed(0)
    return Batch((torch.randint(0, 256, (len(target), 6, 6, 3), generator=draw).to(torch.uint8),), target)


def test_changes_are_done_in_their_order_and_the_target_stays():
    given = batch(torch.tensor([0, 1, 2]))
    torch.manual_seed(4)
    found = Augmenter((Flip(share=1.0), Flip(axis="vertical", share=1.0)))(given, 0)
    assert torch.equal(found.inputs[0], given.inputs[0].flip(2).flip(1))
    assert found.target is given.target


def mixed(augmenter: Augmenter, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """The target that comes out, the number of each row's other, and the share it keeps."""
    given = batch(target)
    torch.manual_seed(1)
    found = augmenter(given, 0)
    torch.manual_seed(1)
    torch.randint(0, 1, ())
    _, other, kept = augmenter.mixing[0].mix(given.inputs[0])
    return found.target, other, kept


def test_mixed_class_numbers_become_shares_of_all_classes():
    target = torch.tensor([0, 2, 1, 2])
    found, other, kept = mixed(Augmenter(("mixup",), levels=4), target)
    expected = torch.zeros(4, 4)
    expected[range(4), target] += kept
    expected[range(4), target[other]] += 1 - kept
    torch.testing.assert_close(found, expected)


def test_mixed_values_labels_and_weights_are_means():
    values = torch.tensor([1.0, 2.0, 4.0])
    found, other, kept = mixed(Augmenter(("cutmix",)), values)
    torch.testing.assert_close(found, kept * values + (1 - kept) * values[other])
    weighted = torch.tensor([[0.0, 1.0, 1.0], [2.0, 0.5, 1.0], [1.0, 2.0, 0.0]])
    found, other, kept = mixed(Augmenter(("mixup",), levels=3), weighted)
    assert found.shape == (3, 5)
    torch.testing.assert_close(found[:, 3:], kept * weighted[:, 1:] + (1 - kept) * weighted[other, 1:])
    torch.testing.assert_close(found[:, :3].sum(dim=1), torch.ones(3))


def test_of_two_that_mix_one_is_drawn_for_each_batch():
    augmenter = Augmenter(("mixup", "cutmix"), levels=3)
    given = batch(torch.tensor([0, 1, 2]))
    kinds = set()
    for seed in range(12):
        torch.manual_seed(seed)
        images = augmenter(given, 0).inputs[0]
        kinds.add(bool((images[..., None] == given.inputs[0].permute(1, 2, 3, 0)[None]).any(dim=-1).all()))
    assert kinds == {True, False}


def test_a_batch_of_one_is_not_mixed():
    given = batch(torch.tensor([1]))
    assert Augmenter(("mixup",), levels=2)(given, 0).target is given.target


def test_the_fingerprint_knows_the_changes_their_options_and_the_classes():
    one = Augmenter(("flip", "mixup"), levels=3)
    assert one.fingerprint == Augmenter((Flip(), MixUp()), levels=3).fingerprint
    others = [Augmenter(("flip",), levels=3), Augmenter(("flip", "mixup"), levels=4), Augmenter(("mixup",), levels=3),
              Augmenter((Flip(share=0.4), "mixup"), levels=3)]  # fmt: skip
    assert len({one.fingerprint, *(each.fingerprint for each in others)}) == 5


def test_a_batch_without_images_is_refused_with_its_shapes():
    with pytest.raises(RecipeError, match=r"one input of images \[B, H, W, C\]; found inputs \(2, 7\)"):
        Augmenter(("flip",))(Batch((torch.zeros(2, 7),), torch.zeros(2)), 0)


def test_a_line_names_a_kind_and_its_options():
    assert Augment.read_line("crop pad=0.1 fill=black") == ({"kind": "crop"}, [("pad", "0.1"), ("fill", "black")])
    with pytest.raises(RecipeError, match=r"Did you mean .flip."):
        Augment.read_line("flop")
