"""The families: what each exchangeable piece must be able to do; the kinds live in the stage folders."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from deepwright.core.conformal import Conformal
from deepwright.core.dataset import Dataset
from deepwright.core.operations import Operation
from deepwright.core.part import Part, option
from deepwright.core.schema import Problem, Type
from deepwright.core.step import Step

if TYPE_CHECKING:
    import torch
    from torch import nn

Form = Literal["mixed", "flat", "wide", "ordinal", "image"]
"""How the input columns become tensors.

mixed: `numbers` float32 [N, F] (filled, scaled) and `categories` int64 [N, C] (level numbers); an absent one has no
tensor.
flat: `x` float32 [N, F]: scaled numbers, then one-hot categories. ordinal: `x` float32 [N, F]: raw numbers (NaN where
missing), then level numbers. wide: as flat, for a model that takes very many columns: a text has one for each of its
terms, where the other forms have a few numbers, and then `x` is a SciPy CSR matrix in learning.
image: for each column of images one tensor of its name, uint8 [N, H, W, C].
"""


@dataclass(frozen=True)
class Tensor:
    """One prepared input. width: size of the last axis. num_codes: codes of each column of level numbers.

    shape: (height, width, channels) of an image, whose tensor is uint8 [N, H, W, C]; None: the tensor is [N, width].
    """

    name: str
    width: int
    dtype: Literal["float32", "int64", "uint8"] = "float32"
    num_codes: tuple[int, ...] = ()
    shape: tuple[int, int, int] | None = None


class Source(Part, family="source"):
    """Where raw rows come from.

    default_target: the column that is predicted where a recipe names none; None: it must name one. in_time_order: its
    rows are moments, which no split may shuffle. holds: what its rows are, where they are no table; a recipe then has
    other usual parts.
    """

    default_target: ClassVar[str | None] = None
    in_time_order: ClassVar[bool] = False
    holds: ClassVar[Type | None] = None

    def arrange(self, raw: Any) -> Any:
        """Rows that were handed over in Python as this source would give them."""
        return raw

    def read(self, target: str | None) -> Any:
        """Every row as cells, a `deepwright.data.raw.Raw`. target: the column to predict, for names in errors.

        Raises DataError for what cannot be read, AskError for what can be read in two ways.
        """
        raise NotImplementedError


class Splitter(Part, family="split"):
    """Which part each row belongs to, as a function of the rows and the split's own seed."""

    def assign(self, data: Dataset) -> np.ndarray:
        """int8 [N]: 0 train, 1 validation, 2 test. Rows with equal hashes get the same part."""
        raise NotImplementedError


class Outliers(Step, family="outliers"):
    """What is done about numbers far from the rest; the first step, so it may see missing numbers."""


class Imputer(Step, family="imputer"):
    """What stands where a value is missing: after it no number is, nor one of a row that is answered later."""


class Dates(Step, family="dates"):
    """What is made of times, which are seconds since 1970 in filled columns."""


class Encoder(Step, family="encoder"):
    """Turns categories into level numbers, or into numbers."""


class Texts(Step, family="texts"):
    """What is made of texts: a tensor [N, F] under each column's name, or nothing."""

    def wide(self) -> "Texts":
        """The same for a model that takes very many columns."""
        return self


class Tokenizer(Step, family="tokenizer"):
    """What cuts texts into numbered tokens: a tensor int64 [N, L] under each column's name, and their lengths."""


class Scaler(Step, family="scaler"):
    """Brings numbers to a common scale; sees filled columns."""


class Extractor(Step, family="features"):
    """Makes further numbers of the scaled ones."""


class History(Step, family="history"):
    """Makes numbers of windows: columns [N, T] of a row's own history, oldest first, the newest known moment last."""


