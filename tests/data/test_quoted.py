"""Values that stand in quotes are named with the option that takes the quotes away."""

from pathlib import Path

from deepwright.core.recipe import Recipe
from deepwright.data.collect import Collected, collect


def collected(path: Path, content: str, **options: object) -> Collected:
    path.write_text(content)
    return collect(Recipe.parse({"source": {"kind": "table", "path": str(path), **options}, "target": "y"}))


CONTENT = "a,y\n" + "".join(f"{i}.5,'{(-1, 1)[i % 2]}'\n" for i in range(40))


def test_quoted_values_are_named_and_the_option_takes_the_quotes_away(tmp_path):
    found = collected(tmp_path / "t.csv", CONTENT)
    (sentence,) = [f.text for f in found.findings if f.rule == "quoted"]
    assert "y: every value stands in quotes, such as '-1'" in sentence
    assert "--source.quote single" in sentence
    again = collected(tmp_path / "t.csv", CONTENT, quote="single")
    assert set(again.whole.target) == {"-1", "1"}
    assert "quoted" not in {f.rule for f in again.findings}


def test_a_column_with_one_value_without_quotes_is_not_named(tmp_path):
    found = collected(tmp_path / "t.csv", CONTENT + "9.5,'\n8.5,'x\n")
    assert "quoted" not in {f.rule for f in found.findings}
