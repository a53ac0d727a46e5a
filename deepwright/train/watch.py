"""Consumers of the event stream: a live display, and a record on disk. Each passes every event on."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from deepwright.core.disk import append_line, disk_error
from deepwright.core.text import text
from deepwright.train.columns import head, row, short
from deepwright.train.events import Epoch, Event, NonFinite, Planned, Resumed, Shrunk, Started, Step, Stopped
from deepwright.train.speed import SpeedPlan

SEEN_S, LONG_S = 3.0, 10.0
"""Steps are watched for so long before they say what all will take, where the first epoch goes on for so long."""
REFRESH_S = 0.25
"""Between two changes of the status line; lines about epochs wait as long where no terminal is at hand."""


def live(events: Iterable[Event], stream: TextIO | None = None) -> Iterator[Event]:
    """Show loss, metrics and time left while the events pass.

    On a terminal one line per epoch stays and a status line moves below them; elsewhere plain lines, at most four a
    second, the first, the best so far and the last among them.
    """
    stream = stream or sys.stderr
    return _on_terminal(events, stream) if stream.isatty() else _as_lines(events, stream)


def record(events: Iterable[Event], path: str | Path) -> Iterator[Event]:
    """Append every event but the steps to `path`, one JSON object a line.

    After a kill a torn last line is cut off; epochs done again after a resume stand twice, the later line holds.
    Raises ResourceError when the disk is full.
    """
    path = Path(path)
    _cut_torn_line(path)
    for event in events:
        if not isinstance(event, Step):
            append_line(path, json.dumps(event.record(), ensure_ascii=False, allow_nan=False).encode())
        yield event


def line(event: Event) -> str | None:
    """One event as a line for people, or None for events that need none; `head` gives what stands over epochs."""
    if isinstance(event, Epoch):
        return row(event, duration(event.eta_s))
    if isinstance(event, Started):
        return text(
            "train.live.started", parameters=f"{event.num_parameters:,}", steps=f"{event.num_steps:,}",
            epochs=event.num_epochs, threads=event.threads, device=event.device,
        )  # fmt: skip
    if isinstance(event, Stopped):
        key = {"epochs": "train.live.stopped_epochs", "patience": "train.live.stopped_patience"}
        why = text(key.get(event.reason, "train.live.stopped_budget"))
        best = "-" if event.best_epoch is None else event.best_epoch
        return text("train.live.stopped", why=why, epochs=event.epochs, seconds=duration(event.seconds), best=best)
    if isinstance(event, NonFinite):
        return text(
            "train.live.non_finite", step=event.step, what=event.what, layer=event.layer,
            rows=", ".join(map(str, event.rows)) or "-", scale=f"{event.lr_scale:g}",
        )  # fmt: skip
    if isinstance(event, Planned):
        return _planned(event)
    if isinstance(event, Shrunk):
        return text("train.live.shrunk", step=event.step, rows=event.micro_batch)
    if isinstance(event, Resumed):
        return _resumed(event)
    return None


def duration(seconds: float) -> str:
    """Seconds as people read them.

    >>> duration(0.04), duration(7.4), duration(75), duration(7322)
    ('0.0 s', '7.4 s', '1 min 15 s', '2 h 02 min')
    """
    if seconds < 60:
        return text("train.live.seconds", seconds=f"{seconds:.1f}")
    if seconds < 3600:
        return text("train.live.minutes", minutes=int(seconds // 60), seconds=f"{int(seconds % 60):02d}")
    return text("train.live.hours", hours=int(seconds // 3600), minutes=f"{int(seconds % 3600 // 60):02d}")


def _as_lines(events: Iterable[Event], stream: TextIO) -> Iterator[Event]:
    told_at = -REFRESH_S
    held: str | None = None
    is_headed = False
    for event, said in _told(events):
        if isinstance(event, Epoch) and not is_headed:
            print(head(event), file=stream)
            is_headed = True
        if said is not None:
            is_held = isinstance(event, Epoch) and not event.is_best and time.monotonic() - told_at < REFRESH_S
            if is_held and event.epoch < event.num_epochs:
                held = said
            else:
                if held is not None and isinstance(event, Stopped):
                    print(held, file=stream)
                held = None
                print(said, file=stream, flush=True)
                told_at = time.monotonic()
        yield event


def _on_terminal(events: Iterable[Event], stream: TextIO) -> Iterator[Event]:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(file=stream, highlight=False)
    shown_at, shown_step = 0.0, 0
    ends_at: float | None = None
    is_headed = False
    with Live(Text(""), console=console, auto_refresh=False, transient=True) as status:
        for event, said in _told(events):
            if isinstance(event, Epoch) and not is_headed:
                console.print(Text(head(event)))
                is_headed = True
            if said is not None:
                console.print(Text(said))
            if isinstance(event, Epoch):
                ends_at = time.monotonic() + event.eta_s
            now = time.monotonic()
            if isinstance(event, Step) and now - shown_at >= REFRESH_S:
                left = "" if ends_at is None else text("train.live.eta", eta=duration(max(0.0, ends_at - now)))
                rate = (event.step - shown_step) / max(now - shown_at, 1e-9)
                speed = text("train.live.speed", rate=_per_second(rate)) if shown_step else ""
                said = text(
                    "train.live.step", epoch=event.epoch, batch=event.batch, batches=event.num_batches,
                    loss=short(event.loss), speed=speed, left=left,
                )  # fmt: skip
                status.update(Text(said), refresh=True)
                shown_at, shown_step = now, event.step
            yield event


def _told(events: Iterable[Event]) -> Iterator[tuple[Event, str | None]]:
    """Every event with its line. Early in a long first epoch a step's line says what the whole training will take."""
    num_steps, first, is_foreseen = 0, None, False
    for event in events:
        said = line(event)
        if isinstance(event, Started):
            num_steps = event.num_steps
        elif isinstance(event, Epoch):
            is_foreseen = True
        elif isinstance(event, NonFinite):  # back to the epoch's start: steps are counted anew
            first = None
        elif isinstance(event, Step) and not is_foreseen:
            now = time.monotonic()
            first = first or (event.step, now)
            if now - first[1] >= SEEN_S:
                step_s = (now - first[1]) / (event.step - first[0])
                is_foreseen = True
                if (event.num_batches - event.batch) * step_s >= LONG_S:
                    left_s = (num_steps - event.step) * step_s
                    said = text("train.live.foreseen", left=duration(left_s), rate=_per_second(1 / step_s))
        yield event, said


