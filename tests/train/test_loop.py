import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

from deepwright.core.errors import DataError, PracticeError, RecipeError
from deepwright.train.events import Epoch, Started, Step, Stopped
from deepwright.train.loop import fit
from deepwright.train.objective import Objective, Phase
from deepwright.train.optim import SGD, Adam, AdamW
from deepwright.train.schedule import Cosine


class Net(nn.Module):
    """The textbook's network of one hidden layer."""

    def __init__(self, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)


def weights(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def without_time(history):
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history.epochs]


def test_the_textbook_case_reads_well_and_learns():
    torch.manual_seed(0)
    x = torch.randn(512, 10)
    y = (x[:, 0] * x[:, 1] > 0).long()

    net = Net(10, 20, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
    training = fit(net, (x, y), loss=nn.CrossEntropyLoss(), optimizer=optimizer, epochs=60, batch_size=32)
    losses = [event.running_loss for event in training if isinstance(event, Epoch)]

    assert losses[-1] < 0.15 < 0.6 < losses[0]


@pytest.mark.parametrize("optimizer", [AdamW(), Adam(), SGD(lr=0.05, nesterov=True)])
def test_digits_are_learned_above_95_percent_with_the_defaults(digits, make_mlp, accuracy, optimizer):
    history = fit(
        make_mlp(widths=(256, 256)), *digits, optimizer=optimizer, schedule=Cosine(),
        metrics=accuracy, watch="accuracy", greater_is_better=True,
    ).finish()  # fmt: skip
    assert history.best()["accuracy"] > 0.95


def test_values_are_learned_with_targets_of_one_axis(digits):
    # Without care an output [B, 1] beside a target [B] spreads to [B, B] and only the mean is learned.
    (x, _), _ = digits
    target = (x[:, :8] @ np.arange(8, dtype=np.float32)) / 10
    torch.manual_seed(0)
    net = nn.Linear(64, 1)
    seen = []
    metrics = {"shape": lambda t, a: float(seen.append((t.shape, a.shape)) or 0)}
    history = fit(
        net, (x, target), loss=nn.MSELoss(), optimizer="adam", epochs=200, metrics=metrics,
        answer=lambda output: output[:, 0], sample=100,
    ).finish()  # fmt: skip
    assert history.epochs[-1]["train"]["loss"] < 0.05 * target.var()
    assert seen[0] == ((100,), (100,))


def test_same_seed_same_bits_another_seed_other_bits(digits, make_mlp):
    def digest(seed):
        return (
            fit(make_mlp(dropout=0.5), digits[0], loss="cross_entropy", optimizer="adamw", epochs=2, seed=seed)
            .finish()
            .digest
        )

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_a_consumer_that_draws_random_numbers_changes_nothing(digits, make_mlp):
    def digest(disturb):
        training = fit(make_mlp(dropout=0.5), digits[0], digits[1], loss="cross_entropy", optimizer="adamw", epochs=2)
        for _ in training:
            if disturb:
                torch.rand(7)
        return training.finish().digest

    assert digest(True) == digest(False)


def test_the_loop_does_what_a_loop_by_hand_does(digits, make_mlp):
    from deepwright.train.batches import bounds
    from deepwright.train.randomness import permutation, seed_for

    x, y = (torch.from_numpy(a) for a in digits[0])
    by_hand = make_mlp(dropout=0.3)
    matrices = [p for p in by_hand.parameters() if p.ndim > 1]
    vectors = [p for p in by_hand.parameters() if p.ndim == 1]
    optimizer = AdamW().build([{"params": matrices}, {"params": vectors, "weight_decay": 0.0}])
    step = 0
    for epoch in range(2):
        order = torch.from_numpy(permutation(3, "order", epoch, len(y)))
        for low, high in bounds(len(y), 100):
            torch.manual_seed(seed_for(3, "step", step))
            rows = order[low:high]
            optimizer.zero_grad()
            nn.functional.cross_entropy(by_hand(x[rows]), y[rows]).backward()
            for group in optimizer.param_groups:
                group["lr"] = 1e-3 * Cosine().factor(step, 24)
            optimizer.step()
            step += 1

    ours = make_mlp(dropout=0.3)
    history = fit(
        ours, digits[0], loss="cross_entropy", optimizer="adamw", schedule="cosine", epochs=2, batch_size=100, seed=3
    ).finish()
    assert history.steps == step == 24
    assert torch.equal(weights(ours), weights(by_hand))


def test_events_come_in_order_and_count_from_one(digits, make_mlp):
    events = list(fit(make_mlp(), digits[0], loss="cross_entropy", optimizer="adamw", epochs=2, batch_size=600))
    assert [type(e) for e in events] == [Started, Step, Step, Epoch, Step, Step, Epoch, Stopped]
    assert [(e.step, e.epoch, e.batch, e.num_batches) for e in events if isinstance(e, Step)] == [
        (1, 1, 1, 2), (2, 1, 2, 2), (3, 2, 1, 2), (4, 2, 2, 2)
    ]  # fmt: skip
    assert events[0].num_steps == 4 and events[-1].reason == "epochs"


def test_the_running_loss_is_the_mean_over_rows(digits, make_mlp):
    x, y = digits[0]
    events = list(
        fit(make_mlp(), (x[:500], y[:500]), loss="cross_entropy", optimizer="adamw", epochs=1, batch_size=300)
    )
    steps = [e.loss for e in events if isinstance(e, Step)]
    epoch = next(e for e in events if isinstance(e, Epoch))
    assert epoch.running_loss == pytest.approx((steps[0] * 300 + steps[1] * 200) / 500, rel=1e-12)


def test_metrics_are_of_a_fixed_sample_and_of_all_validation_rows_in_evaluation_mode(digits, make_mlp):
    sizes = []
    metrics = {"size": lambda target, answer: float(sizes.append(len(target)) or len(answer))}
    net = make_mlp(dropout=0.9)
    training = fit(net, *digits, loss="cross_entropy", optimizer="adamw", epochs=1, metrics=metrics, sample=100)
    epoch = next(e for e in training if isinstance(e, Epoch))
    assert sizes == [100, 597]
    net.eval()
    x, y = (torch.from_numpy(a) for a in digits[1])
    with torch.no_grad():
        expected = nn.functional.cross_entropy(net(x), y).item()
    assert epoch.validation["loss"] == pytest.approx(expected, rel=1e-5)


def test_early_stopping_restores_the_best_epoch(digits, make_mlp):
    x, y = digits[0]
    net = make_mlp(widths=(256,))
    training = fit(
        net, (x[:50], y[:50]), digits[1], loss="cross_entropy", optimizer=AdamW(lr=0.02), epochs=60, patience=4
    )
    best, value = None, float("inf")
    for event in training:
        if isinstance(event, Epoch) and event.validation["loss"] < value:
            value = event.validation["loss"]
            best = weights(net).clone()
            assert event.is_best
    history = training.finish()
    assert history.stopped == "patience"
    assert len(history.epochs) == history.best_epoch + 4 < 60
    assert torch.equal(weights(net), best)
    assert history.best()["loss"] == value


def test_patience_counts_anew_from_every_better_epoch(digits, make_mlp):
    values = iter([1.0, 0.5, 2.0, 0.5, 3.0, 0.5, 0.5, 9.0])
    history = fit(
        make_mlp(), *digits, optimizer="adamw", epochs=20, patience=2, watch="planned", greater_is_better=True,
        metrics={"planned": lambda target, answer: next(values) if len(target) == 597 else 0.0},
    ).finish()  # fmt: skip
    assert (history.best_epoch, len(history.epochs), history.stopped) == (5, 7, "patience")


def test_without_validation_the_last_weights_stay_and_nothing_stops_early(digits, make_mlp):
    history = fit(make_mlp(), digits[0], loss="cross_entropy", optimizer="adamw", epochs=12, patience=1).finish()
    assert (history.stopped, history.best_epoch, len(history.epochs)) == ("epochs", None, 12)


def test_an_undefined_metric_is_never_the_best(digits, make_mlp):
    history = fit(
        make_mlp(), *digits, loss="cross_entropy", optimizer="adamw", epochs=5, patience=2,
        metrics={"nan": lambda target, answer: float("nan")}, watch="nan",
    ).finish()  # fmt: skip
    assert history.best_epoch is None and history.stopped == "patience"
    assert history.epochs[0]["validation"]["nan"] is None


def test_the_budget_ends_the_epoch_and_the_training(digits, make_mlp):
    def slow(output, target):
        time.sleep(0.005)
        return nn.functional.cross_entropy(output, target)

    history = fit(make_mlp(), digits[0], loss=slow, optimizer="adamw", epochs=50, batch_size=100, budget_s=0.2).finish()
    assert history.stopped == "budget" and len(history.epochs) < 50


def test_a_last_row_alone_joins_the_batch_before_it_so_batch_norm_works(digits, make_mlp):
    x, y = digits[0]
    net = make_mlp(normalisation="batch")
    events = list(fit(net, (x[:129], y[:129]), loss="cross_entropy", optimizer="adamw", epochs=1, batch_size=64))
    assert len([e for e in events if isinstance(e, Step)]) == 2


def test_finish_goes_on_after_a_loop_was_left(digits, make_mlp):
    whole = fit(make_mlp(), digits[0], loss="cross_entropy", optimizer="adamw", epochs=2).finish()
    training = fit(make_mlp(), digits[0], loss="cross_entropy", optimizer="adamw", epochs=2)
    for event in training:
        if isinstance(event, Epoch):
            break
    assert training.finish().digest == whole.digest


def test_a_training_that_was_broken_off_has_no_result(digits, make_mlp):
    def failing(output, target):
        raise ZeroDivisionError

    training = fit(make_mlp(), digits[0], loss=failing, optimizer="adamw")
    with pytest.raises(ZeroDivisionError):
        training.finish()
    with pytest.raises(PracticeError, match="broken off before its end"):
        training.finish()


def test_it_trains_outside_the_main_thread(digits, make_mlp, tmp_path):
    from deepwright.train.checkpoint import Checkpoints

    done = []
    training = fit(
        make_mlp(), digits[0], loss="cross_entropy", optimizer="adamw", epochs=1, checkpoints=Checkpoints(tmp_path)
    )
    worker = threading.Thread(target=lambda: done.append(training.finish()))
    worker.start()
    worker.join()
    assert done[0].stopped == "epochs"


def test_the_thread_count_is_put_back(digits, make_mlp):
    fit(make_mlp(), digits[0], loss="cross_entropy", optimizer="adamw", epochs=1, threads=2).finish()
    assert torch.get_num_threads() == 1


def test_a_loader_of_ones_own_is_accepted_and_can_be_repeated(digits, make_mlp):
    x, y = (torch.from_numpy(a) for a in digits[0])
    data = torch.utils.data.TensorDataset(x, y)

    def run(start_seed):
        net = make_mlp()
        torch.manual_seed(start_seed)
        loader = torch.utils.data.DataLoader(data, batch_size=100, shuffle=True)
        return fit(net, loader, [digits[1]], loss="cross_entropy", optimizer="adamw", epochs=2).finish()

    first, second = run(0), run(1)
    assert first.digest == second.digest
    assert first.epochs[-1]["validation"]["loss"] < first.epochs[0]["validation"]["loss"]


def test_an_objective_of_two_phases_moves_each_its_own_weights(digits):
    # A GAN in one dimension: the generator learns to shift noise to the data's mean of 3.
    torch.manual_seed(0)
    generator, critic = nn.Linear(1, 1), nn.Sequential(nn.Linear(1, 16), nn.ReLU(), nn.Linear(16, 1))
    both = nn.ModuleDict({"generator": generator, "critic": critic})
    bce = nn.functional.binary_cross_entropy_with_logits

    def critic_loss(inputs, target):
        real, fake = critic(inputs[0]), critic(generator(torch.randn_like(inputs[0])).detach())
        return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))

    def generator_loss(inputs, target):
        assert all(p.grad is not None for p in critic.parameters()), "the critic's own gradients are left alone"
        fake = critic(generator(torch.randn_like(inputs[0])))
        return bce(fake, torch.ones_like(fake))

    objective = Objective(
        (
            Phase("critic", critic, critic_loss, Adam(lr=0.01)),
            Phase("generator", generator, generator_loss, Adam(lr=0.01)),
        ),
        judge=lambda inputs, target: (generator(inputs[0]), generator_loss(inputs, target)),
    )
    x = torch.randn(1024, 1) * 0.5 + 3
    fit(both, (x, x), optimizer=Adam(), objective=objective, epochs=60, batch_size=128).finish()
    assert abs(generator.bias.item() - 3) < 0.7


