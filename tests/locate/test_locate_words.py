"""The sentences of the report: numbers that can be told apart, no cause twice, nothing untrue of a convention."""

from dataclasses import replace

import numpy as np
import pytest
from handwritten import HandWritten
from problems import PROBLEMS

from bench.locate import words
from bench.locate.problems import spec_of
from bench.locate.run import locate

SMALL = ([5, (4, "tanh"), (3, "softmax")], "categorical_crossentropy")


class StepsOnly(HandWritten):
    offers = ()


class NeverMoves(StepsOnly):
    def rate(self):
        return 1 // 10


def test_no_ratio_is_minus_0_and_the_headline_names_each_equation():
    document = locate(NeverMoves, spec_of(*SMALL)).document
    assert document.mistakes[0].ratio == 0
    assert "(0 times)" in "\n".join(words.lines_of(document.mistakes[0]))
    assert words.headline(document).endswith("BP3.2 and BP4.2, gradient of the weights in layers 1 and 2; or (D2).")


class Half(StepsOnly):
    def output_delta(self, z, p, t):
        return super().output_delta(z, p, t) / 2


def test_no_cause_is_told_twice():
    (finding,) = locate(Half, spec_of([5, (6, "tanh"), (2, "linear")], "mean_squared_error")).document.mistakes
    texts = words.cause(finding).partition("Cause: ")[2].partition(". These")[0].split("; or: ")
    assert len(texts) == len(set(texts)) == 4
    assert "a factor 1/2 too many in BP1.2" in texts
    assert "a factor 1/2 too many in BP3.2 and BP4.2" in texts


class WrongSmoothing(HandWritten):
    """Of its own: n − 1 classes share what is taken away."""

    def smooth(self, t):
        s, n = self.spec.label_smoothing, t.shape[1]
        return t * (1 - s) + (1 - t) * s / (n - 1) + 0.001 * t


def test_a_convention_is_not_called_a_wrong_equation():
    class Subject(WrongSmoothing):
        offers = ("forward", "cost", "gradients")

    document = locate(Subject, PROBLEMS["smoothed"]).document
    unknown = [one for one in document.findings if one.kind == "convention" and not one.causes]
    assert unknown
    assert all("the definition is one of your own" in words.cause(one) for one in unknown)
    assert not any("equation is wrong" in words.cause(one) for one in unknown)


@pytest.mark.parametrize(
    ("yours", "said"),
    [
        (1.8018593952, "yours 1.8018593952, expected 1.8018593956 (off by 2e-10 of it)"),
        (1.5, "yours 1.5, expected 1.8018594 (0.832473 times)"),
        (-0.0, "yours 0, expected 1.8018594 (0 times)"),
    ],
)
def test_numbers_are_told_apart(yours, said):
    expected = 1.8018593956
    finding = locate(NeverMoves, spec_of(*SMALL)).document.findings[0]
    assert words.numbers(replace(finding, yours=yours, expected=expected, ratio=yours / expected)) == said


class NoMaskBack(HandWritten):
    offers = ()

    def hidden_delta(self, l, after, z, a):
        return self.through(l, after.dot(self.weights[l + 1].T), z, self.act(l, z))


def test_roundings_of_large_numbers_are_no_second_finding():
    layers = [6, (6, "relu", 0.5), (6, "tanh", 0.5), (3, "softmax")]
    (finding,) = locate(NoMaskBack, spec_of(layers, "categorical_crossentropy")).document.findings
    assert finding.causes
    assert np.isfinite(finding.yours)
