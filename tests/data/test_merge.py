"""Merging sources: rows below, columns beside; a join looks up and never multiplies."""

from pathlib import Path

import pytest

from deepwright.core.errors import DataError, PracticeError, RecipeError
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import dump_recipe, load_recipe
from deepwright.data.collect import Collected, collect
from deepwright.data.merge import Merge
from deepwright.data.table import Table

ORDERS = "person,item,y\n1,tea,no\n2,rice,yes\n1.0,tea,yes\n3,tea,no\n"
PEOPLE = "person,age\n2,30\n1,20\n9,90\n"


@pytest.fixture
def two(tmp_path: Path) -> tuple[Table, Table]:
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "people.csv").write_text(PEOPLE)
    return Table(path=str(tmp_path / "orders.csv")), Table(path=str(tmp_path / "people.csv"))


def collected(source: Merge, **options: object) -> Collected:
    return collect(Recipe(source=source, target="y", **options))


def refusal(source: Merge, kind: type[PracticeError] = DataError) -> str:
    with pytest.raises(kind) as caught:
        collected(source)
    return str(caught.value)


def rules(found: Collected) -> dict[str, str]:
    return {f.rule: f.text for f in found.findings}


def test_a_left_join_keeps_every_row_and_tells_those_without_a_match(two):
    found = collected(Merge(sources=two, how="left", on=("person",)))
    ages = found.whole.columns["age"]
    assert ages[:3].tolist() == [20.0, 30.0, 20.0]
    assert str(ages[3]) == "nan"
    assert found.whole.origin.tolist() == [1, 2, 3, 4]
    assert "1 of 4 rows have no match" in rules(found)["join_unmatched"] and "rows 4" in rules(found)["join_unmatched"]
    assert "1 of 3 rows match no row" in rules(found)["join_unused"]
    assert [Path(name).name for name in found.whole.files] == ["orders.csv", "people.csv"]


def test_an_inner_join_sets_rows_without_a_match_aside(two):
    found = collected(Merge(sources=two, how="inner", on=("person",)), max_set_aside=0.5)
    assert found.whole.columns["age"].tolist() == [20.0, 30.0, 20.0]
    (entry,) = found.set_aside
    assert "no match in" in entry.reason and entry.rows == (4,)
    assert found.rows_in == 4


def test_an_inner_join_that_would_drop_more_than_the_limit_stops(two):
    assert "1 of 4 rows (25.00%) cannot be used" in refusal(Merge(sources=two, how="inner", on=("person",)))


def test_a_key_that_stands_twice_where_it_is_looked_up_is_refused_with_both_rows(two, tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE + "2.0,31\n")
    sentence = refusal(Merge(sources=two, how="left", on=("person",)))
    assert "people.csv: the key person = '2' stands in rows 1 and 4" in sentence


def test_a_missing_key_matches_nothing(two, tmp_path):
    (tmp_path / "people.csv").write_text("person,age\n1,20\n2,30\n3,40\n,50\n?,60\n")
    (tmp_path / "orders.csv").write_text("person,y\n1,no\n,yes\n?,no\n3,yes\n")
    found = collected(Merge(sources=two, how="left", on=("person",)))
    assert [str(age) for age in found.whole.columns["age"]] == ["20.0", "nan", "nan", "40.0"]


def test_several_keys_have_to_match_together(two, tmp_path):
    (tmp_path / "people.csv").write_text("person,item,price\n1,tea,5\n1,rice,6\n2,tea,7\n")
    found = collected(Merge(sources=two, how="left", on=("person", "item")))
    assert [str(price) for price in found.whole.columns["price"]] == ["5.0", "nan", "5.0", "nan"]


