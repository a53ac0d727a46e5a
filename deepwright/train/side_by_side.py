"""Several optimizers that step as one; imports torch, so it is loaded only when one is built."""

from collections import defaultdict
from typing import Any

import torch


class SideBySide(torch.optim.Optimizer):
    """Optimizers of different parameters behind one `step`, with one list of groups and one state to save."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts
        self._sizes = [len(part.param_groups) for part in parts]
        super().__init__([group for part in parts for group in part.param_groups], {})
        self._share()

    def step(self, closure: Any = None) -> None:
        assert closure is None, "a step side by side takes no closure"
        for part in self.parts:
            part.step()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        super().load_state_dict(state_dict)
        self._share()

    def _share(self) -> None:
        """Let every part work on this optimizer's groups and state, so that neither exists twice."""
        self.state = self.state if isinstance(self.state, defaultdict) else defaultdict(dict, self.state)
        start = 0
        for part, size in zip(self.parts, self._sizes, strict=True):
            part.param_groups = self.param_groups[start : start + size]
            part.state = self.state
            start += size
