"""Bundles and a server that the tests of a file share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deepwright.core.bundle import Bundle
from tests.deploy.bundles import flower_bundle, house_bundle
from tests.deploy.servers import DEADLINE_S, Server, running


@pytest.fixture(scope="session")
def flowers(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return flower_bundle(tmp_path_factory.mktemp("flowers") / "bundle")


@pytest.fixture(scope="session")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return house_bundle(tmp_path_factory.mktemp("houses") / "bundle")


@pytest.fixture(scope="session")
def server(flowers: Bundle) -> Iterator[Server]:
    """A server with a small body limit and a short deadline, so that the tests of both are quick."""
    with running(Path(flowers.folder), body_limit_bytes=20_000, deadline_s=DEADLINE_S) as started:
        yield started
