"""docs/reference.md is what the parts say today."""

import subprocess
import sys
from pathlib import Path

import deepwright.parts
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
