import pytest
import torch

from deepwright.core.errors import RecipeError
from deepwright.core.families import Tensor
from deepwright.model.module import Module, scalar

X = (Tensor("x", 5),)


def test_it_builds_a_class_of_the_users_file_with_widths_filled_in(own_networks):
    net = Module(name="own_networks:Net", arguments=("width=inputs", "classes=outputs", "hidden=16")).build(X, 3)
    assert net.layers[0].in_features == 5 and net.layers[0].out_features == 16
    assert net(torch.zeros(2, 5)).shape == (2, 3)
    assert net.training


def test_it_builds_a_class_of_an_installed_package():
    net = Module(name="torch.nn:Linear", arguments=("in_features=inputs", "out_features=outputs")).build(X, 3)
    assert isinstance(net, torch.nn.Linear)


def test_lazy_layers_are_sized():
    net = Module(name="torch.nn:LazyLinear", arguments=("out_features=outputs",)).build(X, 3)
    assert net.weight.shape == (3, 5)


@pytest.mark.parametrize("name", ["Net", "own networks:Net", "a:", ":Net", "../x:Net", "a.b:C.d"])
def test_a_name_that_is_no_place_and_class_is_refused(name):
    with pytest.raises(RecipeError, match="my_file:Net"):
        Module(name=name)


def test_an_argument_without_a_key_is_refused():
    with pytest.raises(RecipeError, match="'64' is no key=value pair"):
        Module(name="a:B", arguments=("64",))


def test_an_argument_given_twice_is_refused():
    with pytest.raises(RecipeError, match="'a' is given twice"):
        Module(name="a:B", arguments=("a=1", "a=2"))


def test_an_unknown_file_names_the_option_that_gives_it():
    with pytest.raises(RecipeError, match=r"no module 'not_there'.*--with not_there\.py"):
        Module(name="not_there:Net").build(X, 3)


def test_an_unknown_class_lists_those_found_and_guesses(own_networks):
    with pytest.raises(RecipeError, match=r"Found there: Branches, Net, OneSize, Wide\. Did you mean 'Net'\?"):
        Module(name="own_networks:Nett").build(X, 3)


def test_a_function_or_a_plain_class_is_no_network():
    with pytest.raises(RecipeError, match=r"is no nn\.Module class"):
        Module(name="json:JSONDecoder").build(X, 3)


def test_wrong_arguments_are_named(own_networks):
    with pytest.raises(RecipeError, match=r"refused the arguments width=5, depth=3: .*depth"):
        Module(name="own_networks:Net", arguments=("width=inputs", "depth=3")).build(X, 3)


def test_a_wrong_number_of_outputs_is_named(own_networks):
    with pytest.raises(RecipeError, match=r"gave \(2, 7\) for two rows of width 5; it must give \(2, 3\)"):
        Module(name="own_networks:Wide", arguments=("width=inputs",)).build(X, 3)


def test_a_network_that_fails_on_the_width_is_named(own_networks):
    with pytest.raises(RecipeError, match="failed on two rows of width 5"):
        Module(name="own_networks:Net", arguments=("width=4", "classes=outputs")).build(X, 3)


def test_values_are_yaml_1_2_scalars():
    words = {"12": 12, "1e-3": 0.001, "true": True, "NO": "NO", "0o17": 15, "~": None, "a b": "a b", "[8, 4]": [8, 4]}
    assert {word: scalar(word) for word in words} == words


@pytest.mark.parametrize("value", ["{a: 1}", "!!python/object/apply:os.system [ls]", "[[1]]", "[1"])
def test_values_that_are_no_scalars_or_flat_lists_are_refused(value):
    with pytest.raises(RecipeError, match="argument value"):
        scalar(value)
