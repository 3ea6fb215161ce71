"""Layouts that shapes do not tell: equal widths, a batch as large as a width, reversed layers; no verdict is wrong."""

import numpy as np
import pytest
from covering import covering, some
from forms import FORMS
from handwritten import HandWritten
from problems import PROBLEMS

from bench.core.errors import UnusableError
from bench.locate.problems import spec_of
from bench.locate.run import locate


def square(width=5, batch_size=4):
    """All layers are of one width."""
    layers = [width, (width, "tanh"), (width, "sigmoid"), (width, "softmax")]
    return spec_of(layers, "categorical_crossentropy", batch_size=batch_size)


SPECS = {
    "square": square(),
    "a batch as large as a width": square(batch_size=5),
    "a shorter batch as large as a width": square(width=3),
    "one example a batch": square(batch_size=1),
    "one neuron": spec_of([1, (1, "tanh"), (1, "sigmoid")], "binary_crossentropy"),
    "one neuron, one example": spec_of([1, (1, "tanh"), (1, "sigmoid")], "binary_crossentropy", batch_size=1),
    "one input": spec_of([1, (4, "tanh"), (4, "sigmoid"), (1, "linear")], "mean_squared_error"),
    "square with its bias": spec_of([4, (5, "tanh"), (6, "softmax")], "categorical_crossentropy"),
    "there and back": spec_of([4, (6, "tanh"), (4, "linear")], "mean_squared_error"),
    "one layer": spec_of([4, (4, "softmax")], "categorical_crossentropy"),
}
OFFERS = {"all": HandWritten.offers, "outputs": ("forward",), "gradients": ("gradients",), "steps": ()}


@pytest.mark.parametrize(("spec", "form", "offers"), covering(SPECS, FORMS, OFFERS))
def test_the_probe_finds_the_layout_of_a_right_network(spec, form, offers):
    kind, words = FORMS[form]
    document = locate(type("Right", (kind,), {"offers": OFFERS[offers]}), SPECS[spec]).document
    assert document.findings == ()
    if not spec.startswith("one neuron"):
        assert document.layout == words


MISTAKES = {
    "the sign of a step": ("(D2)", {"sgd": lambda s, kept, theta, g: theta + s.rate() * g}),
    "the sum of the errors": ("BP4.2", {"bias_gradient": lambda s, l, delta: delta.sum(axis=0)}),
    "no derivative": ("BP2.2", {"hidden_delta": lambda s, l, d, z, a: d.dot(s.weights[l + 1].T) * s.kept(l)}),
    "the sign of the output's error": ("BP1.2", {"output_delta": lambda s, z, p, t: t - p}),
    "a bias that is subtracted": ("(18)", {"weighted": lambda s, l, a: a.dot(s.weights[l]) - s.biases[l]}),
    "no activation": ("(20)", {"act": lambda s, l, z: z if l == 0 else HandWritten.act(s, l, z)}),
    "weights turned round": ("(18)", {"weighted": lambda s, l, a: a.dot(s.weights[l].T) + s.biases[l]}),
}


def told(network, spec):
    """The document, or the line that stands for it."""
    try:
        return locate(network, spec).document, ""
    except UnusableError as error:
        return None, str(error)


@pytest.mark.parametrize(("mistake", "form"), some(covering(MISTAKES, FORMS), 16))
def test_a_mistake_hides_no_layout(mistake, form):
    equation, methods = MISTAKES[mistake]
    kind, words = FORMS[form]
    document, line = told(type("Wrong", (kind,), methods), SPECS["square"])
    if line:  # of outputs alone, as lists report them, it is the other layout with a mistake in the gradient
        assert (mistake, form) == ("weights turned round", "lists")
        assert 'remedy: the attribute weights = "out_in" or "in_out"' in line
        return
    assert document.layout == words
    assert document.mistakes[0].equation == equation


@pytest.mark.parametrize(("mistake", "form"), some(covering(MISTAKES, FORMS), 5))
def test_of_steps_alone_the_verdict_is_right_or_the_layout_is_asked_for(mistake, form):
    """Ascent changes every update, and is no other layout."""
    equation, methods = MISTAKES[mistake]
    kind, words = FORMS[form]
    document, line = told(type("Wrong", (kind,), {"offers": (), **methods}), SPECS["square"])
    if line:
        assert "fits more than one layout" in line
        assert "remedy: the attribute " in line
        return
    assert document.layout == words
    first = document.mistakes[0]
    assert equation in {first.equation, *(reason.equation for reason in first.causes)}


