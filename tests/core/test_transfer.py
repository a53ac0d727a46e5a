import pytest

import deepwright.parts  # noqa: F401 - a recipe names kinds of every family
from deepwright.core.errors import RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.transfer import Transfer

PLAIN = {"source": {"kind": "table", "path": "a.csv"}, "target": "y"}


@pytest.mark.parametrize("freeze", ["stages", "stages -1", "stage 2", "all", "stages 02", "Backbone", "stages 2 "])
def test_what_is_frozen_is_one_of_three_forms(freeze: str):
    with pytest.raises(RecipeError) as caught:
        Transfer(path="x", freeze=freeze)
    assert str(caught.value) == (
        f"transfer.freeze: '{freeze}' is not allowed. "
        "Write none, backbone, or 'stages N' with N from 0: the stem and the first N stages."
    )


def test_stages_thaw_from_the_last_one_on_and_rates_fall_towards_the_input():
    transfer = Transfer(path="x", freeze="stages 1", unfreeze_every=3, rate=0.5, stage_rate=0.1)
    assert transfer.frozen_epochs(4) == {0: 6, 1: 3}
    assert transfer.rates(3) == pytest.approx({0: 0.005, 1: 0.05, 2: 0.5})
    assert Transfer(path="x", freeze="backbone").frozen_epochs(2) == {0: None, 1: None}
    assert Transfer(path="x", unfreeze_every=3).frozen_epochs(2) == {}


def test_a_recipe_without_weights_keeps_its_hash_and_each_digest_gives_another():
    def recipe(**options: object) -> Recipe:
        return Recipe.parse({**PLAIN, **options})

    hashes = {recipe(transfer={"path": "x", "sha256": digest}).hash for digest in ("a", "b")}
    assert recipe(transfer=None).hash == recipe().hash
    assert len(hashes | {recipe().hash}) == 3
