"""Finds the wrong equation if no mistake of the library reproduces it: the one that explains the most wrong tensors.

If a tensor is wrong, it is a suspect, and so is all that it was computed from, unless that was reported. What a right
tensor was computed from is cleared.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from bench.locate.compare import Comparison, Pair, Place
from bench.locate.experiment import KINK, LARGE
from bench.locate.graph import UPDATE, equation, span
from bench.locate.net import Array
from bench.locate.rules import clipping_of, quotient_of
from bench.locate.state import Given, Key
from bench.locate.updates import in_order, only_clipped, unclipped

ONE_FACTOR = 1e-6


class Blame:
    """What is blamed for the wrong places, and which of them that explains."""

    def __init__(self, comparison: Comparison, pairs: dict[Place, Pair], wrong: list[Place]) -> None:
        self._comparison, self._net, self._pairs, self._wrong = comparison, comparison.net, pairs, wrong
        self._sums_may_be_wrong = False
        of_updates = wrong[0].key.name[0] == "u"  # they come last: nothing else is off
        self.is_of_clipping = of_updates and only_clipped(comparison, pairs, wrong)
        self._wrong = (unclipped(comparison, wrong) if of_updates else []) or wrong
        self.key = UPDATE if self.is_of_clipping else self._suspect()
        self.explained = [place for place in wrong if self.key in self._span(place)] or wrong[:1]

    @property
    def equation(self) -> str:
        """Its number, or two where what was reported cannot tell them apart."""
        if self.key.name == "A" and not any(key.name == "Z" for key in self._given(self._wrong[0])):
            return "(18) or (20)"
        if self.is_of_clipping:
            return clipping_of(self._net)
        return " or ".join(filter(None, (equation(self.key, self._net), *self._alternatives())))

    def _alternatives(self) -> Iterator[str]:
        if self.key == UPDATE:
            yield quotient_of(self._net)
            yield "BP3.2" if self._sums_may_be_wrong else ""

    @property
    def may_be_of_outputs(self) -> bool:
        """Whether the error of the output layer is blamed, whose outputs are not known to be right."""
        outputs = Key("A", self._net.depth)
        return self.key == Key("delta", self._net.depth) and outputs in self._span(self._wrong[0]) - self._cleared()

    @property
    def first(self) -> Place:
        """The first place that shows it."""
        return self.explained[0]

    @property
    def is_of_unseen_outputs(self) -> bool:
        """Whether the outputs are blamed, which were not reported."""
        return self.key in (Key("A", self._net.depth), Key("Z", self._net.depth)) and not any(
            key.name == "A" for key in self._given(self._wrong[0])
        )

    @property
    def has_gradients(self) -> bool:
        """Whether the gradients were reported beside the updates."""
        return Key("dW", 1) in self._given(self._wrong[0])

    def _given(self, place: Place) -> Given:
        return self._comparison.given(place)

    def _span(self, place: Place) -> set[Key]:
        return span(place.key, self._given(place), self._net.depth)

    def _suspect(self) -> Key:
        """Of what made the first wrong tensor: what made most of the wrong ones, and no right one."""
        first = self._wrong[0]
        if self._is_of_updates():
            return UPDATE
        suspects = self._span(first) - self._cleared()
        if not suspects:
            return first.key
        if UPDATE in suspects and in_order(self._comparison, self._pairs, self._wrong):
            return UPDATE
        if self._only_in_batches(suspects):
            if UPDATE in suspects and self._is_everywhere():  # each sum would be wrong, or the one step
                self._sums_may_be_wrong = True
                return UPDATE
            return next(key for key in (Key("dW", first.key.layer), first.key) if key in suspects)
        covers = {key: sum(key in self._span(place) for place in self._wrong) for key in suspects}
        most = max(covers.values())
        nearest = [key for key, count in covers.items() if count == most]
        return self._nearest(nearest)

    def _is_of_updates(self) -> bool:
        """Whether several updates alone are off, and no first step, so that it remembers; or beside right gradients."""
        keys = {place.key for place in self._wrong}
        if any(key.name[0] != "u" for key in keys):
            return False
        if all(place.moment for place in self._wrong):
            return True
        return self.has_gradients and len(keys) > 1

    def _cleared(self) -> set[Key]:
        """What right tensors were made of, at moments like that of the first wrong one."""
        wrong_keys = {place.key for place in self._wrong}
        right = [place for place in self._pairs if place.key not in wrong_keys]
        return set().union(*(self._span(place) for place in right)) if right else set()

    def _only_in_batches(self, suspects: Iterable[Key]) -> bool:
        """Whether single examples are right, and the sum over a batch is not reported apart from its terms."""
        names, usual = (
            {key.name for key in suspects},
            [place for place in self._wrong if self._comparison.label(place) != KINK],
        )
        return {"delta", "dW"} <= names and bool(usual) and not any(self._is_alone(place) for place in usual)

    def _is_everywhere(self) -> bool:
        """Whether W and b of every layer are off."""
        wrong = {place.key for place in self._wrong}
        return all(Key(name, l) in wrong for name in ("uW", "ub") for l in self._net.layers)

    def _is_alone(self, place: Place) -> bool:
        """Whether it is of a batch of one example."""
        return self._comparison.moment(place).M == 1

    def _nearest(self, keys: list[Key]) -> Key:
        """The last that was computed, of those that explain the same; an update only where one factor explains all."""
        if UPDATE in keys and (len(keys) == 1 or self._one_factor() or self._factor_of_each()):
            return UPDATE
        left = [key for key in keys if key != UPDATE]
        wrong = [l for l, right in implied_activations(self._comparison).items() if not right]
        hidden = [Key("A", l) for l in wrong if Key("A", l) in left]
        return hidden[0] if hidden else max(left, key=_lateness)

    def _one_factor(self) -> bool:
        """Whether all updates that are off are the expected ones times one number."""
        pairs = [self._pairs[place] for place in self._wrong if place.key.name[0] == "u"]
        ratios = [ratio for pair in pairs if (ratio := factor_of(pair)) is not None]
        return bool(pairs) and len(ratios) == len(pairs) and np.ptp(ratios) <= ONE_FACTOR * abs(ratios[0])

    def _factor_of_each(self) -> bool:
        """Whether each update is a multiple of the right one, of W another than of b: no forward pass does that."""
        pairs = {place: self._pairs[place] for place in self._pairs if place.key.name[0] == "u"}
        factors = {
            place: factor_of(pair)
            for place, pair in pairs.items()
            if self._comparison.label(place) not in (KINK, LARGE)
        }
        if not factors or any(factor is None for factor in factors.values()):
            return False
        layers = {place.key.layer for place, one in factors.items() if _apart(one, factors.get(_beside(place)))}
        return len(layers) == self._net.depth


def _beside(place: Place) -> Place:
    """b of the layer of a W."""
    return place._replace(key=Key("ub", place.key.layer))


def _apart(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) > ONE_FACTOR * abs(other)


def _lateness(key: Key) -> tuple[int, int]:
    """How late a tensor is computed; the update of one tensor alone is the least likely to be wrong."""
    order = ("uW", "ub", "Z", "A", "delta", "dW", "db", "cost")
    return order.index(key.name), -key.layer if key.name == "delta" else key.layer


def factor_of(pair: Pair) -> float | None:
    """The one number by which all elements are off, within rounding; None where there is none."""
    given, expected = pair.given.ravel(), pair.expected.ravel()
    norm = float(expected @ expected)
    if not np.isfinite(given).all() or not norm:
        return None
    factor = float(given @ expected) / norm
    bound = pair.bound.ravel() * max(1.0, abs(factor)) * 4.0
    off = np.abs(given - factor * expected) - np.abs(expected) * float(bound @ np.abs(expected)) / norm
    return factor if bool(np.all(off <= bound)) else None


def implied_activations(comparison: Comparison) -> dict[int, bool]:
    """Layer → whether A[l] that a single example's gradients imply is the expected one: dW[l+1] = delta A[l]ᵀ.

    Of plain SGD, whose updates are gradients; nothing of others.
    """
    net, found = comparison.net, dict[int, bool]()
    seen = next(one for one in comparison.survey.seen if one.trajectory.label == "one")
    given, right = seen.given[0], comparison.reference_state("one")
    name = "d" if Key("dW", 1) in given else "u"
    if name == "u" and (net.optimizer.name != "sgd" or net.regularizer):
        return found
    for l in net.layers[:-1]:
        W, b = given[Key(f"{name}W", l + 1)], given[Key(f"{name}b", l + 1)]
        with np.errstate(all="ignore"):
            added = right.call("(D32)", "W", l + 1) if name == "d" else 0.0
            implied: Array = b @ (W - added) / max(float(b @ b), 1e-300)
        wanted = right.expected[Key("A", l)][:, 0]
        found[l] = bool(np.allclose(implied, wanted, rtol=1e-5, atol=1e-6))
    return found
