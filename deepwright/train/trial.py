"""A training's own steps on a few of its rows, for the probe to time and compare; afterwards nothing has moved."""

import time

from deepwright.train.batches import Batch
from deepwright.train.probe import GATE_STEPS, has_bf16, has_convolutions
from deepwright.train.speed import SpeedPlan, in_force
from deepwright.train.step import Steps


class TrialSteps:
    """The probe's view of a training that stands at its start; a module's own Python attributes are not put back.

    may_round: bfloat16 is the device's own, and the target is a class. Values keep float32: a bfloat16 output has
    three digits, and the loss of the first steps would not show that the last ones need more.
    """

    def __init__(self, steps: Steps, batch: Batch, num_steps: int) -> None:
        import torch

        from deepwright.train.dropout import has_dropout

        self._steps, self._batch = steps, batch
        self._state = steps.state
        self._optimizers = [optimizer for _, optimizer, _ in steps.phases]
        self.num_steps = num_steps
        self.num_threads = torch.get_num_threads() if steps.device.type == "cpu" else 1
        self.rows = self.max_rows = len(batch.target)
        self.has_convolutions = has_convolutions(steps.module)
        self.has_dropout = steps.device.type == "cpu" and has_dropout(steps.module)
        is_float32 = all(p.dtype is torch.float32 for p in steps.module.parameters())
        is_class = not batch.target.is_floating_point() and len(steps.phases) == 1
        self.may_round = is_float32 and is_class and has_bf16(steps.device)
        self._loose = {name: b.clone() for name, b in steps.module.named_buffers()}
        self._state.keep_good()
        self._spent = dict(self._state.position.spent)
        self._clock = time.thread_time if steps.device.type == "cpu" and self.num_threads == 1 else time.perf_counter

    def timed(self, plan: SpeedPlan) -> tuple[float, float]:
        self._steps.module.train()
        with in_force(plan, self._steps.module, self._optimizers):
            self._steps.plan = plan
            started = self._clock()
            loss = sum(self._steps.backward(number, self._piece(0)) for number in range(len(self._steps.phases)))
            return loss, self._clock() - started

    def learned(self, plan: SpeedPlan | None, steps: int) -> float:
        import torch

        self.put_back()
        module = self._steps.module
        module.train()
        with in_force(plan or SpeedPlan(), module, self._optimizers):
            self._steps.plan = plan or SpeedPlan()
            for number in range(steps):
                self._steps.backward(0, self._piece(number))
                self._optimizers[0].step()
        self._steps.plan = SpeedPlan()
        module.eval()
        with torch.no_grad():
            losses = [self._steps.judge(piece.inputs, piece.target)[1].item() for piece in self._pieces(GATE_STEPS)]
        return sum(losses) / len(losses)

    def put_back(self) -> None:
        """Weights, buffers, optimizers and gradients as they were before the trial."""
        self._state.go_back()
        self._state.position.spent.update(self._spent)
        self._steps.plan = SpeedPlan()
        for name, buffer in self._steps.module.named_buffers():
            buffer.copy_(self._loose[name])
        for parameter in self._steps.module.parameters():
            parameter.grad = None

    def _pieces(self, count: int) -> list[Batch]:
        return [self._piece(number) for number in range(count)]

    def _piece(self, number: int) -> Batch:
        """Piece number `number` of the batch, from its start again behind its end."""
        low = number % max(1, self.max_rows // self.rows) * self.rows
        high = low + self.rows
        return Batch(tuple(tensor[low:high] for tensor in self._batch.inputs), self._batch.target[low:high])