class Network(Part, family="network"):
    """A network by its options. `build` must export to ONNX at any batch size.

    takes: types of the inputs that it can be given.
    """

    form: ClassVar[Form] = "mixed"
    takes: ClassVar[frozenset[Type]] = frozenset({"number", "category", "timestamp", "text"})
    suited: ClassVar[Mapping[str, Any]] = {}
    """Options of `train` that suit it, as plain data; they hold where a recipe names none."""

    @property
    def num_members(self) -> int:
        """Above 1 the output is [B, num_members, num_outputs]: each member learns alone, their mean is the answer."""
        return 1

    def build(self, inputs: tuple[Tensor, ...], num_outputs: int) -> "nn.Module":
        """An untrained module: forward(*tensors in the order of inputs) gives [B, num_outputs].

        Draws from torch's global generator only, which the caller has seeded.
        """
        raise NotImplementedError

    def adapt(self, module: "nn.Module", tensors: Mapping[str, np.ndarray]) -> None:
        """Set in the new module what it takes from the data, such as bins and scales; called once, before training.

        tensors: the prepared training part [N, F] by name, in the order of `inputs`. The default takes nothing.
        """


class Baseline(Part, family="baseline"):
    """A model that is no network; what it learned is one operation, so it can be bundled like any winner.

    takes: types of the inputs that it can be given. problems: what it can be asked.
    """

    form: ClassVar[Form] = "flat"
    problems: ClassVar[tuple[Problem, ...]] = ("classification", "regression")
    takes: ClassVar[frozenset[Type]] = frozenset({"number", "category", "timestamp", "text", "image"})

    def learn(
        self,
        x: np.ndarray,
        target: np.ndarray,
        problem: Problem,
        num_classes: int,
        seed: int,
        weight: np.ndarray | None = None,
    ) -> Operation:
        """x: float32 [N, F], in the form `wide` perhaps a SciPy CSR matrix; target: int64 [N] of class numbers, bool
        [N, L] of labels, or float64 [N] of values. The operation reads `x`.

        weight: float64 [N], how much each row counts, with mean 1; None: all alike.
        """
        raise NotImplementedError


class Optimizer(Part, family="optimizer"):
    """How weights move."""

    def build(self, parameters: "Iterable[torch.Tensor] | list[dict[str, Any]]") -> "torch.optim.Optimizer":
        raise NotImplementedError


class Schedule(Part, family="schedule"):
    """The learning rate over the run, as a factor of the optimizer's."""

    def factor(self, step: int, num_steps: int) -> float:
        """The factor at `step` of `num_steps`, both counted from 0."""
        raise NotImplementedError


class Loss(Part, family="loss"):
    """What training lowers.

    problems: those of a table that it can be given; None: any; an empty tuple: it is for modules of one's own in `fit`.
    """

    problems: ClassVar[tuple[Problem, ...] | None] = None

    def build(self) -> "nn.Module":
        """A module: forward(output [B, K], target [B] int64 classes, [B, 1] float32 values or [B, K] float32 labels)
        gives a scalar mean."""
        raise NotImplementedError


