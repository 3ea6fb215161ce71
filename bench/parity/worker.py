"""Trains cells of the parity matrix with scratchnet and with Keras, and compares their costs."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends.protocol import Backend
from bench.backends.scratchnet import Scratchnet
from bench.backends.tf_epoch import TfGraph, TfXla
from bench.data import load_dataset
from bench.inputs.plan import Floats, Parameters, Plan, flat
from bench.inputs.splits import Inputs
from bench.parity.cells import ParityCell, ParityOutcome, ParityStatus, spec_of
from bench.spec import DataSpec, TrainingSpec
from reference_tf.epoch import make_epoch
from scratchnet.dropout import Mask

SEED, THREADS = 0, 1
TOLERANCE = 1e-10
REPETITIONS, SMALL_UPDATE = 8, 1e-4
SAME_ORDER = 0.1
"""If two Keras runs differ by this part of the difference to scratchnet, no further repetition is made."""


def run(cells: Sequence[ParityCell]) -> list[ParityOutcome]:
    """The outcomes of cells that share a graph. A cell that fails has that in its outcome; the others continue."""
    reference: TfGraph | None = None
    outcomes = []
    for cell in cells:
        try:
            spec, plan = spec_of(cell), Plan(spec_of(cell), SEED)
            reference = reference or _made(TfGraph, spec, plan.initial_parameters())
            outcomes.append(_outcome(cell, spec, plan, reference))
        except Exception as error:
            outcomes.append(ParityOutcome(cell, "failed", reason=f"{type(error).__name__}: {error}"[:300]))
    return outcomes


def _outcome(cell: ParityCell, spec: TrainingSpec, plan: Plan, reference: TfGraph) -> ParityOutcome:
    start = plan.initial_parameters()
    reference.restart(start)
    theirs, ours = _costs(reference, plan), _costs(_made(Scratchnet, spec, start), plan)
    if not (np.isfinite(theirs).all() and np.isfinite(ours).all()):
        return ParityOutcome(cell, "diverged", reason="a cost is not finite")
    difference, step = _largest_difference(ours, theirs)
    if difference < TOLERANCE:
        return ParityOutcome(cell, "agrees", difference, step, len(ours))
    alone = _keras_alone(spec, plan, reference, theirs, SAME_ORDER * difference)
    # np.max, unlike max, is nan where one of them is.
    single = float(np.max(list(_single_step_differences(spec, plan, start))))
    told = f"single steps from equal weights differ by {single:.1e}; two Keras runs differ by {alone:.1e}"
    status: ParityStatus = "ill_conditioned" if single < TOLERANCE else "differs"
    return ParityOutcome(cell, status, difference, step, len(ours), told)


class _SingleSteps(TfGraph):
    """Keras, one step a call; its optimizer goes on from call to call."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._step_of_size = cache(lambda size: make_epoch(self._model, size, size, self.jit_compile))

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        self._epoch = self._step_of_size(len(order))
        super().train_epoch(order, masks)


def _single_step_differences(spec: TrainingSpec, plan: Plan, start: Parameters) -> Iterator[float]:
    """How far cost and update of each step differ if Keras starts it from scratchnet's weights.

    Keras keeps its own optimizer state. Rounding cannot grow from step to step, so the mathematics alone is compared.
    """
    keras, ours = _made(_SingleSteps, spec, start), _made(Scratchnet, spec, start)
    for order, masks in _batches(plan):
        before = ours.parameters()
        keras.set_parameters(before)
        for side in (keras, ours):
            side.train_epoch(order, masks)
        yield _largest_difference(ours.step_costs, keras.step_costs)[0]
        yield _update_difference(flat(before), flat(ours.parameters()), flat(keras.parameters()))


def _batches(plan: Plan) -> Iterator[tuple[NDArray[np.int64], list[Mask]]]:
    """Order and masks of each step of all epochs."""
    examples, size = len(_inputs(plan.spec.data).train.labels), plan.spec.batch_size
    for epoch in range(1, plan.spec.epochs + 1):
        order, masks = plan.order(epoch, examples), plan.dropout_masks(epoch, examples)
        for start in range(0, examples, size):
            rows = slice(start, start + size)
            yield order[rows], [mask[rows] for mask in masks]


def _update_difference(before: Floats, ours: Floats, theirs: Floats) -> float:
    """Largest difference of the weights after a step, over the largest change that the step made to one."""
    moved = max(np.max(np.abs(ours - before)), np.max(np.abs(theirs - before)), np.finfo(np.float64).tiny)
    return float(np.max(np.abs(ours - theirs)) / moved)


def _keras_alone(spec: TrainingSpec, plan: Plan, reference: TfGraph, theirs: Floats, enough: float) -> float:
    """How far Keras's costs differ when only rounding changes; it stops once that is `enough`."""
    largest = 0.0
    for costs in _same_mathematics(spec, plan, reference):
        largest = max(largest, _largest_difference(costs, theirs)[0])
        if largest >= enough:
            break
    return largest


def _same_mathematics(spec: TrainingSpec, plan: Plan, reference: TfGraph) -> Iterator[Floats]:
    """Keras's costs with each batch in another order, from a start one rounding away, and compiled by XLA."""
    start = plan.initial_parameters()
    for number in range(1, REPETITIONS + 1):
        reference.restart(start)
        yield _costs(reference, plan, shuffle=number)
        reference.restart([(_one_rounding_away(W, number), b) for W, b in start])
        yield _costs(reference, plan)
    yield _costs(_made(TfXla, spec, start), plan)


def _one_rounding_away(W: Floats, number: int) -> Floats:
    """Each weight moved by its last bit, up or down at random; where it is 0, by the last bit of a first update."""
    signs = np.random.default_rng(number).choice([-1.0, 1.0], W.shape)
    moved: Floats = W + signs * np.maximum(np.spacing(np.abs(W)), np.spacing(SMALL_UPDATE))
    return moved


def _largest_difference(costs: Floats, reference: Floats) -> tuple[float, int]:
    """Largest relative difference of the cost over all steps, and the step, from 1, where it is."""
    differences = np.abs(costs - reference) / np.abs(reference)
    return float(np.max(differences)), int(np.argmax(differences)) + 1


def _costs(backend: Any, plan: Plan, shuffle: int = 0) -> Floats:
    """Cost of each step of all epochs, before its update; `shuffle` > 0 changes the order within each batch."""
    examples, costs = len(_inputs(plan.spec.data).train.labels), []
    places = _places(examples, plan.spec.batch_size, shuffle)
    for epoch in range(1, plan.spec.epochs + 1):
        masks = [mask[places] for mask in plan.dropout_masks(epoch, examples)]
        backend.train_epoch(plan.order(epoch, examples)[places], masks)
        costs.append(backend.step_costs)
    return np.concatenate(costs)


def _places(examples: int, batch_size: int, shuffle: int) -> NDArray[np.int64]:
    """0 to N − 1, each batch's part of it in an order of its own; as it stands where `shuffle` is 0."""
    keys = np.random.default_rng(shuffle).random(examples) if shuffle else np.arange(examples) / examples
    return np.lexsort((keys, np.arange(examples) // batch_size))


def _made(kind: type[Any], spec: TrainingSpec, parameters: Parameters) -> Any:
    inputs = _inputs(spec.data)
    weights = Plan(spec, SEED).sample_weights(inputs.train.labels)
    made: Backend = kind(spec, parameters, inputs.train.x, inputs.train_targets, THREADS, weights)
    return made


@cache
def _inputs(data: DataSpec) -> Inputs:
    return Inputs(load_dataset(data), spec_of(ParityCell()).model_copy(update={"data": data}))