def test_a_column_that_both_have_is_refused_or_named_apart(two, tmp_path):
    (tmp_path / "people.csv").write_text("person,item\n1,x\n2,z\n3,x\n")
    assert "both have a column 'item'" in refusal(Merge(sources=two, how="left", on=("person",)))
    found = collected(Merge(sources=two, how="left", on=("person",), suffix="_2"))
    assert found.whole.columns["item_2"].tolist() == ["x", "z", "x", "x"]
    (tmp_path / "people.csv").write_text("person,item,item_2\n1,x,3\n2,z,4\n3,x,5\n")
    assert "both have a column 'item_2'" in refusal(Merge(sources=two, how="left", on=("person",), suffix="_2"))


def test_a_key_column_that_is_not_there_is_named(two):
    assert "people.csv: column 'item' is not there" in refusal(Merge(sources=two, how="left", on=("item",)))


def test_rows_lost_while_reading_what_is_looked_up_are_told(two, tmp_path):
    (tmp_path / "people.csv").write_text(PEOPLE + "3,40,extra\n" + "".join(f"{i},1\n" for i in range(10, 90)))
    found = collected(Merge(sources=two, how="left", on=("person",)))
    assert "1 rows were set aside while reading (3 fields where the header has 2)" in rules(found)["join_set_aside"]


def test_sources_that_are_read_in_different_ways_are_appended(two, tmp_path):
    (tmp_path / "more.txt").write_bytes("7;Käse;yes\n".encode("latin-1"))
    more = Table(path=str(tmp_path / "more.txt"), columns=("person", "item", "y"), delimiter=";", encoding="latin-1")
    whole = collected(Merge(sources=(two[0], more))).whole
    assert whole.columns["item"].tolist() == ["tea", "rice", "tea", "tea", "Käse"]
    assert whole.file_of.tolist() == [0, 0, 0, 0, 1]


def test_merges_nest(two, tmp_path):
    (tmp_path / "more.csv").write_text("person,item,y\n2,tea,no\n")
    rows = Merge(sources=(two[0], Table(path=str(tmp_path / "more.csv"))))
    found = collected(Merge(sources=(rows, two[1]), how="left", on=("person",)))
    assert [str(age) for age in found.whole.columns["age"]] == ["20.0", "30.0", "20.0", "nan", "30.0"]
    assert found.whole.file_of.tolist() == [0, 0, 0, 0, 1]
    assert len(found.whole.files) == 3


def test_types_missing_words_and_maps_of_the_sources_hold_for_the_whole(two, tmp_path):
    one = two[0].replace(types=("person=category",), map="item:rice=tea")
    other = two[1].replace(missing=("30",))
    whole = collected(Merge(sources=(one, other), how="left", on=("person",))).whole
    assert whole.schema["person"].type == "category"
    assert set(whole.columns["item"]) == {"tea"}
    assert str(whole.columns["age"][1]) == "nan"


def test_two_types_for_one_column_are_refused_unless_the_merge_decides(two):
    one, other = two[0].replace(types=("person=category",)), two[1].replace(types=("person=number",))
    sources = (one, other)
    assert "column 'person' is to be category" in refusal(
        Merge(sources=sources, how="left", on=("person",)), RecipeError
    )
    found = collected(Merge(sources=sources, how="left", on=("person",), types=("person=number",)))
    assert found.whole.schema["person"].type == "number"


def test_a_merge_that_is_not_whole_is_refused(two):
    assert "two sources or more" in refusal(Merge(sources=two[:1]), RecipeError)
    assert "how: left" in refusal(Merge(sources=two, how="left"), RecipeError)
    assert "append has none" in refusal(Merge(sources=two, on=("person",)), RecipeError)
    assert "source.sources.1.test" in refusal(Merge(sources=(two[0], two[1].replace(test="t.csv"))), RecipeError)


def test_a_recipe_with_a_merge_is_written_and_read_again(two, tmp_path):
    recipe = Recipe(source=Merge(sources=two, how="left", on=("person",)), target="y")
    (tmp_path / "r.yaml").write_text(dump_recipe(recipe))
    assert load_recipe(tmp_path / "r.yaml").hash == recipe.hash
