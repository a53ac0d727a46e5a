"""Interrupts: on Ctrl-C or SIGTERM a training writes a checkpoint before it ends."""

import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Holds a signal back while a step is being done; `pending` then asks the loop to save and to raise.

    While the loop is suspended its state is whole, so the handler saves at once. A second signal ends the process in
    the usual way. Python handles signals in the main thread only; elsewhere nothing is installed.

    save: a method; it is held weakly, or a training that was left behind could never be freed.
    """

    def __init__(self, save: Callable[[], object]) -> None:
        self._save = weakref.WeakMethod(save)  # type: ignore[arg-type]
        self.is_inside = False
        self.pending = False
        self._before: dict[int, Any] = {}

    def install(self) -> None:
        if threading.current_thread() is threading.main_thread() and not self._before:
            self._before = {number: _living(number, signal.signal(number, self._handle)) for number in SIGNALS}

    def uninstall(self) -> None:
        for number, handler in self._before.items():
            if signal.getsignal(number) == self._handle:
                signal.signal(number, handler)
        self._before = {}

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.is_inside and not self.pending:
            self.pending = True
            return
        is_first = not self.pending
        self.pending = True
        save = self._save()
        if is_first and save is not None:
            save()
        raise KeyboardInterrupt


def _living(number: int, handler: Any) -> Any:
    """The handler, or what stood before it where it is that of a training that was left behind and is gone."""
    owner = getattr(handler, "__self__", None)
    while isinstance(owner, Interrupts) and owner._save() is None:
        handler = owner._before.get(number, signal.SIG_DFL)
        owner = getattr(handler, "__self__", None)
    return handler
