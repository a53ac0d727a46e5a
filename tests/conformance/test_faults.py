"""Every check was seen to fail on a planted fault; a sound part of a user's own passes them all."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import pytest

from deepwright.core.conformal import Conformal, class_scores
from deepwright.core.dataset import Dataset
from deepwright.core.errors import RecipeError
from deepwright.core.families import (
    Augment,
    Baseline,
    Dates,
    Decision,
    Encoder,
    Extractor,
    History,
    Imputer,
    Intervals,
    Loss,
    Metric,
    Mixing,
    Network,
    Optimizer,
    Outliers,
    Scaler,
    Schedule,
    Sets,
    Splitter,
    Step,
    Texts,
    Tokenizer,
)
from deepwright.core.operations import (
    Bound,
    Constant,
    Fill,
    Level,
    Linear,
    MissingFlag,
    Operation,
    Standardise,
    TextTokens,
    WindowLags,
)
from deepwright.core.part import Part, option
from deepwright.core.schema import Columns
from deepwright.core.step import Fitted
from deepwright.evaluation.mase import Mase
from deepwright.evaluation.metric import MeanMetric, Weigher
from deepwright.model.layer import Layer
from tests.conformance import (
    augmenting,
    baselines,
    conforming,
    every_part,
    histories,
    judging,
    layers,
    networks,
    rows,
    texts,
    training,
)
from tests.conformance.checks import CHECKS, EVERY_PART, Check, checks_of

FAULTS: list[tuple[Check, Callable[[], Part]]] = []
"""A check and a maker of a part that breaks it, and as little else as can be."""


def breaks(check: Check) -> Callable[[Callable[[], Part]], Callable[[], Part]]:
    def keep(maker: Callable[[], Part]) -> Callable[[], Part]:
        FAULTS.append((check, maker))
        return maker

    return keep


@pytest.fixture(autouse=True)
def _kinds_as_before() -> Iterator[None]:
    families = (
        Augment,
        Baseline,
        Dates,
        Decision,
        Encoder,
        Extractor,
        History,
        Imputer,
        Intervals,
        Layer,
        Loss,
        Metric,
        Network,
        Operation,
        Optimizer,
        Outliers,
        Scaler,
        Schedule,
        Sets,
        Splitter,
        Texts,
        Tokenizer,
    )
    before = {family: dict(family.kinds) for family in families}
    yield
    for family, kinds in before.items():
        family.kinds.clear()
        family.kinds.update(kinds)


# history


class Newest(WindowLags, kind="planted_newest"):
    """The newest moment of `load`, spoiled below."""


del Newest.kinds["planted_newest"]
NEWEST: dict[str, Any] = {"columns": ["load"], "lags": [1], "outputs": ["made"]}


def history(operation: Callable[[], Operation]) -> Part:
    class Planted(History, kind="planted"):
        def learn(self, train: Dataset) -> Fitted:
            return Fitted((operation(),))

    return Planted()


@breaks(histories.only_training_windows_are_learned_from)
def history_of_every_part() -> Part:
    class Planted(History, kind="planted"):
        def fit(self, train: Dataset) -> Fitted:  # type: ignore[misc]
            return Fitted()

    return Planted()


@breaks(histories.what_was_learned_is_the_same_in_numpy_and_onnx)
def history_that_differs_in_onnx() -> Part:
    class Off(Newest, kind="planted"):
        def apply(self, columns: Columns) -> Columns:
            result = super().apply(columns)
            return {**result, "made": result["made"] + 1e-6}

    return history(lambda: Off(**NEWEST))


@breaks(histories.a_value_after_a_moment_changes_nothing_at_it)
def history_less_the_mean_of_all_rows() -> Part:
    class Ahead(Newest, kind="planted"):
        def apply(self, columns: Columns) -> Columns:
            result = super().apply(columns)
            return {**result, "made": result["made"] - result["made"].mean()}

    return history(lambda: Ahead(**NEWEST))


@breaks(histories.huge_and_missing_values_give_no_infinity)
def history_that_squares_what_is_huge() -> Part:
    class Squared(Newest, kind="planted"):
        def apply(self, columns: Columns) -> Columns:
            return {**columns, "made": columns["load"][:, -1] ** 2}

    return history(lambda: Squared(**NEWEST))


# texts


@breaks(texts.only_the_training_part_is_learned_from)
def texts_of_every_part() -> Part:
    class Planted(Texts, kind="planted"):
        def fit(self, train: Dataset) -> Fitted:  # type: ignore[misc]
            return Fitted()

    return Planted()


@breaks(texts.a_row_is_the_same_beside_other_rows)
def texts_that_look_at_their_neighbours() -> Part:
    class Counted(Operation, kind="planted"):
        def apply(self, columns: Columns) -> Columns:
            return {"text": np.full((len(columns["text"]), 1), float(len(columns["text"])), np.float32)}

    class Planted(Texts, kind="planted"):
        def learn(self, train: Dataset) -> Fitted:
            return Fitted((Counted(),))

    return Planted()


@breaks(texts.odd_texts_give_finite_numbers)
def texts_that_divide_by_nothing() -> Part:
    class Shared(Operation, kind="planted"):
        def apply(self, columns: Columns) -> Columns:
            count = np.array([len((text or "").split()) for text in columns["text"]], np.float32)[:, None]
            with np.errstate(divide="ignore"):
                return {"text": 1.0 / count}

    class Planted(Texts, kind="planted"):
        def learn(self, train: Dataset) -> Fitted:
            return Fitted((Shared(),))

    return Planted()


@breaks(texts.a_wide_one_keeps_these_promises_too)
def texts_that_grow_wider_each_time() -> Part:
    class Planted(Texts, kind="planted"):
        times: int = option(0, "how often it was made wide")

        def learn(self, train: Dataset) -> Fitted:
            return Fitted()

        def wide(self) -> Texts:
            return self.replace(times=self.times + 1)

    return Planted()


@breaks(texts.tokens_are_numbers_below_their_count)
def tokens_that_begin_with_the_padding() -> Part:
    class Zeros(TextTokens, kind="planted"):
        @property
        def num_codes(self) -> int:
            return 2

        def encode(self, text: str) -> list[int]:
            return [0] * len(text)

    class Planted(Tokenizer, kind="planted"):
        def learn(self, train: Dataset) -> Fitted:
            return Fitted((Zeros(column="text"), Zeros(column="title", lengths="title lengths")))

    return Planted()


# every part


@breaks(every_part.plain_data_bring_it_back)
def forgets_an_option() -> Part:
    class Planted(Schedule, kind="planted"):
        low: float = option(0.5, "the lowest factor")

        def dump(self, *, defaults: bool = True) -> dict[str, Any]:
            return {"kind": "planted"}

    return Planted(low=0.25)


@breaks(every_part.every_option_is_explained)
def explains_nothing() -> Part:
    class Planted(Schedule, kind="planted"):
        low: float = option(0.5)

    return Planted()


@breaks(every_part.it_says_what_it_is_in_one_sentence)
def is_silent() -> Part:
    class Planted(Schedule, kind="planted"):
        pass

    return Planted()


@breaks(every_part.any_other_option_changes_the_hash)
def hashes_too_little() -> Part:
    class Planted(Schedule, kind="planted"):
        low: float = option(0.5, "the lowest factor")

        def _identity(self) -> dict[str, Any]:
            return {"kind": "planted"}

    return Planted()


@breaks(every_part.where_a_search_looks_is_allowed)
def searches_outside() -> Part:
    class Planted(Schedule, kind="planted"):
        low: float = option(0.5, "the lowest factor", high=1.0, search=(0.1, 2.0))

    return Planted()


@breaks(every_part.methods_have_their_familys_arguments)
def takes_other_arguments() -> Part:
    class Planted(Schedule, kind="planted"):
        def factor(self, epoch: int, epochs: int) -> float:
            return 1.0

    return Planted()


# networks


def network(make: Callable[[], Any]) -> Part:
    class Planted(Network, kind="planted"):
        form = "flat"

        def build(self, inputs: tuple[Any, ...], num_outputs: int) -> Any:
            return make()(inputs[0].width, num_outputs)

    return Planted()


@breaks(networks.a_network_gives_one_row_of_outputs_per_row)
def has_one_output_too_many() -> Part:
    from torch import nn

    return network(lambda: lambda width, outputs: nn.Linear(width, outputs + 1))


@breaks(networks.a_network_answers_each_row_by_itself)
def mixes_rows() -> Part:
    from torch import nn

    class Mixing(nn.Linear):
        def forward(self, x: Any) -> Any:
            return super().forward(x) - super().forward(x).mean(dim=0)

    return network(lambda: Mixing)


@breaks(networks.a_network_starts_the_same_from_the_same_seed)
def draws_elsewhere() -> Part:
    import torch
    from torch import nn

    def make(width: int, outputs: int) -> Any:
        module = nn.Linear(width, outputs)
        draws = np.random.default_rng()
        module.weight.data = torch.tensor(draws.normal(size=(outputs, width)), dtype=torch.float32)
        return module

    return network(lambda: make)


@breaks(networks.a_network_learns)
def has_a_layer_that_is_never_used() -> Part:
    from torch import nn

    class Unused(nn.Linear):
        def __init__(self, width: int, outputs: int) -> None:
            super().__init__(width, outputs)
            self.unused = nn.Linear(2, 2)

    return network(lambda: Unused)


@breaks(networks.a_network_takes_any_training_rows_in)
def divides_by_the_spread_of_a_constant_column() -> Part:
    import torch
    from torch import nn

    class Planted(Network, kind="planted"):
        form = "flat"

        def build(self, inputs: tuple[Any, ...], num_outputs: int) -> Any:
            return nn.Linear(inputs[0].width, num_outputs)

        def adapt(self, module: Any, tensors: Any) -> None:
            spread = tensors["x"].std(axis=0, dtype=np.float64)
            with torch.no_grad(), np.errstate(divide="ignore"):
                module.weight.mul_(torch.from_numpy(1 / spread))

    return Planted()


@breaks(networks.a_networks_graph_answers_as_torch_does)
def changes_its_answer_by_the_number_of_rows() -> Part:
    import torch
    from torch import nn

    class Planted(Network, kind="planted"):
        form = "flat"

        def build(self, inputs: tuple[Any, ...], num_outputs: int) -> Any:
            return Counting(inputs[0].width, num_outputs)

    class Counting(nn.Linear):
        def forward(self, x: Any) -> Any:
            rows = 3 if torch.compiler.is_exporting() else len(x)
            return super().forward(x) + rows * torch.arange(3)

    return Planted()


# augmentation


def augment(function: Callable[[Any], Any]) -> Part:
    class Planted(Augment, kind="planted"):
        def change(self, images: Any) -> Any:
            return function(images)

    return Planted()


@breaks(augmenting.images_stay_images)
def gives_floats_for_bytes() -> Part:
    return augment(lambda images: images * 0.5)


@breaks(augmenting.images_stay_images)
def writes_into_what_it_is_given() -> Part:
    return augment(lambda images: images.clamp_(min=9))


@breaks(augmenting.images_stay_images)
def goes_beyond_white() -> Part:
    return augment(lambda images: images + images.new_ones(()) * 9 if images.is_floating_point() else images)


@breaks(augmenting.the_seed_decides_every_draw)
def draws_from_a_generator_of_its_own() -> Part:
    draw = np.random.default_rng(0)
    return augment(lambda images: images.roll(int(draw.integers(1, 9)), dims=2))


@breaks(augmenting.the_seed_decides_every_draw)
def draws_nothing() -> Part:
    return augment(lambda images: images.flip(2))


@breaks(augmenting.an_image_is_changed_by_itself)
def takes_the_contrast_of_the_whole_batch() -> Part:
    return augment(lambda images: images - images.min() + images[2].float().mean().to(images.dtype))


@breaks(augmenting.an_image_is_changed_by_itself)
def mixes_images_with_themselves() -> Part:
    import torch

    class Planted(Mixing, kind="planted"):
        def mix(self, images: Any) -> Any:
            return images.clone(), torch.arange(len(images)), 0.5

    return Planted()


@breaks(augmenting.what_is_asked_of_training_rows_changes_each_of_them)
def is_asked_about_half_of_the_images() -> Part:
    import torch

    return augment(lambda images: torch.where(torch.rand(len(images), 1, 1, 1) < 0.5, 255 - images, images))


# layers


def layer(make: Callable[[int], Any], *, refuses: bool = False) -> Part:
    class Planted(Layer, kind="planted"):
        def build(self, shape: tuple[int, ...], *, where: str, activation: str) -> Any:
            if refuses:
                raise RecipeError("model.layer_takes_row", where="?", kind="planted", found="-")
            return make(shape[0])

    return Planted()


@breaks(layers.a_layer_takes_an_image_or_a_row)
def refuses_without_its_number() -> Part:
    return layer(lambda width: None, refuses=True)


@breaks(layers.a_layer_takes_an_image_or_a_row)
def has_weights_that_are_never_used() -> Part:
    from torch import nn

    class Unused(nn.Identity):
        def __init__(self, width: int) -> None:
            super().__init__()
            self.unused = nn.Linear(width, width)

    return layer(Unused)


@breaks(layers.a_layer_answers_each_row_by_itself)
def normalises_over_the_rows_in_evaluation_too() -> Part:
    from torch import nn

    return layer(lambda width: nn.LazyBatchNorm2d(affine=False, track_running_stats=False))


# training


def loss(function: Callable[[Any, Any], Any]) -> Part:
    from torch import nn

    class Module(nn.Module):
        def forward(self, output: Any, target: Any) -> Any:
            return function(output, target)

    class Planted(Loss, kind="planted"):
        problems: ClassVar = ("regression",)

        def build(self) -> Any:
            return Module()

    return Planted()


@breaks(training.a_loss_is_a_finite_scalar_with_a_gradient)
def is_infinite() -> Part:
    return loss(lambda output, target: (output * 1e30).square().square().mean())


@breaks(training.a_loss_is_a_finite_scalar_with_a_gradient)
def is_no_scalar() -> Part:
    return loss(lambda output, target: (output - target).square())


@breaks(training.a_loss_is_lower_at_the_truth)
def rewards_errors() -> Part:
    return loss(lambda output, target: -(output - target).square().mean())


@breaks(training.a_loss_is_a_mean_and_no_sum)
def sums() -> Part:
    return loss(lambda output, target: (output - target).square().sum())


def optimizer(make: Callable[[Any], Any]) -> Part:
    class Planted(Optimizer, kind="planted"):
        def build(self, parameters: Any) -> Any:
            return make(parameters)

    return Planted()


@breaks(training.an_optimizer_lowers_a_quadratic)
def climbs() -> Part:
    import torch

    return optimizer(lambda parameters: torch.optim.SGD(parameters, lr=0.01, maximize=True))


@breaks(training.an_optimizers_state_can_be_kept)
def forgets_its_momentum() -> Part:
    import torch

    class Forgetful(torch.optim.SGD):
        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            """Takes nothing over."""

    return optimizer(lambda parameters: Forgetful(parameters, lr=0.001, momentum=0.9))


@breaks(training.a_schedule_starts_in_0_1_and_stays_finite)
def divides_by_zero() -> Part:
    class Planted(Schedule, kind="planted"):
        def factor(self, step: int, num_steps: int) -> float:
            return float("inf") if step == num_steps - 1 and num_steps > 1 else 1.0

    return Planted()


@breaks(training.a_schedule_starts_in_0_1_and_stays_finite)
def starts_at_nothing() -> Part:
    class Planted(Schedule, kind="planted"):
        def factor(self, step: int, num_steps: int) -> float:
            return step / num_steps

    return Planted()


# judging


def metric(function: Callable[[Any, Any, Any], float], greater: bool = False) -> Part:
    class Planted(Metric, kind="planted"):
        problems: ClassVar = ("regression",)
        greater_is_better: ClassVar = greater

        def value(self, target: np.ndarray, answer: np.ndarray, weight: np.ndarray | None = None) -> float:
            return function(target, answer, np.ones(len(target)) if weight is None else weight)

    return Planted()


@breaks(judging.a_perfect_answer_is_best)
def calls_an_error_good() -> Part:
    return metric(lambda t, a, w: float(np.average((t - a) ** 2, weights=w)), greater=True)


@breaks(judging.weights_count_rows)
def ignores_weights() -> Part:
    return metric(lambda t, a, w: float(((t - a) ** 2).mean()))


@breaks(judging.a_perfect_answer_is_best)
def refuses_every_number_of_classes() -> Part:
    def value(target: np.ndarray, answer: np.ndarray, weight: np.ndarray) -> float:
        raise RecipeError("evaluate.no_such_class", metric="planted", found=9, highest=1)

    return metric(value)


@breaks(judging.several_weightings_at_once_are_each_alone)
def weighs_by_the_first_weighting() -> Part:
    class Planted(MeanMetric, kind="planted"):
        problems: ClassVar = ("regression",)

        def weigher(self, target: np.ndarray, answer: np.ndarray) -> Weigher:
            errors = np.abs(target - answer)
            return lambda weights: np.full(len(weights), np.average(errors, weights=weights[0]))

    return Planted()


@breaks(judging.what_it_learns_is_of_the_training_part)
def measures_by_any_part() -> Part:
    class Planted(Metric, kind="planted"):
        problems: ClassVar = ("regression",)
        learns: ClassVar = True
        measure: float = option(1.0, "what errors are measured by")

        @property
        def name(self) -> str:
            return self.kind

        def fit(self, train: Dataset) -> Metric:
            return self.replace(measure=float(train.target.std()))

    return Planted()


@breaks(judging.what_it_learns_is_of_the_training_part)
def learns_and_does_not_say_so() -> Part:
    class Planted(Mase, kind="planted"):
        learns: ClassVar = False

    return Planted()


@breaks(judging.what_it_learns_is_of_the_training_part)
def says_in_its_name_what_it_learned() -> Part:
    class Planted(Mase, kind="planted"):
        @property
        def name(self) -> str:
            return f"mase({self.naive_error})"

    return Planted()


@breaks(judging.the_order_of_rows_does_not_matter)
def looks_at_the_first_rows() -> Part:
    return metric(lambda t, a, w: float(np.abs(t - a)[:3].sum()))


@breaks(judging.one_class_or_one_value_gives_a_number_or_nan)
def refuses_a_constant_target() -> Part:
    def value(target: np.ndarray, answer: np.ndarray, weight: np.ndarray) -> float:
        assert target.std() > 0.0
        return float(np.average((target - answer) ** 2, weights=weight))

    return metric(value)


# rows


def splitter(function: Callable[[Dataset], np.ndarray]) -> Part:
    class Planted(Splitter, kind="planted"):
        def assign(self, data: Dataset) -> np.ndarray:
            return function(data).astype(np.int8)

    return Planted()


@breaks(rows.a_splitter_gives_all_three_parts_and_no_other)
def has_no_test_part() -> Part:
    return splitter(lambda data: data.hashes % np.uint64(2))


@breaks(rows.equal_rows_get_equal_parts)
def parts_twins() -> Part:
    return splitter(lambda data: data.origin % 3)


@breaks(rows.a_split_depends_on_rows_and_not_on_their_order)
def counts_rows() -> Part:
    return splitter(lambda data: np.arange(len(data)) % 3)


def step(family: type[Step], learn: Callable[[Dataset], tuple[Any, ...]]) -> Part:
    class Planted(family, kind="planted"):  # type: ignore[misc, valid-type]
        def learn(self, train: Dataset) -> Fitted:
            return Fitted(learn(train))

    return Planted()


@breaks(rows.only_the_training_part_is_learned_from)
def learns_from_anything() -> Part:
    class Planted(Imputer, kind="planted"):
        def fit(self, train: Dataset) -> Fitted:  # type: ignore[misc]
            return Fitted()

    return Planted()


@breaks(rows.what_was_learned_is_the_same_in_numpy_and_onnx)
def differs_in_onnx() -> Part:
    class Off(Standardise, kind="planted_standardise"):
        def apply(self, columns: Columns) -> Columns:
            return {name: column + 1e-6 if name == "age" else column for name, column in super().apply(columns).items()}

    del Standardise.kinds["planted_standardise"]
    return step(Scaler, lambda train: (Off(columns=["age"], means=[40.0], sds=[12.0]),))


@breaks(rows.no_number_is_missing_after_it)
def fills_one_column_only() -> Part:
    return step(Imputer, lambda train: (Fill(columns=["hours"], values=[1.0]),))


@breaks(rows.levels_become_numbers_and_a_new_one_has_its_place)
def gives_a_new_level_the_first_number() -> Part:
    class Off(Level, kind="planted_level"):
        def apply(self, columns: Columns) -> Columns:
            return {**columns, "job": np.zeros(len(columns["job"]))}

    del Level.kinds["planted_level"]
    return step(Encoder, lambda train: (Off(column="job", levels=["cook"]),))


@breaks(rows.numbers_in_the_middle_stay)
def bounds_too_tightly() -> Part:
    return step(Outliers, lambda train: (Bound(columns=["hours"], lows=[25.0], highs=[26.0]),))


class NotANumber(MissingFlag, kind="planted_flag"):
    def apply(self, columns: Columns) -> Columns:
        return {**columns, "made": np.full(len(columns["age"]), np.nan)}


del MissingFlag.kinds["planted_flag"]


@breaks(rows.times_give_finite_numbers)
def makes_no_number_of_a_time() -> Part:
    return step(Dates, lambda train: (NotANumber(columns=["age"], outputs=["made"]),))


@breaks(rows.huge_numbers_give_finite_ones)
def makes_no_number_of_a_number() -> Part:
    return step(Extractor, lambda train: (NotANumber(columns=["age"], outputs=["made"]),))


@breaks(rows.a_scaler_gives_finite_numbers_also_for_a_constant_column)
def divides_by_the_spread() -> Part:
    def learn(train: Dataset) -> tuple[Any, ...]:
        spread = max(float(train.columns["hours"].std()), 1e-320)
        return (Standardise(columns=["hours"], means=[0.0], sds=[spread]),)

    return step(Scaler, learn)


# baselines


def baseline(answer: Callable[[np.ndarray, int], Any]) -> Part:
    class Planted(Baseline, kind="planted"):
        def learn(
            self, x: np.ndarray, target: np.ndarray, problem: Any, num_classes: int, seed: int, weight: Any = None
        ) -> Any:
            return answer(x, num_classes)

    return Planted()


@breaks(baselines.a_baseline_is_the_same_in_numpy_and_onnx)
def answers_no_probabilities() -> Part:
    return baseline(lambda x, k: Constant(answer="probability" if k else "value", values=[0.9] * max(k, 1)))


@breaks(baselines.a_baseline_is_the_same_each_time)
def draws_without_the_seed() -> Part:
    def answer(x: np.ndarray, num_classes: int) -> Any:
        weights = np.random.default_rng().normal(size=(x.shape[1], max(num_classes, 1)))
        kind: Any = "probability" if num_classes else "value"
        return Linear(answer=kind, weights=weights.tolist(), bias=[0.0] * max(num_classes, 1))

    return baseline(answer)


@breaks(baselines.a_baseline_counts_rows_by_their_weight)
def forgets_the_weights() -> Part:
    return baseline(lambda x, k: Constant(answer="probability" if k else "value", values=[1 / max(k, 1)] * max(k, 1)))


# intervals and sets


def intervals_of(bound: Callable[[np.ndarray, float], float]) -> Part:
    class Planted(Intervals, kind="planted"):
        """Planted."""

        def calibrate(self, target: np.ndarray, value: np.ndarray, scale: np.ndarray | None = None) -> Conformal:
            return Conformal(
                kind="absolute", level=self.level, rows=len(target), bound=bound(target - value, self.level)
            )

    return Planted()


@breaks(conforming.intervals_hold_new_values_as_often_as_they_say)
def no_correction_for_few_rows() -> Part:
    return intervals_of(lambda errors, level: float(np.quantile(np.abs(errors), level)))


@breaks(conforming.the_order_of_calibration_rows_does_not_matter)
def the_first_error_counts() -> Part:
    return intervals_of(lambda errors, level: float(abs(errors[0])))


@breaks(conforming.what_conforms_is_plain_data)
def a_level_of_its_own() -> Part:
    class Planted(Intervals, kind="planted"):
        """Planted."""

        def calibrate(self, target: np.ndarray, value: np.ndarray, scale: np.ndarray | None = None) -> Conformal:
            return Conformal(kind="absolute", level=0.5, rows=len(target), bound=1.0)

    return Planted()


@breaks(conforming.sets_hold_new_classes_as_often_as_they_say)
def sets_without_correction() -> Part:
    class Planted(Sets, kind="planted"):
        """Planted."""

        def calibrate(self, target: np.ndarray, probability: np.ndarray) -> Conformal:
            scores = class_scores(probability, "lac")[np.arange(len(target)), target]
            bound = float(np.quantile(scores, self.level))
            return Conformal(kind="lac", level=self.level, rows=len(target), bound=bound)

    return Planted()


# decisions


def decision(choose: Callable[[np.ndarray, np.ndarray], Any]) -> Part:
    class Planted(Decision, kind="planted"):
        def choose(self, target: np.ndarray, probability: np.ndarray, weight: np.ndarray | None = None) -> Any:
            return choose(target, probability)

    return Planted()


@breaks(judging.a_decision_gives_a_probability_or_none)
def decides_in_double() -> Part:
    return decision(lambda target, probability: 0.1)


@breaks(judging.a_decision_does_not_depend_on_the_order_of_rows)
def decides_by_the_first_row() -> Part:
    return decision(lambda target, probability: float(probability[0, 1]))


@pytest.mark.parametrize(("check", "maker"), FAULTS, ids=[maker.__name__ for _, maker in FAULTS])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # some faults are of this very kind
def test_a_planted_fault_is_caught(check: Check, maker: Callable[[], Part]):
    part = maker()
    with pytest.raises((AssertionError, pytest.fail.Exception, ValueError)):
        check(part)


def test_every_check_has_a_planted_fault():
    checks = set(EVERY_PART).union(*CHECKS.values())
    assert checks - {check for check, _ in FAULTS} == set()


def test_a_sound_part_of_a_users_own_keeps_every_promise():
    from torch import nn

    class Mine(Network, kind="mine"):
        """One hidden layer of my own."""

        form = "flat"

        width: int = option(16, "hidden units", low=1, high=4096, search=(8, 64, "log"))
        rate: float = option(0.0, "share of hidden units left out in training", low=0.0, below=1.0)

        def build(self, inputs: tuple[Any, ...], num_outputs: int) -> Any:
            hidden = nn.Linear(inputs[0].width, self.width)
            return nn.Sequential(hidden, nn.ReLU(), nn.Dropout(self.rate), nn.Linear(self.width, num_outputs))

    for check in checks_of(Mine):
        check(Mine())
        check(Mine(width=3, rate=0.5))
