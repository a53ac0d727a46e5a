import torch

from deepwright.model.members import FirstLayer, Heads


def test_each_member_sees_the_input_times_its_own_factors():
    torch.manual_seed(0)
    layer = FirstLayer([2, 3], num_units=4, num_members=3)
    x = torch.randn(6, 5)
    with torch.no_grad():
        found = layer(x)
        assert found.shape == (6, 3, 4)
        for member, factors in enumerate(layer.factors):
            torch.testing.assert_close(found[:, member], layer.shared(x * factors))


def test_the_numbers_of_one_feature_share_a_members_factor_at_the_start():
    layer = FirstLayer([2, 3], num_units=4, num_members=3)
    assert (layer.factors[:, 0] == layer.factors[:, 1]).all()
    assert (layer.factors[:, 2:] == layer.factors[:, 2:3]).all()
    assert (layer.factors[:, 1] != layer.factors[:, 2]).all()


def test_each_member_has_a_head_of_its_own():
    torch.manual_seed(0)
    heads = Heads(4, num_outputs=2, num_members=3)
    x = torch.randn(5, 3, 4)
    with torch.no_grad():
        for member in range(3):
            expected = x[:, member] @ heads.weight[member] + heads.bias[2 * member : 2 * member + 2]
            torch.testing.assert_close(heads(x)[:, member], expected)
