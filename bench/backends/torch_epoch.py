"""`torch-eager` and `torch-compile` as backends: PyTorch's own training loop, and one whose whole steps are compiled.

Everything that is timed is a loop over the batches of gather, forward, backward and update.
"""

import os
import shutil
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from math import sqrt
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from bench.core.errors import UnsupportedError
from bench.inputs.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from scratchnet.activations import LEAKY_SLOPE
from scratchnet.dropout import Mask

Function = Callable[..., Any]
Memory = Sequence[Tensor]


def _identity(z: Tensor) -> Tensor:
    return z


ACTIVATIONS: dict[str, Function] = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": partial(F.leaky_relu, negative_slope=LEAKY_SLOPE),
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": partial(F.softplus, threshold=40.0),  # its default calls the rest 0 from z = 20 on: off by 2e-9
    "linear": _identity,
    "softmax": partial(F.softmax, dim=1),
}

# Targets are class numbers: PyTorch's documentation says that these are faster than probabilities; here 1.01 to 1.10.
CLASS_LOSSES = ("categorical_crossentropy", "sparse_categorical_crossentropy")
BINARY_LOSSES = ("summed_binary_crossentropy", "binary_crossentropy")
SUMMED_LOSSES = ("summed_binary_crossentropy", "sum_of_squared_errors")
LOSSES: dict[str, Function] = {
    "categorical_crossentropy": F.cross_entropy,
    "sparse_categorical_crossentropy": F.cross_entropy,
    "summed_binary_crossentropy": F.binary_cross_entropy_with_logits,
    "binary_crossentropy": F.binary_cross_entropy_with_logits,
    "sum_of_squared_errors": F.mse_loss,
    "mean_squared_error": F.mse_loss,
    "mean_absolute_error": F.l1_loss,
    "huber": F.huber_loss,
}


def _fused_adam(kind: Function, parameters: Sequence[Tensor], given: Any, **options: float) -> Any:
    """PyTorch's Adam with Keras's ε: PyTorch adds ε to √v / √(1 − β₂ᵗ), so ε is divided by that root at each step."""
    betas = (given.beta_1, given.beta_2)
    optimizer = kind(parameters, lr=given.learning_rate, betas=betas, fused=True, **options)
    step = count(1)

    def rescale(optimizer: Any, *_: Any) -> None:
        optimizer.param_groups[0]["eps"] = given.epsilon / sqrt(1.0 - given.beta_2 ** next(step))

    optimizer.register_step_pre_hook(rescale)
    return optimizer


OPTIMIZERS: dict[str, Function] = {
    "sgd": lambda parameters, given: torch.optim.SGD(
        parameters, lr=given.learning_rate, momentum=given.momentum, nesterov=given.nesterov, foreach=False
    ),
    "adam": partial(_fused_adam, torch.optim.Adam),
    "adamw": lambda parameters, given: _fused_adam(
        torch.optim.AdamW, parameters, given, weight_decay=given.weight_decay
    ),
    # Keras's ε is inside the root, beside the sum of squares: it is put there at the start.
    "adagrad": lambda parameters, given: torch.optim.Adagrad(
        parameters,
        lr=given.learning_rate,
        initial_accumulator_value=given.initial_accumulator_value + given.epsilon,
        eps=0.0,
        fused=True,
    ),
}


def _outputs(activations: Sequence[Function], parameters: Sequence[Tensor], x: Tensor) -> Tensor:
    for activation, W, b in zip(activations, parameters[::2], parameters[1::2], strict=True):
        x = activation(F.linear(x, W, b))
    return x