def test_phases_that_share_an_optimizer_are_refused(digits, make_mlp):
    net = make_mlp()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    phases = (Phase("a", net, lambda i, t: net(*i).sum()), Phase("b", net, lambda i, t: net(*i).sum()))
    with pytest.raises(RecipeError, match="2 phases share one torch optimizer"):
        fit(net, digits[0], optimizer=optimizer, objective=Objective(phases, lambda i, t: (net(*i), net(*i).sum())))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs: found 0; it takes a whole number from 1 up"),
        ({"batch_size": 0}, "batch_size: found 0"),
        ({"watch": "auc"}, "found 'auc'; it takes one of: loss, accuracy"),
        ({"metrics": {"loss": len}, "watch": "loss"}, "a metric is called 'loss'"),
        ({"optimizer": "adamm"}, "Did you mean 'adam'"),
        ({"optimizer": lambda parameters: 3}, "optimizer: found int"),
        ({"loss": "cross_entropyy"}, "Did you mean 'cross_entropy'"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
    ],
)
def test_wrong_options_are_refused_at_once(digits, make_mlp, accuracy, options, message):
    given = {"optimizer": "adamw", "metrics": accuracy, **options}
    with pytest.raises(RecipeError, match=message):
        fit(make_mlp(), *digits, **given)


def test_rows_of_unequal_number_are_refused(digits, make_mlp):
    x, y = digits[0]
    with pytest.raises(DataError, match=r"input 'x' has 10 rows and the target 11"):
        fit(make_mlp(), (x[:10], y[:11]), optimizer="adamw")


def test_a_module_without_weights_is_refused(digits):
    with pytest.raises(RecipeError, match="ReLU: it has 0 parameters that may move"):
        fit(nn.ReLU(), digits[0], optimizer="adamw")
    with pytest.raises(RecipeError, match="Linear: it has 0 parameters that may move"):
        fit(nn.Linear(64, 10).requires_grad_(False), digits[0], optimizer="adamw")
