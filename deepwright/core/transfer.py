"""Transfer: the weights that training begins with, and how much of what they know may change."""

import re
from typing import Literal

from pydantic import field_validator

from deepwright.core.part import Part, option
from deepwright.core.text import text

_STAGES = re.compile(r"stages (0|[1-9][0-9]{0,3})")


class Transfer(Part):
    """Weights of another training that a network begins with, in place of random ones.

    The stages of a network are its stem (stage 0), its groups of blocks from the input on, and its head, the last
    linear layer.

    References: Yosinski et al. 2014 (transfer), arXiv 1411.1792; Howard and Ruder 2018 (rates by stage, gradual
    unfreezing), arXiv 1801.06146; Kornblith et al. 2019 (fine-tuning against scratch), arXiv 1805.08974.
    """

    path: str = option(help="a bundle, a run, or a file of weights (.safetensors, .pth); --from is short for it")
    sha256: str | None = option(None, "the bundle's digest or the file's SHA-256, filled in when it is first read")
    freeze: str = option(
        "none", "what stays as it was taken over: none, backbone (all but the head), or 'stages N' (the stem and N)"
    )
    unfreeze_every: int | None = option(
        None, "epochs after which one more frozen stage learns, the last one first; none: frozen stages stay so", low=1
    )
    rate: float = option(
        0.1, "factor on the learning rate of what was taken over; a new head has the whole", above=0, high=1,
        search=(0.01, 1.0, "log"),
    )  # fmt: skip
    stage_rate: float = option(
        1.0, "further factor on the rate for each stage towards the input", above=0, high=1, search=(0.3, 1.0)
    )
    normalise: Literal["imagenet", "half"] | None = option(
        None,
        "what pixels are normalised by; imagenet: its means and sds; half: .5 and .5; none: as the weights learned",
    )
    compare: bool = option(
        True, "whether the same network learns from scratch beside it, as the member scratch, if the budget allows"
    )
    licence: str | None = option(None, "the licence of the weights, for the report; none: as their file says")

    @field_validator("freeze")
    @classmethod
    def _freeze_can_be_read(cls, freeze: str) -> str:
        if freeze not in ("none", "backbone") and not _STAGES.fullmatch(freeze):
            raise ValueError(text("transfer.freeze"))
        return freeze

    def frozen(self, num_stages: int) -> int:
        """How many stages are frozen, from the input on, of `num_stages` without the head.

        >>> [Transfer(path="x", freeze=word).frozen(5) for word in ("none", "backbone", "stages 0", "stages 3")]
        [0, 5, 1, 4]
        """
        if self.freeze in ("none", "backbone"):
            return num_stages if self.freeze == "backbone" else 0
        return 1 + int(self.freeze.removeprefix("stages "))

    def frozen_epochs(self, num_stages: int) -> dict[int, int | None]:
        """How many epochs each frozen stage stays frozen; None: all.

        >>> Transfer(path="x", freeze="backbone", unfreeze_every=2).frozen_epochs(3)
        {0: 6, 1: 4, 2: 2}
        """
        count = self.frozen(num_stages)
        every = self.unfreeze_every
        return {stage: None if every is None else every * (count - stage) for stage in range(count)}

    def rates(self, num_stages: int) -> dict[int, float]:
        """The factor on the learning rate of each stage.

        >>> Transfer(path="x", rate=0.5, stage_rate=0.5).rates(3)
        {0: 0.125, 1: 0.25, 2: 0.5}
        """
        return {stage: self.rate * self.stage_rate ** (num_stages - 1 - stage) for stage in range(num_stages)}