def _loss(spec: TrainingSpec) -> Function:
    """A function of outputs, targets and weights of the examples or None: the mean loss of a batch."""
    smoothing = {"label_smoothing": spec.label_smoothing} if spec.loss in CLASS_LOSSES else {}
    options = {"delta": spec.huber_delta} if spec.loss == "huber" else smoothing
    loss = partial(LOSSES[spec.loss], **options)
    summed = spec.architecture.widths[-1] if spec.loss in SUMMED_LOSSES else None

    def mean(outputs: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        if weights is None:
            value = loss(outputs, y)
        else:
            value = (loss(outputs, y, reduction="none").reshape(len(y), -1).mean(1) * weights).mean()
        return value * summed if summed else value

    return mean


def _cost(spec: TrainingSpec) -> Function:
    """A function of parameters, x, y and weights: what a step reports and descends, mean loss plus penalties."""
    *hidden, last = [ACTIVATIONS[layer.activation] for layer in spec.architecture.layers]
    # Cross entropies take the weighted inputs, so that there is no logarithm of a rounded probability.
    activations = [*hidden, _identity if spec.loss in (*CLASS_LOSSES, *BINARY_LOSSES) else last]
    loss = _loss(spec)
    factors = ((spec.regularization.l1, torch.abs), (spec.regularization.l2, torch.square))
    penalties = [(factor, size) for factor, size in factors if factor]

    def cost(parameters: Sequence[Tensor], x: Tensor, y: Tensor, weights: Tensor | None) -> Tensor:
        value: Tensor = loss(_outputs(activations, parameters, x), y, weights)
        for factor, size in penalties:
            value = value + factor * sum(size(W).sum() for W in parameters[::2])
        return value

    return cost


class TorchEager:
    """See `backends.protocol.Backend`. Functional forward pass, autograd, one optimizer of `torch.optim`.

    There is no DataLoader: it hands out examples one by one and stacks them again, and that would be measured, not the
    network. The cost of a step is kept as a tensor; nothing reads it before the epoch has ended.

    Tried on two cores, in parts of the epoch, over four networks: `nn.Sequential` in place of functions 1.00 to 1.07;
    all rows gathered before the loop 0.94 to 1.10, the more the larger M, and into one buffer 0.98 to 1.01; SGD with
    `fused=True` or `foreach=True` in place of a loop, PyTorch's default on a CPU, 1.07 to 1.08 where layers are narrow
    and 0.96 at 784-512-512-10.
    """

    optimizers: ClassVar[dict[str, Any]] = OPTIMIZERS

    def __init__(
        self,
        spec: TrainingSpec,
        parameters: Parameters,
        x: Floats,
        y: Floats,
        threads: int,
        weights: Floats | None = None,
    ) -> None:
        if reason := self.unsupported(spec):
            raise UnsupportedError(reason)
        _configure(threads)
        self._activations = [ACTIVATIONS[layer.activation] for layer in spec.architecture.layers]
        self._parameters = [torch.tensor(array) for layer in parameters for array in layer]
        targets = np.argmax(y, axis=1) if spec.loss in CLASS_LOSSES else y
        self._x, self._y = torch.from_numpy(x), torch.from_numpy(targets)
        self._weights = torch.from_numpy(weights) if weights is not None else None
        self._batch_size, self._costs = spec.batch_size, torch.full((1,), torch.nan)
        self._prepare(spec, threads)

    def _prepare(self, spec: TrainingSpec, threads: int) -> None:
        """Make what an epoch needs besides parameters and examples."""
        for parameter in self._parameters:
            parameter.requires_grad_()
        self._cost = _cost(spec)
        self._optimizer = OPTIMIZERS[spec.optimizer.name](self._parameters, spec.optimizer)

    @classmethod
    def unsupported(cls, spec: TrainingSpec) -> str:
        """Why this backend cannot train that spec; "" where it can."""
        given = spec.optimizer
        obstacles = {
            f"optimizer {given.name} with epsilon inside the root": given.name not in cls.optimizers,
            "schedule that keeps to Keras's steps": not isinstance(given.learning_rate, float),
            "gradient clipping as in Keras": any((given.clipnorm, given.global_clipnorm, given.clipvalue)),
            "dropout with given masks": any(layer.dropout for layer in spec.architecture.layers),
            "label smoothing of a binary cross entropy": bool(spec.label_smoothing) and spec.loss in BINARY_LOSSES,
        }
        return next((f"PyTorch has no {what}" for what, stands in obstacles.items() if stands), "")

    def parameters(self) -> Parameters:
        arrays = [parameter.detach().numpy().copy() for parameter in self._parameters]
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    def set_parameters(self, parameters: Parameters) -> None:
        arrays = (array for layer in parameters for array in layer)
        with torch.no_grad():
            for parameter, array in zip(self._parameters, arrays, strict=True):
                parameter.copy_(torch.from_numpy(array))

    def _gather(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Those examples: x (M, n_0), class numbers (M,) or targets (M, n_L), weights (M,)."""
        return self._x[rows], self._y[rows], self._weights[rows] if self._weights is not None else None

    def _rows(self, order: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """The rows of each batch; the last may be shorter."""
        rows: tuple[Tensor, ...] = torch.from_numpy(order).split(self._batch_size)
        return rows

    def batches(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> Iterator[Batch]:
        one_hot = torch.eye(self._parameters[-1].numel(), dtype=self._x.dtype)
        for rows in self._rows(order):
            x, y, weights = self._gather(rows)
            tensors = (x, one_hot[y] if y.dim() == 1 else y, *([] if weights is None else [weights]))
            yield tuple(tensor.numpy() for tensor in tensors)

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        rows = self._rows(order)
        self._sizes = [len(places) for places in rows]
        with _subnormals_flushed():
            self._costs = self._trained(rows)

    def _trained(self, rows: Sequence[Tensor]) -> Tensor:
        """Train on each batch in turn: what each step cost before its update, (steps,)."""
        return torch.stack([self._step(places) for places in rows])

    def _step(self, rows: Tensor) -> Tensor:
        cost: Tensor = self._cost(self._parameters, *self._gather(rows))
        cost.backward()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return cost.detach()

    def epoch_cost(self) -> float:
        return float(np.average(self._costs.double().numpy(), weights=self._sizes))

    def predict(self, x: Floats) -> Floats:
        with torch.inference_mode():
            outputs: Floats = _outputs(self._activations, self._parameters, torch.from_numpy(x)).numpy()
        return outputs

    def notes(self) -> dict[str, Any]:
        return {
            "threads_in_an_operation": torch.get_num_threads(),
            "operations_at_once": torch.get_num_interop_threads(),
        }


def _configure(threads: int) -> None:
    """The thread budget; the second number can be set once only, before any operation."""
    torch.set_num_threads(threads)
    if torch.get_num_interop_threads() != 1:
        torch.set_num_interop_threads(1)
    # The threads take the mode of the one that starts them, here.
    with _subnormals_flushed():
        torch.zeros(1_000_000).add_(1.0)


@contextmanager
def _subnormals_flushed() -> Iterator[None]:
    """Within, subnormal numbers are 0. Adam decays into them: compiled epochs took 3.1 times as long."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _sgd(given: Any, theta: Tensor, g: Tensor, memory: Memory, rate: Tensor) -> None:
    step = -rate * g
    if given.momentum:
        velocity = memory[0].mul_(given.momentum).add_(step)
        step = given.momentum * velocity + step if given.nesterov else velocity
    theta.add_(step)


def _rmsprop(given: Any, theta: Tensor, g: Tensor, memory: Memory, rate: Tensor) -> None:
    square, mean, velocity = memory
    variance = square.lerp_(g * g, 1.0 - given.rho) + given.epsilon
    if given.centered:
        variance = variance - mean.lerp_(g, 1.0 - given.rho).square()
    step = rate * g / variance.sqrt()
    theta.sub_(velocity.mul_(given.momentum).add_(step) if given.momentum else step)


def _adam(given: Any, theta: Tensor, g: Tensor, memory: Memory, rate: Tensor) -> None:
    mean, square = memory[0].lerp_(g, 1.0 - given.beta_1), memory[1].lerp_(g * g, 1.0 - given.beta_2)
    theta.sub_(rate * mean / (square.sqrt() + given.epsilon))


def _adamw(given: Any, theta: Tensor, g: Tensor, memory: Memory, rate: Tensor) -> None:
    theta.mul_(1.0 - given.learning_rate * given.weight_decay)
    _adam(given, theta, g, memory, rate)


def _adagrad(given: Any, theta: Tensor, g: Tensor, memory: Memory, rate: Tensor) -> None:
    theta.sub_(rate * g / (memory[0].add_(g * g) + given.epsilon).sqrt())


UPDATES: dict[str, tuple[Function, int]] = {
    "sgd": (_sgd, 1),
    "rmsprop": (_rmsprop, 3),
    "adam": (_adam, 2),
    "adamw": (_adamw, 2),
    "adagrad": (_adagrad, 1),
}
"""The update of θ from g, in place, as in `scratchnet.optimizers`, and how many arrays of θ's shape it remembers."""


def _rates(given: Any, steps: NDArray[np.int64]) -> Floats:
    """η of each of those steps, counted from 1; Adam's with the bias of both means corrected."""
    rates: Floats = np.full(len(steps), given.learning_rate)
    if given.name in ("adam", "adamw"):
        rates *= np.sqrt(1.0 - given.beta_2**steps) / (1.0 - given.beta_1**steps)
    return rates


class TorchCompile(TorchEager):
    """See `backends.protocol.Backend`. `STEPS` whole steps, gather and update included, are one compiled function.

    The gradient comes from `torch.func`, since a graph ends at `backward()` and at an optimizer's `step()`; so updates
    are written out, and the compiler fuses them. The shapes are fixed: the epoch's last steps, fewer or with a shorter
    batch, are a second graph. Both are compiled in the first epoch, the warm-up.

    Epoch of `torch-eager` / epoch with so many steps a call, on two cores, short interleaved runs:
    784-30-10 M = 32         1: 1.8   2: 2.4   4: 2.8   8: 3.1
    784-128-10 M = 32        1: 1.5   2: 1.7   4: 2.0   8: 2.3   16: 2.5, but twice as long to compile
    784-128-10 M = 512       1: 1.3            4: 1.5   8: 1.6
    784-512-512-10 M = 128   1: 1.2   2: 1.3   4: 1.3   8: 1.2 to 1.3

    Other ways, in parts of the epoch of `torch-eager`: forward and backward compiled, the optimizer as it is, 1.06 to
    1.39; and the optimizer's step compiled by PyTorch's recipe, 1.45; one whole step 0.61 to 0.84, with its gather 0.54
    to 0.84, by way of C++ in place of Python (`cpp_wrapper`) 0.52 to 0.81. `max_autotune` and no guards changed no more
    than the noise. Mode `reduce-overhead` is CUDA graphs, and `freezing` is for inference: neither is for this.
    """

    STEPS: ClassVar[int] = 8
    optimizers = UPDATES

    @classmethod
    def unsupported(cls, spec: TrainingSpec) -> str:
        return super().unsupported(spec) or _no_compiler()

    def _prepare(self, spec: TrainingSpec, threads: int) -> None:
        self._given, self._steps_done = spec.optimizer, 0
        self._options = {"cpp_wrapper": True, "cpp.threads": threads}
        # What earlier jobs of this process compiled counts against the eight versions of a function that may be.
        torch.compiler.reset()
        self._train = torch.compile(self._steps(spec), dynamic=False, fullgraph=True, options=self._options)

    def _steps(self, spec: TrainingSpec) -> Function:
        """A function of some batches' rows and rates: trains on them, returns what each step cost before its update."""
        gradient = torch.func.grad_and_value(_cost(spec))
        kind, arrays = UPDATES[spec.optimizer.name]
        update, parameters = partial(kind, spec.optimizer), self._parameters
        start = getattr(spec.optimizer, "initial_accumulator_value", 0.0)
        memories = [[torch.full_like(theta, start) for _ in range(arrays)] for theta in parameters]

        def steps(rows: Sequence[Tensor], rates: Tensor) -> Tensor:
            costs = []
            for places, rate in zip(rows, rates.unbind(), strict=True):
                gradients, cost = gradient(parameters, *self._gather(places))
                for theta, g, memory in zip(parameters, gradients, memories, strict=True):
                    update(theta, g, memory, rate)
                costs.append(cost)
            return torch.stack(costs)

        return steps

    def _trained(self, rows: Sequence[Tensor]) -> Tensor:
        steps = np.arange(1, len(rows) + 1) + self._steps_done
        self._steps_done += len(rows)
        rates = torch.from_numpy(_rates(self._given, steps)).to(self._x.dtype)
        # `torch.func` takes the gradient in here too; there is nothing else to keep a graph for.
        with torch.no_grad():
            return torch.cat([self._train(rows[part], rates[part]) for part in _parts(len(rows), self.STEPS)])

    def notes(self) -> dict[str, Any]:
        return {**super().notes(), "steps_in_a_call": self.STEPS, **self._options}


def _no_compiler() -> str:
    """Why nothing can be compiled here; "" where it can."""
    compiler, header = os.environ.get("CXX", "g++"), Path(sysconfig.get_path("include"), "Python.h")
    if shutil.which(compiler) is None:
        return f"torch.compile needs a C++ compiler and {compiler} is not installed; apt install g++, or set CXX"
    if not header.exists():
        return f"torch.compile needs {header}, which is not installed; apt install python3-dev"
    return ""


def _parts(steps: int, size: int) -> list[slice]:
    """Slices of `size` steps each; the last may be shorter."""
    return [slice(start, start + size) for start in range(0, steps, size)]
