"""docs/reference.md is what the parts say today."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import deepwright.parts
from deepwright.core.families import Schedule
from deepwright.core.recipe import Recipe

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference.md"


def test_the_page_is_up_to_date():
    done = subprocess.run([sys.executable, "scripts/reference.py", "--check"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_kind_and_every_option_is_on_it():
    text = PAGE.read_text(encoding="utf-8")
    for family, kinds in deepwright.parts.families().items():
        for kind, part in kinds.items():
            if part.__module__.startswith("deepwright."):
                section = text.split(f"### {family}: {kind}\n")[1].split("\n##")[0]
                assert [name for name in part.model_fields if f"`{name}`" not in section] == []
    top = text.split("## recipe\n")[1].split("\n## ")[0]
    assert [name for name in Recipe.model_fields if f"`{name}`" not in top] == []


@pytest.mark.parametrize("kind", sorted(path.stem for path in (ROOT / "docs" / "schedules").glob("*.svg")))
def test_a_schedule_is_plotted_from_its_own_definition(kind: str):
    picture = (ROOT / "docs" / "schedules" / f"{kind}.svg").read_text(encoding="utf-8")
    (points,) = re.findall(r'points="([^"]+)"', picture)
    heights = [(112 - float(point.split(",")[1])) / 104 for point in points.split()]
    schedule = Schedule.parse(kind)
    if kind == "plateau":  # 10 epochs that improve, then none: after 5 without, a tenth
        assert heights[:150] == [1.0] * 150 and heights[-1] == pytest.approx(0.1, abs=1e-3)
    else:
        assert heights == pytest.approx([schedule.factor(step, 200) for step in range(200)], abs=1e-3)


def test_every_schedule_has_its_plot_on_the_page():
    ours = [k for k, part in Schedule.kinds.items() if part.__module__ == "deepwright.train.schedule"]
    shown = re.findall(r"\(schedules/(\w+)\.svg\)", PAGE.read_text(encoding="utf-8"))
    plotted = [path.stem for path in (ROOT / "docs" / "schedules").iterdir()]
    assert sorted(shown) == sorted(plotted) == sorted(ours) and len(ours) >= 10
