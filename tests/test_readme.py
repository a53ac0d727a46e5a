"""The two READMEs say the same, and what they tell a person to type exists."""

import ast
import inspect
import re
import shlex
from pathlib import Path

import pytest

import deepwright.parts
from deepwright import cli
from deepwright.core.flags import apply_flags, is_recipe_flag

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str) -> list[str]:
    """Everything that is to be typed: fenced and indented blocks, and words in backquotes."""
    fenced = re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)
    indented = re.findall(r"(?m)^    (\S.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return [*fenced, *indented, *re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))]


def commands(text: str) -> list[str]:
    """Every `deepwright ...` line of the blocks."""
    return [line for block in blocks(text) for line in block.splitlines() if re.match(r"deepwright\s+\w", line)]


def faults(command: str) -> list[str]:
    """What of a command does not exist: the subcommand, or a flag."""
    _, name, *words = shlex.split(command)
    function = getattr(cli, name.replace("-", "_"), None)
    if function is None or name.startswith("_"):
        return [f"no command {name}"]
    known = {f"--{parameter.replace('_', '-')}" for parameter in inspect.signature(function).parameters} | {"-o"}
    flags = [word for word in words if word.startswith("-")]
    return [f"no flag {flag} of {name}" for flag in flags if flag not in known and not is_recipe_flag(flag[2:])]


@pytest.mark.parametrize("name", READMES)
def test_exactly_two_commands_stand_at_the_top(name: str):
    top = read(name).split("\n## ")[0]
    assert re.findall(r"(?m)^    (\S.*)$", top) == ["make demo", "make test"]


def test_both_languages_give_the_same_commands():
    english, chinese = (sorted(blocks(read(name))) for name in READMES)
    assert english == chinese


def test_both_languages_have_the_same_shape():
    shapes = [re.findall(r"(?m)^(#+|\d+\.) ", read(name)) for name in READMES]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("command", commands(read("README.md")))
def test_every_command_exists_with_its_flags(command: str):
    assert faults(command) == []


def test_recipe_flags_take_the_values_shown():
    found = []
    for command in commands(read("README.md")):
        words = shlex.split(command)
        pairs = [(words[i][2:], words[i + 1]) for i in range(len(words) - 1) if words[i].startswith("--")]
        flags = [(name, value) for name, value in pairs if is_recipe_flag(name)]
        found += flags
        apply_flags({"source": {"kind": "table", "path": "a.csv"}}, flags)
    assert len(found) >= 4


def test_the_python_shown_is_python_with_public_names():
    code = "".join(re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL))
    names = {
        n.attr
        for n in ast.walk(ast.parse(code))
        if isinstance(n, ast.Attribute) and ast.unparse(n.value) == "deepwright"
    }
    assert names and names <= set(deepwright.__all__)


@pytest.mark.parametrize("command", ["deepwright fly x", "deepwright run a.csv --targt y", "deepwright _take_flags"])
def test_a_planted_wrong_command_is_found(command: str):
    assert len(faults(command)) == 1


@pytest.mark.parametrize(
    "name",
    [*READMES, "CONTRIBUTING.md", "SECURITY.md", "docs/bundle.md", "docs/log.md", "docs/decisions/0001-the-house.md"],
)
def test_every_link_leads_to_a_file(name: str):
    folder = (ROOT / name).parent
    links = re.findall(r"\]\(([^)#]+)\)", read(name))
    assert [link for link in links if not (folder / link).exists()] == []


def test_make_knows_every_target_that_the_documents_name():
    text = read("README.md") + read("CONTRIBUTING.md")
    named = set(re.findall(r"(?m)(?:^    |`)make ([a-z-]+)", text))
    targets = set(re.findall(r"(?m)^([a-z-]+):", read("Makefile")))
    assert named >= {"demo", "test", "fast", "soak", "new-part"} and named <= targets


def test_a_decision_is_at_most_forty_lines():
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name)
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 40, path.name
