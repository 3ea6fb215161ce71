"""What the experiment must see, and causes that must not be named."""

from itertools import product

import numpy as np
import pytest
from covering import some
from handwritten import HandWritten

from bench.locate.clipping import clipping_moments
from bench.locate.equations import REFERENCE
from bench.locate.experiment import KINK, experiment, moment
from bench.locate.net import net_of
from bench.locate.problems import spec_of
from bench.locate.run import locate
from bench.locate.state import Key, step

CLASSES = ([5, (4, "tanh"), (3, "softmax")], "categorical_crossentropy")
BINARY = ([4, (5, "sigmoid"), (2, "sigmoid")], "binary_crossentropy")
NUMBERS = ([5, (6, "tanh"), (2, "linear")], "mean_squared_error")


def _clipping(problem, **option):
    return spec_of(*problem, {"learning_rate": 0.1, **option})


class AlwaysClips(HandWritten):
    def clip(self, gradients):
        return [g * self.o.clipnorm / np.sqrt((g * g).sum()) for g in gradients]


class NeverClips(HandWritten):
    def clip(self, gradients):
        return gradients


@pytest.mark.parametrize(("problem", "limit"), some(product([CLASSES, BINARY, NUMBERS], [0.05, 0.5, 2.0]), 2))
def test_clipping_is_seen_on_both_sides_of_its_limit(problem, limit):
    spec = _clipping(problem, clipnorm=limit)
    for offers in ((), ("gradients",)):
        for kind in (AlwaysClips, NeverClips):
            (first, *_) = locate(type("Wrong", (kind,), {"offers": offers}), spec).document.mistakes
            assert first.equation == "(D29)"
            assert first.causes
        assert locate(type("Right", (HandWritten,), {"offers": offers}), spec).document.verdict == "right"


@pytest.mark.parametrize("option", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_gradients_are_below_and_above_each_kind_of_limit(option):
    net = net_of(_clipping(CLASSES, **{option: 0.3}))
    below, above = clipping_moments(net, moment(net, np.random.default_rng(0), 4, ""))
    for at, clipped in ((below, False), (above, True)):
        state = step(net, REFERENCE, at, {}, {}, 1)
        same = [np.array_equal(g, state.expected[Key(f"d{key.name}", key.layer)]) for key, g in state.clipped.items()]
        assert all(same) is not clipped


@pytest.mark.parametrize(
    ("kinked", "widths"), some(product(["relu", "leaky_relu"], [(6, 4), (5, 5), (12, 10), (3, 2)]), 2)
)
def test_the_slope_at_0_is_seen_in_every_layer(kinked, widths):
    spec = spec_of([7, *((n, kinked) for n in widths), (3, "softmax")], "categorical_crossentropy")

    class SlopeOne(HandWritten):
        layer = 0

        def slope(self, l, z, a):
            return np.where((z == 0) & (l == self.layer), 1.0, super().slope(l, z, a))

    for layer in range(len(widths)):
        (finding,) = locate(type("Wrong", (SlopeOne,), {"layer": layer}), spec).document.findings
        assert (finding.kind, finding.layer) == ("convention", layer + 1)
        assert finding.causes[0].id.partition("@")[0] == "relu-slope-one-at-0"


def test_no_layer_above_a_kink_is_dead():
    spec = spec_of([7, (6, "relu"), (4, "tanh"), (3, "relu"), (2, "linear")], "mean_squared_error")
    net = net_of(spec)
    kinks = [one.moments[0] for one in experiment(net, "float64") if one.label == KINK]
    states = [step(net, REFERENCE, at, {}, {}, 1) for at in kinks]
    assert [[l for l in net.layers if not state.Z(l).any()] for state in states] == [[1], [3]]
    assert all(
        state.A(l).any(axis=0).all() for state, silent in zip(states, (1, 3), strict=True) for l in range(silent + 1, 5)
    )


class Overwritten(HandWritten):
    """Z and A are one array; `late` takes f' where Z is still known."""

    late = False

    def run(self, x):
        zs, acts = super().run(x)
        self.lost = zs
        return acts[1:], acts

    def hidden_delta(self, l, after, z, a):
        return super().hidden_delta(l, after, self.lost[l] if self.late else z, a)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("hidden", ["elu", "tanh", "softplus"])
def test_overwritten_weighted_inputs_are_told_as_shared_memory(hidden, late):
    spec = spec_of([5, (6, hidden), (4, "sigmoid"), (2, "sigmoid")], "mean_squared_error")
    offers = ("forward", "errors", "gradients")
    document = locate(type("Alias", (Overwritten,), {"offers": offers, "late": late}), spec).document
    first = document.mistakes[0]
    assert (first.tensor, first.equation) == ("Z[1]", "(18)")
    assert all("share their memory" in one.causes[0].cause for one in document.mistakes if one.tensor[0] in "ZA")


class HalfPrecision(HandWritten):
    dtype = np.float32
    offers = ()

    def output_delta(self, z, p, t):
        delta = super().output_delta(z, p, t) / len(t)
        return delta.astype(np.float16).astype(np.float32) * np.float32(len(t))


def test_a_mistake_that_changes_nothing_is_no_cause():
    """With a linear output, f applied twice makes the same numbers as f."""
    found = locate(HalfPrecision, spec_of(*NUMBERS, dtype="float32")).document.mistakes
    assert found
    assert not [reason.id for finding in found for reason in finding.causes]