def _planned(event: Planned) -> str:
    plan = str(SpeedPlan.of(event))
    said = [text("train.live.planned", plan=plan, gain=f"{event.gain:.2f}", error=f"{event.error:.0e}")]
    if event.bf16_gap is not None:
        said.append(text("train.live.planned_gap", gap=f"{event.bf16_gap:.1e}"))
    if event.refused:
        left = (text(each.why, way=each.way, found=each.found) for each in event.refused)
        said.append(text("train.live.planned_refused", refused="; ".join(left)))
    return " ".join(said)


def _resumed(event: Resumed) -> str:
    said = [text("train.live.resumed", epoch=event.epoch, step=event.step)]
    if event.refused:
        said.append(text("train.live.refused", files=", ".join(event.refused)))
    if event.changes:
        said.append(text("train.live.changes", changes=", ".join(event.changes)))
    return " ".join(said)


def _per_second(rate: float) -> str:
    """Whole numbers from 10 up, else one digit more."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"


def _cut_torn_line(path: Path) -> None:
    """Cut what stands behind the last line end: a line that a kill tore."""
    try:
        if not path.exists() or not (size := path.stat().st_size):
            return
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < size:
            with path.open("r+b") as file:
                file.truncate(whole)
    except OSError as error:
        raise disk_error(path, 0, error) from None
