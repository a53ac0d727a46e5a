"""What the tests of this folder share: a file of own networks, imported as `--with` would."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def own_networks() -> Iterator[str]:
    """The name under which tests/model/own_networks.py stands in sys.modules."""
    name = "own_networks"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("own_networks.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    yield name
    del sys.modules[name]
