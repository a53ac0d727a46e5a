"""Parts: registration, validation, dumps, hashes, replace."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from deepwright.core.errors import RecipeError
from deepwright.core.part import FAMILIES, Part, option


class Wheel(Part, family="test_wheel"):
    """A family that only these tests know."""


class Round(Wheel, kind="round"):
    """A wheel that rolls."""

    spokes: int = option(8, "spokes", low=3, high=99)
    width: float = option(2.0, "width", unit="cm", above=0, search=(1.0, 9.0, "log"))
    tyre: Literal["rubber", "steel"] = option("rubber", "what touches the road")


class Square(Wheel, kind="square"):
    """A wheel that does not roll."""

    corners: tuple[float, ...] = option((90.0, 90.0), "angles")
    limit: int | float | None = option(None, "at most")


class Cart(Part):
    """Holds wheels."""

    wheel: Wheel = option("round", "the first wheel")
    spare: Wheel | None = option(None, "one more")
    others: tuple[Wheel, ...] = option((), "all the rest")
    name: str = option(help="what it is called")
    quick: bool = option(False, "whether it is quick")


@pytest.fixture(autouse=True)
def _kinds_as_before() -> Iterator[None]:
    before = dict(Wheel.kinds)
    yield
    Wheel.kinds.clear()
    Wheel.kinds.update(before)


def refusal(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(RecipeError) as caught:
        call(*arguments, **options)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_the_class_statement_registers_a_kind():
    assert FAMILIES["test_wheel"] is Wheel
    assert Wheel.kinds["round"] is Round and Wheel.kinds["square"] is Square


def test_a_taken_kind_is_refused_and_the_first_one_stays():
    def take() -> None:
        class Another(Wheel, kind="round"):
            pass

    owner = f"{Round.__module__}.Round"
    message = f"test_wheel 'round' exists already ({owner}). Give the new part another kind=."
    assert refusal(take) == message
    assert Wheel.kinds["round"] is Round


def test_two_families_do_not_share_their_kinds():
    class Sail(Part, family="test_sail"):
        pass

    class RoundSail(Sail, kind="round"):
        pass

    assert Sail.kinds == {"round": RoundSail}
    assert Wheel.kinds["round"] is Round


def test_a_part_cannot_be_changed():
    wheel = Round()
    with pytest.raises(Exception, match="frozen"):
        wheel.spokes = 9  # type: ignore[misc]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"spokes": 2},
            "test_wheel.spokes: 2 is not allowed. It takes: a whole number >= 3 <= 99.",
        ),
        ({"spokes": 8.5}, "test_wheel.spokes: 8.5 is not allowed. It takes: a whole number >= 3 <= 99."),
        ({"spokes": True}, "test_wheel.spokes: True is not allowed. It takes: a whole number >= 3 <= 99."),
        ({"spokes": "8"}, "test_wheel.spokes: '8' is not allowed. It takes: a whole number >= 3 <= 99."),
        ({"width": 0.0}, "test_wheel.width: 0.0 is not allowed. It takes: a number > 0."),
        ({"width": float("nan")}, "test_wheel.width: nan is not allowed. It takes: a number > 0."),
        ({"width": float("inf")}, "test_wheel.width: inf is not allowed. It takes: a number > 0."),
        ({"tyre": "wood"}, "test_wheel.tyre: 'wood' is not allowed. It takes: 'rubber' | 'steel'."),
        (
            {"spoke": 9},
            "test_wheel.spoke: there is no such option. Allowed: spokes, tyre, width. Did you mean 'spokes'?",
        ),
    ],
)
def test_a_wrong_option_is_named_with_its_value_and_what_is_allowed(options: dict[str, Any], message: str):
    assert refusal(Round, **options) == message
    assert refusal(Wheel.parse, {"kind": "round", **options}) == message
    assert refusal(Round().replace, **options) == message


def test_a_long_value_is_cut_in_the_message():
    message = refusal(Round, tyre="x" * 500)
    assert message == f"test_wheel.tyre: '{'x' * 76}... is not allowed. It takes: 'rubber' | 'steel'."


def test_a_missing_option_is_named():
    assert refusal(Cart) == "cart.name: this option has no default and must be given."


def test_an_unknown_kind_lists_the_known_ones_and_guesses():
    message = "test_wheel: there is no 'rond'. Allowed: round, square. Did you mean 'round'?"
    assert refusal(Wheel.parse, "rond") == message
    assert refusal(Cart, name="a", wheel="rond") == message
    assert refusal(Wheel.parse, {"kind": [1, 2]}) == "test_wheel: there is no '[1, 2]'. Allowed: round, square."


def test_a_missing_kind_is_named():
    assert refusal(Wheel.parse, {"spokes": 4}) == "test_wheel: no kind is given. Allowed: round, square."


def test_a_kind_of_another_class_is_refused():
    message = "test_wheel: kind is 'square', and only 'round' can stand here."
    assert refusal(Round.parse, {"kind": "square"}) == message


def test_a_value_that_is_no_part_is_refused():
    message = (
        "cart.wheel: 7 is not allowed. 7 is no test_wheel; give a kind's name, or a mapping with kind and options."
    )
    assert refusal(Cart, name="a", wheel=7) == message


def test_a_part_of_another_family_is_refused():
    class Oar(Part, family="test_oar"):
        pass

    class Long(Oar, kind="long"):
        pass

    assert "is no test_wheel" in refusal(Cart, name="a", wheel=Long())


def test_plain_data_come_back_as_an_equal_part():
    cart = Cart(name="a", wheel=Square(corners=(1.5, 2.0)), spare="round", others=("square", Round(spokes=5)))
    again = Cart.parse(cart.dump())
    assert again == cart and again.hash == cart.hash and hash(again) == hash(cart)
    assert again.wheel.corners == (1.5, 2.0)
    assert again.others[1].spokes == 5
    short = Cart.parse(cart.dump(defaults=False))
    assert short == cart and short.hash == cart.hash


def test_a_dump_without_defaults_holds_only_what_was_chosen():
    assert Cart(name="a").dump(defaults=False) == {"name": "a"}
    assert Cart(name="a", wheel=Round(spokes=5)).dump(defaults=False) == {
        "name": "a",
        "wheel": {"kind": "round", "spokes": 5},
    }


def test_nested_parts_are_dumped_by_their_own_class():
    assert Cart(name="a", wheel=Square()).dump()["wheel"] == {"kind": "square", "corners": [90.0, 90.0], "limit": None}


def test_equal_parts_have_equal_hashes_however_they_were_written():
    assert Cart(name="a").hash == Cart(name="a", wheel="round").hash == Cart(name="a", wheel=Round(spokes=8)).hash
    assert Square(corners=[90, 90.0]).hash == Square().hash
    assert Square(limit=3).hash == Square(limit=3.0).hash and Square(limit=3) == Square(limit=3.0)
    assert Square(corners=(0.0,)).hash == Square(corners=(-0.0,)).hash


def test_any_other_option_gives_another_hash():
    carts = [
        Cart(name="a"),
        Cart(name="b"),
        Cart(name="a", quick=True),
        Cart(name="a", wheel=Round(spokes=9)),
        Cart(name="a", wheel="square"),
        Cart(name="a", spare="round"),
        Cart(name="a", others=("round",)),
        Cart(name="a", others=("round", "round")),
        Cart(name="a", wheel=Round(width=2.0000001)),
    ]
    assert len({cart.hash for cart in carts}) == len(carts)


def test_family_and_version_are_part_of_the_hash():
    class Newer(Wheel, kind="newer"):
        version = 2

    first = Newer().hash
    Newer.version = 3
    assert Newer().hash != first


def test_the_hash_is_the_same_in_another_process():
    code = "from deepwright.core.recipe import Allowance; print(Allowance(rule='a', reason='b').hash)"
    from deepwright.core.recipe import Allowance

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert found == Allowance(rule="a", reason="b").hash


def test_a_default_added_later_keeps_the_old_hash():
    class Old(Wheel, kind="grows"):
        size: int = option(1, "size")

    old = Old(size=4).hash
    del Wheel.kinds["grows"]

    class New(Wheel, kind="grows"):
        size: int = option(1, "size")
        colour: str = option("black", "colour")

    assert New(size=4).hash == old
    assert New(size=4, colour="red").hash != old


def test_replace_gives_a_changed_copy_and_leaves_the_first():
    wheel = Round()
    assert wheel.replace(spokes=12).spokes == 12
    assert wheel.spokes == 8
    cart = Cart(name="a").replace(wheel={"kind": "square", "limit": 3})
    assert cart.wheel == Square(limit=3)


def test_lists_become_tuples_so_that_a_part_can_be_hashed():
    square = Square(corners=[1.0, 2.0])
    assert square.corners == (1.0, 2.0)
    assert {square: 1}[Square(corners=(1.0, 2.0))] == 1


def test_a_whole_number_is_taken_for_a_number_and_not_the_other_way():
    assert Round(width=3).width == 3.0
    assert isinstance(Round(width=3).width, float)
    assert "whole number" in refusal(Round, spokes=3.0)


def test_true_and_one_are_not_the_same_default():
    assert Cart(name="a", quick=False).hash == Cart(name="a").hash
    assert "true or false" in refusal(Cart, name="a", quick=0)


def test_types_are_shown_in_words():
    from deepwright.core.part import allowed

    assert allowed(Cart, "wheel").startswith("round | square")
    assert allowed(Cart, "others").startswith("a list of: ")
    assert allowed(Cart, "name") == "a text"
    assert allowed(Square, "limit") == "a whole number | a number | none"
    assert allowed(Square, "none") == ""
    assert allowed(Round, "spokes") == "a whole number >= 3 <= 99"


def test_a_range_is_shown_in_full_and_beside_its_number():
    class Ranged(Wheel, kind="ranged"):
        seed: int = option(0, "seed", low=0, high=2**31 - 1)
        patience: int | None = option(None, "patience", low=1)
        share: float = option(0.5, "share", above=0.0, below=1.0)

    from deepwright.core.part import allowed

    assert allowed(Ranged, "seed") == "a whole number >= 0 <= 2147483647"
    assert allowed(Ranged, "patience") == "a whole number >= 1 | none"
    assert allowed(Ranged, "share") == "a number > 0 < 1"
