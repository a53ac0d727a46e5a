import numpy as np
import torch

from deepwright.model.number_embeddings import Periodic, PiecewiseLinear, SmoothClip


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32)[:, None]


def test_the_clip_takes_median_and_quartiles_from_the_training_rows():
    clip = SmoothClip(1)
    clip.adapt(column(0, 10, 20, 30, 40))
    z = torch.tensor([[20.0], [40.0], [1e30], [-1e30]])
    expected = [0.0, 1 / (1 + 1 / 9) ** 0.5, 3.0, -3.0]
    torch.testing.assert_close(clip(z)[:, 0], torch.tensor(expected))


def test_where_the_quartiles_are_equal_the_clip_takes_half_the_range_and_a_constant_stays_in_its_unit():
    clip = SmoothClip(2)
    clip.adapt(np.array([[0, 7], [0, 7], [0, 7], [0, 7], [8, 7]], np.float32))
    assert clip.spread.tolist() == [4.0, 1.0]


def test_pieces_are_the_shares_of_the_bins_that_are_passed_and_stay_at_the_ends():
    embed = PiecewiseLinear(1, num_bins=3, dim=1)
    embed.adapt(column(0, 1, 3, 7))
    with torch.no_grad():
        embed.pieces[0, :, 0] = torch.tensor([1.0, 10.0, 100.0])
        embed.line.zero_()
        embed.bias.zero_()
        x = torch.tensor([[-5.0], [0.0], [0.5], [2.0], [7.0], [1e38]])
        assert embed(x)[:, 0].tolist() == [0.0, 0.0, 0.5, 6.0, 111.0, 111.0]


def test_at_the_start_a_number_enters_as_a_straight_line():
    torch.manual_seed(0)
    embed = PiecewiseLinear(2, num_bins=4, dim=3)
    numbers = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    embed.adapt(numbers)
    x = torch.from_numpy(numbers)
    with torch.no_grad():
        expected = (embed.clip(x)[:, :, None] * embed.line).flatten(1) + embed.bias
        torch.testing.assert_close(embed(x), expected)


def test_bins_that_a_number_does_not_have_learn_nothing():
    embed = PiecewiseLinear(1, num_bins=8, dim=2)
    embed.adapt(column(0, 0, 1))
    embed(torch.tensor([[0.0], [1.0], [3e38]])).sum().backward()
    assert embed.pieces.grad[0, 0].tolist() == [2.0, 2.0]
    assert (embed.pieces.grad[0, 1:-1] == 0).all()


def test_waves_are_sines_and_cosines_of_the_clipped_number():
    torch.manual_seed(0)
    embed = Periodic(1, num_frequencies=2, scale=0.5, dim=4)
    embed.adapt(column(-1, 0, 1))
    x = torch.tensor([[0.3], [0.9]])
    with torch.no_grad():
        angle = 2 * torch.pi * embed.clip(x) * embed.frequencies
        waves = torch.cat([angle.cos(), angle.sin()], dim=1)
        torch.testing.assert_close(embed(x), torch.relu(waves @ embed.linear[0] + embed.bias))
