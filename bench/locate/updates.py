"""What updates reveal about the gradient that they were made from, if the gradient itself was not reported."""

from collections.abc import Sequence

import numpy as np

from bench.locate.clipping import BELOW
from bench.locate.compare import Comparison, Pair, Place
from bench.locate.equations import REFERENCE
from bench.locate.experiment import KINK, LARGE
from bench.locate.net import Array
from bench.locate.state import Key, step

FEWEST = 6
"""Elements in an order that chance does not make."""


def in_order(comparison: Comparison, pairs: dict[Place, Pair], wrong: Sequence[Place]) -> bool:
    """Whether W and b of the first wrong layer are moved in the order of the right gradient, each in all first steps.

    An optimizer of moving means makes the first update of an element from its own gradient. A wrong step leaves the
    order, a wrong gradient has another. SGD has no rule but a factor, which is looked for elsewhere.
    """
    layer, first = wrong[0].key.layer, [place for place in pairs if _is_first(comparison, place)]
    first = unclipped(comparison, first) or first
    if comparison.net.optimizer.name == "sgd" or any(place.key.name == "dW" for place in first):
        return False
    return all(
        _is_ordered(comparison, {p: pairs[p] for p in first if p.key == Key(name, layer)}) for name in ("uW", "ub")
    )


def _is_first(comparison: Comparison, place: Place) -> bool:
    """Whether it is of a first step with usual numbers."""
    return not place.moment and comparison.label(place) not in (KINK, LARGE)


def _gradient_and_update(comparison: Comparison, place: Place, pair: Pair) -> tuple[Array, Array]:
    """The right gradient, and the update without what decays."""
    state, name = step(comparison.net, REFERENCE, comparison.moment(place), {}, {}, 1), place.key.name[1]
    theta = state.W(place.key.layer) if name == "W" else state.b(place.key.layer)
    decay = state.call("rate") * float(comparison.net.option("weight_decay") or 0.0)
    return state.expected[Key(f"d{name}", place.key.layer)].ravel(), (pair.given + decay * theta).ravel()


def _is_ordered(comparison: Comparison, pairs: dict[Place, Pair]) -> bool:
    """Whether the updates of one tensor fall as its gradients rise, or rise with them, within rounding."""
    both = [_gradient_and_update(comparison, place, pair) for place, pair in pairs.items()]
    update = np.concatenate([u for _, u in both])[np.argsort(np.concatenate([g for g, _ in both]))]
    room = 2.0 * max(float(np.max(pair.bound)) for pair in pairs.values())
    if update.size < FEWEST or not np.isfinite(update).all():
        return False
    falls = np.max(update - np.minimum.accumulate(update)) <= room
    rises = np.max(np.maximum.accumulate(update) - update) <= room
    return bool(falls or rises)


def unclipped(comparison: Comparison, wrong: Sequence[Place]) -> list[Place]:
    """Those where no gradient is clipped: a joint norm carries what is off to all other tensors."""
    return [place for place in wrong if comparison.moment(place).label == BELOW]


def only_clipped(comparison: Comparison, pairs: dict[Place, Pair], wrong: Sequence[Place]) -> bool:
    """Whether a first step is off where its gradient is clipped, and none where it is not."""
    first = [place for place in wrong if _is_first(comparison, place)]
    has_both = any(comparison.moment(place).label == BELOW for place in pairs)
    return bool(first) and has_both and not unclipped(comparison, wrong)