class Metric(Part, family="metric"):
    """A number that judges answers.

    decides: of a row only the class that is answered counts, not how probable it is. learns: it measures errors by
    something that `fit` takes from the training part.
    """

    problems: ClassVar[tuple[Problem, ...]] = ()
    decides: ClassVar[bool] = False
    learns: ClassVar[bool] = False
    greater_is_better: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Its name in reports: the kind, with the options that differ from their default."""
        options = self.dump(defaults=False)
        options.pop("kind", None)
        return self.kind + ("(" + ", ".join(f"{k}={v}" for k, v in options.items()) + ")" if options else "")

    def fit(self, train: Dataset) -> "Metric":
        """This metric with what it measures errors by learned from the training part; most learn nothing.

        Raises LeakError on any other part.
        """
        return self

    def value(self, target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None = None) -> float:
        """The metric, NaN where it is undefined.

        target: int64 [N] class numbers with answer: probability [N, K]; bool [N, L] of labels with answer: probability
        [N, L]; or float64 [N] with answer: value [N], quantiles [N, Q] or an interval [N, 2] of low and high.
        weight: float64 [N], how often each row counts (bootstrap); None counts each once.
        """
        raise NotImplementedError


class Decision(Part, family="decision"):
    """Which class a bundle answers, from the probabilities: of two by a threshold, of any number by costs.

    is_chosen: the validation part decides on it. of_labels: it can decide on several labels too, each by its own
    probability.
    """

    is_chosen: ClassVar[bool] = True
    of_labels: ClassVar[bool] = False

    def costs_of(self, levels: tuple[str, ...]) -> tuple[tuple[float, ...], ...] | None:
        """[K][K]: what answering each level (inner) costs where each (outer) is true; None: it decides otherwise."""
        return None

    def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> float | None:
        """The probability of class 1 from which it is answered; None: whichever class is more probable.

        target: int64 [N] class numbers of the validation part; probability: [N, 2]; weight: float64 [N].
        """
        raise NotImplementedError


class Augment(Part, family="augment"):
    """One way in which training images are changed at random, anew in each step.

    Draws come from torch's global generators, which the training seeds anew in each step. is_checked: what it changes
    may be what a label hangs on, so training rows are asked first.
    """

    is_checked: ClassVar[bool] = True

    @property
    def jumps(self) -> bool:
        """Whether it makes other images at once, as a mirror does, and not gradually, as an angle."""
        return False

    @classmethod
    def read_line(cls, line: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """`crop pad=0.1 fill=black` as plain data and options that are texts still. Raises RecipeError."""
        kind, *words = line.split() or [""]
        if kind not in cls.kinds:
            cls.parse(kind)
        pairs = [word.partition("=") for word in words]
        return {"kind": kind}, [(name, value) for name, _, value in pairs]

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        """images: uint8, or floats from 0 to 255, [B, H, W, C]; the result is the same, a new tensor or the given one,
        which itself stays as it is."""
        raise NotImplementedError

    def checked(self) -> "tuple[Augment, ...]":
        """What is asked of training rows: the same, but on every image."""
        return (self.replace(share=1.0),) if "share" in type(self).model_fields else (self,)


class Mixing(Augment):
    """A way to change images that mixes each with another of its batch, and their targets in the same shares."""

    is_checked: ClassVar[bool] = False

    def mix(self, images: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor, float]":
        """The mixed images, the number int64 [B] of each one's other, and the share of itself that it keeps."""
        raise NotImplementedError

    def change(self, images: "torch.Tensor") -> "torch.Tensor":
        return self.mix(images)[0]


class Intervals(Part, family="intervals"):
    """How intervals around answered values are made, from the errors on rows that no choice saw.

    takes_scale: their width follows how large errors are expected to be for each row.
    """

    takes_scale: ClassVar[bool] = False

    level: float = option(0.9, "probability with which a new row's value is to lie inside", above=0, below=1)

    def calibrate(self, target: np.ndarray, value: np.ndarray, scale: np.ndarray | None = None) -> Conformal:
        """target, value: float64 [N] of calibration rows, at least `rows_needed(level)`; scale: [N]."""
        raise NotImplementedError


class Sets(Part, family="sets"):
    """How sets of classes or labels that may be true are made, from the probabilities on rows that no choice saw."""

    problems: ClassVar[tuple[Problem, ...]] = ("classification",)

    level: float = option(
        0.9, "probability with which a new row's class, or all its labels, are to lie inside", above=0, below=1
    )

    def calibrate(self, target: np.ndarray, probability: np.ndarray) -> Conformal:
        """target: int64 [N] class numbers, of several labels bool [N, K]; probability: [N, K]; of calibration rows, at
        least `rows_needed(level)`."""
        raise NotImplementedError


class Exporter(Part, family="target"):
    """A form in which a bundle leaves: one file per target."""

    def export(self, bundle: Any, folder: Any) -> list[Any]:
        """Writes below `folder`, checks the written model against the bundle and gives the files' paths."""
        raise NotImplementedError
