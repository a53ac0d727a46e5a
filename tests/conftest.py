"""What every test shares: English texts, a ledger of looks of its own, and the count of what was not run."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

NOT_RUN = "NOT RUN: "


def pytest_configure(config: pytest.Config) -> None:
    os.environ["DEEPWRIGHT_LANG"] = "en"
    config.addinivalue_line("markers", "needs(program): runs only where the system has this program")


@pytest.fixture(autouse=True)
def _own_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the ledger of looks of the person who runs the tests."""
    monkeypatch.setenv("DEEPWRIGHT_HOME", str(tmp_path / "deepwright-home"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        (program,) = marker.args
        if shutil.which(program) is None:
            pytest.skip(f"{NOT_RUN}{program} missing")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The very last line: how many tests did not run for want of a system program, and of which."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    reporter.write_line(not_run_line(skip_reasons(reporter.stats.get("skipped", []))))


def skip_reasons(reports: list[pytest.TestReport]) -> list[str]:
    return [report.longrepr[2].removeprefix("Skipped: ") for report in reports if isinstance(report.longrepr, tuple)]


def not_run_line(reasons: list[str]) -> str:
    """`NOT RUN: 0`, or `NOT RUN: 3 (chromium missing: 2, strace missing: 1)`."""
    counts = Counter(reason.removeprefix(NOT_RUN) for reason in reasons if reason.startswith(NOT_RUN))
    shown = ", ".join(f"{what}: {count}" for what, count in sorted(counts.items()))
    return f"{NOT_RUN}{counts.total()}" + (f" ({shown})" if shown else "")
