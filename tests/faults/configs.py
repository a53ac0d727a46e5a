"""The cases of configuration, C: recipes as files, and the options of a command."""

from dataclasses import dataclass
from typing import Any

from tests.faults.case import Case

START = "source: {kind: table, path: t.csv}\ntarget: y\n"


@dataclass(frozen=True, kw_only=True)
class ConfigCase(Case):
    """recipe: what stands below source and target. flags: options beside it. values: options by path, exact.

    whole: the recipe is all of the file. begun: the rows had to be read and a run's folder begun to see the fault.
    """

    recipe: str | bytes = ""
    flags: tuple[str, ...] = ()
    values: tuple[tuple[str, Any], ...] = ()
    whole: bool = False
    begun: bool = False
    exit: int = 2

    @property
    def content(self) -> bytes:
        below = self.recipe if isinstance(self.recipe, bytes) else self.recipe.encode()
        return below if self.whole else START.encode() + below


def refused(row: str, what: str, recipe: str | bytes, *says: str, **options: Any) -> ConfigCase:
    return ConfigCase(row=row, what=what, outcome="REFUSE", recipe=recipe, says=says, **options)


def flags(row: str, what: str, given: tuple[str, ...], *says: str) -> ConfigCase:
    return ConfigCase(row=row, what=what, outcome="REFUSE", flags=given, says=says)


def accepted(row: str, what: str, recipe: str, *values: tuple[str, Any], whole: bool = False) -> ConfigCase:
    return ConfigCase(row=row, what=what, outcome="ACCEPT", recipe=recipe, values=values, whole=whole)


LAUGHS = "a: &a [lol, lol]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
ADAMW = "train: {optimizer: {kind: adamw, lr: %s}}\n"
SHARES = "split: {kind: random, train: 0.7, validation: 0.2, test: 0.2}\n"

CONFIGS = [
    refused(
        "C1", "a tag that runs code", "seed: !!python/object/apply:os.mkdir ['made']\n",
        "recipe.yaml, line 3: the tag", "python/object/apply:os.mkdir is not allowed",
    ),
    refused("C2", "a billion laughs", LAUGHS, "recipe.yaml, line 3: anchors and aliases", "are not allowed"),
    refused("C3", "5,000 nested lists", f"ignore: {'[' * 5000}\n", "recipe.yaml, line 3: nested deeper than 32"),
    refused("C3", "5,000 nested lists by dashes", "ignore:\n" + "- " * 5000 + "x\n", "nested deeper than 32"),
    refused("C3", "500 nested mappings by indentation", "".join(f"{' ' * i}a:\n" for i in range(500)), "nested deeper"),
    accepted("C4", "lr: 1e-3", ADAMW % "1e-3", ("train.optimizer.lr", 0.001)),
    accepted("C5", "country: NO", "ignore: [NO, on, yes]\n", ("ignore", ("NO", "on", "yes"))),
    accepted("C5", "12:30:45, 2024-01-02 and 0x1F", "ignore: [12:30:45, 2024-01-02, 0x1F]\n",
        ("ignore", ("12:30:45", "2024-01-02", "0x1F"))),
    accepted("C5", "0123", "seed: 0123\n", ("seed", 123)),
    refused("C6", "a key that stands twice", "seed: 1\nseed: 2\n", "'seed' stands twice, in lines 3 and 4"),
    refused(
        "C6", "a nested key that stands twice", "train:\n  epochs: 1\n  patience: 3\n  epochs: 2\n",
        "'epochs' stands twice, in lines 4 and 6",
    ),
    flags("C6", "a flag that stands twice", ("--seed", "1", "--seed", "2"), "--seed stands twice. Give it once"),
    refused("C7", "an unknown key", "sede: 1\n", "recipe.sede", "Did you mean 'seed'?"),
    refused("C7", "an unknown key of a part", "train: {epoch: 3}\n", "train.epoch", "Did you mean 'epochs'?"),
    refused("C7", "an unknown kind", "network: mpl\n", "there is no 'mpl'", "Did you mean 'mlp'?"),
    flags("C7", "an unknown flag", ("--train.epoch", "3"), "Did you mean '--train.epochs'?"),
    refused("C8", "a tab as indentation", "train:\n\tepochs: 3\n", "recipe.yaml, line 4: this is not YAML"),
    refused("C9", "a number of 500,000 digits", f"seed: {'9' * 500_000}\n", "line 3: a number of 500000 digits"),
    flags("C9", "a flag of 5,000 digits", ("--seed", "9" * 5000), "--seed", "whole number"),
    refused("C9", "a recipe of 2 MB", "#" * (2 << 20), "at most 1048576"),
    refused("C10", "lr: -1", ADAMW % "-1", "optimizer.lr", "-1 is not allowed", "> 0"),
    refused("C10", "lr: .nan", ADAMW % ".nan", "optimizer.lr", "'.nan' is not allowed"),
    flags("C10", "lr nan as a flag", ("--train.optimizer.lr", "nan"), "--train.optimizer.lr", "'nan' is not allowed"),
    refused("C10", "batch_size: 0", "train: {batch_size: 0}\n", "batch_size", "0 is not allowed", ">= 1"),
    refused("C10", "a truth value for a number", "train: {epochs: true}\n", "epochs", "True is not allowed"),
    refused("C10", "shares of 0.7, 0.2 and 0.2", SHARES, "train 0.7 + validation 0.2 + test 0.2 = 1.1",
        "add up to 1", begun=True),
    refused("C10", "one class", "source: {kind: table, path: t.csv, map: 'y:no=yes'}\ntarget: y\n",
        "t.csv: target 'y' is 'yes' in all 60 rows", "--target", whole=True, exit=3),
    refused("C1", "a list as plugin", "plugin: [1]\n", "plugin"),
    refused("C7", "a list instead of a recipe", "- a\n", "recipe.yaml: found list", whole=True),
    flags("C11", "a run named ../../etc", ("--name", "../../etc"), "'../../etc'"),
    flags("C11", "a run named /etc/made", ("--name", "/etc/made"), "'/etc/made'"),
    flags("C11", "a run named with a NUL", ("--name", "a\0b"), "a\\x00b"),
    refused("C11", "no UTF-8", b"ignore: [\xff]\n", "recipe.yaml: byte", "is not UTF-8"),
]  # fmt: skip