class Nonsense(HandWritten):
    """Its steps have nothing to do with the batch."""

    offers = ()

    def step(self, X, Y):
        self.weights = [W + 0.1 * np.cos(np.arange(W.size)).reshape(W.shape) for W in self.weights]


def test_what_nothing_decides_is_to_be_said():
    words = "fits more than one layout .*W is .n_out, n_in.*; or .*W is .n_in, n_out"
    with pytest.raises(UnusableError, match=words + '.*remedy: the attribute weights = "out_in" or "in_out"$'):
        locate(Nonsense, SPECS["square"])
    said = type("Said", (Nonsense,), {"weights": "in_out", "examples": "rows"})
    assert locate(said, SPECS["square"]).document.mistakes


# Layers that are listed from the last to the first.


def turned(tree):
    """The layers in the other order; of (Z, A) and of (weights, biases) each."""
    return tuple(part[::-1] for part in tree) if isinstance(tree, tuple) else tree[::-1]


def backwards(kind, *methods):
    """A network whose answers to these methods begin with the last layer."""

    def answer(method):
        return lambda self, *arguments: turned(getattr(kind, method)(self, *arguments))

    changed = {method: answer(method) for method in methods}
    if "get_parameters" in methods:
        changed["set_parameters"] = lambda self, parameters: kind.set_parameters(self, turned(parameters))
    return type("Backwards", (kind,), changed)


EXPECTED = "begins with the last layer; expected: layers from the first to the last"
KINDS = {"pairs": HandWritten, "weights first": FORMS["weights first"][0], "inside": FORMS["inside"][0]}


@pytest.mark.parametrize("spec", [SPECS["square"], PROBLEMS["classes"], SPECS["there and back"]], ids=lambda s: s.name)
@pytest.mark.parametrize("offers", OFFERS)
@pytest.mark.parametrize("kind", KINDS)
def test_parameters_that_begin_with_the_last_layer_are_told(kind, offers, spec):
    network = type("Backwards", (backwards(KINDS[kind], "get_parameters"),), {"offers": OFFERS[offers]})
    with pytest.raises(UnusableError, match=rf"Backwards\.get_parameters\(\) {EXPECTED}"):
        locate(network, spec)


TOLD = {"forward": r"forward\(X\)", "errors": r"errors\(X, Y\)", "gradients": r"gradients\(X, Y\)"}


@pytest.mark.parametrize("method", TOLD)
def test_answers_that_begin_with_the_last_layer_are_told(method):
    with pytest.raises(UnusableError, match=rf"Backwards\.{TOLD[method]} {EXPECTED}"):
        locate(backwards(HandWritten, method), SPECS["square"])


@pytest.mark.parametrize("method", ["forward", "errors"])
def test_answers_of_other_widths_that_begin_with_the_last_layer_are_told_by_their_shape(method):
    with pytest.raises(UnusableError, match=r"\[1\] has shape \(4, 3\); expected: \(4, 5\), as rows are examples"):
        locate(backwards(HandWritten, method), PROBLEMS["classes"])


# Networks without biases: no spec describes one.


class NoBiases(HandWritten):
    def get_parameters(self):
        return [W for W, _ in super().get_parameters()]

    def set_parameters(self, parameters):
        super().set_parameters([(W, np.zeros(W.shape[1])) for W in parameters])


@pytest.mark.parametrize("spec", ["square", "there and back", "one layer"])
def test_a_network_without_biases_is_told(spec):
    with pytest.raises(UnusableError, match=r"weights and no biases; expected: a bias for each neuron; remedy: add"):
        locate(NoBiases, SPECS[spec])


def test_a_bias_that_stays_zero_is_told():
    class Zeros(NoBiases):
        def get_parameters(self):
            return [(W, np.zeros(W.shape[1])) for W in super().get_parameters()]

        def set_parameters(self, parameters):
            super().set_parameters([W for W, _ in parameters])

    with pytest.raises(UnusableError, match=r"b\[1\] read by get_parameters\(\) is not what set_parameters\(\) was"):
        locate(Zeros, PROBLEMS["classes"])
