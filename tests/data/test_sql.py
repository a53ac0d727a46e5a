"""SQL sources: every value exact, rows in one order, and a database that nothing can change."""

import sqlite3
from pathlib import Path

import pytest

from deepwright.core.errors import DataError, PracticeError, RecipeError, ResourceError
from deepwright.core.recipe import Recipe
from deepwright.core.recipe_file import dump_recipe
from deepwright.data.collect import Collected, collect
from deepwright.data.detect import source_for
from deepwright.data.sql import Sql

NUL = "SELECT 'a' || char(0) || 'b' AS item, 'no' AS bought"


def shop(folder: Path, *statements: str) -> Path:
    path = folder / "shop.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        """
        CREATE TABLE visits (id INTEGER, price REAL, item TEXT, day TEXT, bought TEXT);
        INSERT INTO visits VALUES (9007199254740993, 0.1, 'tea', '2024-01-02', 'no');
        INSERT INTO visits VALUES (2, 2.5, 'rice', '2024-01-03', 'yes');
        INSERT INTO visits VALUES (3, NULL, 'Käse', '2024-01-04', 'no');
        """
    )
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path


def collected(path: Path, **options: object) -> Collected:
    return collect(Recipe.parse({"source": {**source_for(str(path)), **options}, "target": "bought"}))


def refusal(path: Path, kind: type[PracticeError] = DataError, **options: object) -> str:
    with pytest.raises(kind) as caught:
        collected(path, **options)
    return str(caught.value)


def test_a_sqlite_file_is_known_by_its_first_bytes_and_every_value_is_exact(tmp_path):
    found = collected(shop(tmp_path))
    rows = sorted(zip(*(found.whole.columns[name].tolist() for name in ("id", "item", "bought")), strict=True))
    assert rows == [("2", "rice", "yes"), ("3", "Käse", "no"), ("9007199254740993", "tea", "no")]
    assert sorted(found.whole.columns["price"].tolist(), key=str) == [
        0.1,
        2.5,
        pytest.approx(float("nan"), nan_ok=True),
    ]
    assert found.whole.schema["day"].type == "timestamp"
    assert found.source == f"{tmp_path}/shop.db#visits"
    assert [path.name for path in tmp_path.iterdir()] == ["shop.db"]


def test_rows_have_one_order_whatever_the_order_they_were_stored_in(tmp_path):
    one = collected(shop(tmp_path))
    (tmp_path / "shop.db").unlink()
    two = collected(shop(tmp_path, "CREATE TABLE o AS SELECT * FROM visits ORDER BY id", "DELETE FROM visits",
                         "INSERT INTO visits SELECT * FROM o", "DROP TABLE o"))  # fmt: skip
    assert one.whole.fingerprint == two.whole.fingerprint
    assert one.source_sha256 == two.source_sha256
    assert "sql_order" in {f.rule for f in one.findings}


def test_order_by_columns_is_taken_unless_rows_tie(tmp_path):
    path = shop(tmp_path)
    found = collected(path, order=("day",))
    assert found.whole.columns["item"].tolist() == ["tea", "rice", "Käse"]
    assert "sql_order" not in {f.rule for f in found.findings}
    assert "rows with equal bought (no) could come in any order" in refusal(path, order=("bought",))
    assert "column 'nothing' is not there" in refusal(path, order=("nothing",))


def test_a_query_is_taken_and_nothing_but_a_select(tmp_path):
    path = shop(tmp_path)
    assert len(collected(path, query="SELECT price, bought FROM visits WHERE id < 4;").whole) == 2
    before = path.read_bytes()
    for query in (
        "DELETE FROM visits",
        "DROP TABLE visits",
        "SELECT 1) AS a; DROP TABLE visits; SELECT * FROM (SELECT 1",
        "PRAGMA writable_schema = ON",
        f"ATTACH '{tmp_path}/other.db' AS other",
        "SELECT load_extension('x') AS bought",
        "SELECT user_version, 'no' AS bought FROM pragma_user_version",
        "INSERT INTO visits VALUES (1, 1, 'a', 'b', 'no') RETURNING *",
    ):
        assert "shop.db: the query" in refusal(path, query=query)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["shop.db"]


def test_of_several_tables_one_has_to_be_named(tmp_path):
    path = shop(tmp_path, 'CREATE TABLE "a""b" (x, bought)', "INSERT INTO \"a\"\"b\" VALUES (1, 'no'), (2, 'yes')")
    assert 'which table is meant? There are: a"b, visits' in refusal(path)
    assert len(collected(path, table='a"b').whole) == 2
    assert "no such table" in refusal(path, table="other")
    assert "both table and query" in refusal(path, RecipeError, table="visits", query="SELECT 1")
    assert "0 rows" in refusal(path, query="SELECT * FROM visits WHERE id < 0")


def test_bytes_are_refused_and_broken_texts_are_set_aside(tmp_path):
    path = shop(tmp_path, "CREATE VIEW v AS SELECT id, CAST(x'ff41' AS TEXT) AS item, bought FROM visits WHERE id = 2 "
                          "UNION ALL SELECT id, item, bought FROM visits")  # fmt: skip
    with pytest.raises(DataError, match=r"bytes that are no UTF-8 in a cell \(1 rows: "):
        collected(path, table="v")
    assert "column 'item' is blob" in refusal(path, query="SELECT x'ff' AS item, bought FROM visits")
    assert "a NUL character" in refusal(path, query=f"{NUL} UNION ALL SELECT item, bought FROM visits")


def test_a_query_that_takes_too_long_is_stopped(tmp_path):
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'no' AS bought FROM n"
    assert "longer than 0.2 s" in refusal(shop(tmp_path), ResourceError, query=endless, timeout_s=0.2)


def test_rows_that_still_stand_in_the_log_beside_the_file_are_read(tmp_path):
    path = shop(tmp_path)
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute("INSERT INTO visits VALUES (4, 1, 'tea', '2024-01-05', 'yes')")
    writer.commit()
    assert len(collected(path).whole) == 4
    writer.close()


def test_a_broken_file_is_refused(tmp_path):
    path = shop(tmp_path)
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 5000)
    assert "the query cannot be run" in refusal(path)


def test_a_password_never_enters_a_recipe():
    for uri in ("postgresql://me:secret@host/db", "postgresql://host/db?password=secret&x=1"):
        with pytest.raises(RecipeError) as caught:
            Sql(uri=uri)
        assert "secret" not in str(caught.value)
        assert "PGPASSWORD" in str(caught.value)
        with pytest.raises(RecipeError) as caught:
            Recipe.parse({"source": {"kind": "sql", "uri": uri}, "target": "y"})
        assert "secret" not in str(caught.value)
    with pytest.raises(RecipeError, match="no database that is read"):
        Sql(uri="mysql://host/db")


def test_a_server_is_a_source_by_its_address():
    uri = "postgresql://me@host:5432/db"
    assert source_for(uri) == {"kind": "sql", "uri": uri}
    assert uri in dump_recipe(Recipe.parse({"source": source_for(uri), "target": "y"}))
