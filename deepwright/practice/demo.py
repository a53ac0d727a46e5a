"""The demo: the main job on the data that ships with the package, from raw rows to a served prediction."""

from pathlib import Path
from typing import Any

from deepwright import parts
from deepwright.core.text import text
from deepwright.deploy.client import Client
from deepwright.evaluation.lines import summary_lines
from deepwright.practice.keep import kept_rows
from deepwright.practice.prove.case import demo_recipe
from deepwright.practice.prove.parity import json_rows, server
from deepwright.practice.reporting import next_commands, short
from deepwright.practice.run import practise
from deepwright.practice.show import Show
from deepwright.practice.verify import verify


def demonstrate(runs: Path, show: Show) -> dict[str, Any]:
    """Run, verify, serve and ask; gives what `--json` prints."""
    parts.load_installed()
    recipe = demo_recipe()
    show.say(text("demo.begins"))
    run = practise(recipe, runs=runs, name="demo", show=show)
    report = run.report
    for line in summary_lines(report):
        show.say(line)
    verified = verify(run)
    show.say(
        text(
            "verify.exact" if verified.is_exact else "verify.near",
            numbers=verified.numbers,
            difference=verified.difference,
        )
    )
    row = json_rows(kept_rows(run, "validation"), limit=1)[0]
    with server(run.bundle_folder) as url:
        answer = Client(url).predict([row])[0]
        show.say(text("demo.served", url=f"{url}/predict", row=_shown(row), answer=_shown(answer)))
    show.say(text("cli.report_at", path=short(run.folder / "report.html")))
    show.say(text("cli.next", command=next_commands(run, report)[0]))
    return {**report.summary(), "verified": verified.numbers, "prediction": {"row": row, "answer": answer}}


def _shown(record: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in record.items())
