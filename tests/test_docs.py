"""The code of the guides runs as it stands there."""

import re
import traceback
from pathlib import Path

import pytest
import torch

import deepwright.parts  # noqa: F401 - makes the kinds known
from deepwright.core.families import Augment, Decision, Intervals, Loss, Optimizer, Schedule, Sets
from deepwright.core.transfer import Transfer
from deepwright.model.key_maps import LAYOUTS

DOCS = Path(__file__).parents[1] / "docs"
GUIDES = ("training.md", "training.zh-CN.md")


def code_of(name: str) -> list[tuple[int, str]]:
    """Line number and text of every Python block of a guide."""
    page = (DOCS / name).read_text(encoding="utf-8")
    blocks = re.finditer(r"(?ms)^```python\n(.*?)^```$", page)
    return [(page.count("\n", 0, block.start(1)), block[1]) for block in blocks]


def run(blocks: list[tuple[int, str]], name: str) -> dict[str, object]:
    """Run the blocks in one namespace, as a reader would paste them; gives the names they leave."""
    names: dict[str, object] = {"__name__": "guide"}
    for line, block in blocks:
        exec(compile("\n" * line + block, name, "exec"), names)  # noqa: S102 - our own page
    return names


@pytest.mark.parametrize("name", GUIDES)
def test_the_code_of_a_guide_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        run(code_of(name), name)
    finally:
        torch.set_num_threads(threads)


def test_both_languages_of_a_guide_have_the_same_code_and_shape():
    english, chinese = ([text for _, text in code_of(name)] for name in GUIDES)
    assert english == chinese
    shapes = [re.findall(r"(?m)^(#+|-) ", (DOCS / name).read_text(encoding="utf-8")) for name in GUIDES]
    assert shapes[0] == shapes[1]


def test_both_languages_of_the_page_on_answers_say_the_same():
    pages = [(DOCS / name).read_text(encoding="utf-8") for name in ("answers.md", "answers.zh-CN.md")]
    for shape in (r"(?m)^(#+|-|\|---\||\|) ", r"--[a-z_.]+", r"(?<![\w-])\.\d+"):
        assert re.findall(shape, pages[0]) == re.findall(shape, pages[1]), shape
    named = [sorted(set(re.findall(r"`([^`]+)`", page))) for page in pages]
    assert named[0] == named[1]
    for family in (Decision, Sets, Intervals):
        ours = [kind for kind, part in family.kinds.items() if part.__module__.startswith("deepwright.")]
        assert [kind for kind in ours if all(kind not in name for name in named[0])] == []


def test_both_languages_of_the_page_on_transfer_say_the_same_of_options_that_are_there():
    pages = [(DOCS / name).read_text(encoding="utf-8") for name in ("transfer.md", "transfer.zh-CN.md")]
    flags = [re.findall(r"--[a-z_.]+(?: '?[\w.]+(?: \d+)?'?)?", page) for page in pages]
    for shape in (r"(?m)^(#+|-|\|---\||\|) ", r"--[a-z_.]+", r"`[^`\n]+`"):
        assert sorted(re.findall(shape, pages[0])) == sorted(re.findall(shape, pages[1])), shape
    assert len(flags[0]) > 8 and flags[0][:6] == flags[1][:6]
    named = {option for page in pages for option in re.findall(r"--transfer\.([a-z_]+)", page)}
    assert named == set(Transfer.model_fields) - {"path", "sha256"}
    kinds = {layout.kind for layout in LAYOUTS}
    assert [kind for kind in kinds if any(f"`{kind}`" not in page for page in pages)] == []


def test_a_guide_names_every_optimizer_schedule_and_loss():
    for name in GUIDES:
        page = (DOCS / name).read_text(encoding="utf-8")
        kinds = [kind for family in (Optimizer, Schedule, Loss) for kind in family.kinds]
        assert len(kinds) > 25 and [kind for kind in kinds if f"`{kind}`" not in page] == []


def test_a_guide_names_every_augmentation():
    for name in GUIDES:
        page = (DOCS / name).read_text(encoding="utf-8")
        kinds = [kind for kind, part in Augment.kinds.items() if part.__module__.startswith("deepwright.")]
        assert len(kinds) == 12 and [kind for kind in kinds if f"`{kind}`" not in page] == []


def test_the_module_of_the_readme_trains_in_five_lines():
    page = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    (block,) = [found for found in re.findall(r"(?ms)^```python\n(.*?)^```$", page) if "Net(10, 20, 2)" in found]
    names = run([code_of("training.md")[0], (0, f"import deepwright\n{block}")], "README.md")
    losses = [epoch["train"]["loss"] for epoch in names["history"].epochs]
    assert len(block.splitlines()) == 5 and losses[-1] < losses[0] and set(names["scores"]) == {"accuracy", "f1"}


def test_the_textbook_case_takes_five_lines():
    (block,) = [text for _, text in code_of("training.md") if "lr=0.01, momentum=0.9" in text]
    assert len([line for line in block.splitlines() if line]) == 5
    assert "Net(10, 20, 2)" in block and "CrossEntropyLoss()" in block and ".finish()" in block


def test_a_planted_fault_in_a_guide_is_seen_with_its_line():
    with pytest.raises(AssertionError) as caught:
        run([(0, "import math\n"), (3, "assert math.pi < 3\n")], "planted.md")
    last = traceback.extract_tb(caught.tb)[-1]
    assert (last.filename, last.lineno) == ("planted.md", 4)


@pytest.mark.parametrize("name", GUIDES)
def test_every_link_of_a_guide_leads_to_a_file(name: str):
    links = re.findall(r"\]\(([^)#]+)\)", (DOCS / name).read_text(encoding="utf-8"))
    assert links and [link for link in links if not (DOCS / link).exists()] == []
