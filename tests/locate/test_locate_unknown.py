"""Mistakes that the library does not hold: equation and layer are blamed all the same, and no cause is claimed."""

from itertools import product

import numpy as np
import pytest
from covering import some
from handwritten import HandWritten
from problems import PROBLEMS
from unknown import CASES, WHERE, perturbed

from bench.locate.run import locate_one


def name_of(value):
    """Of a case's part."""
    return getattr(value, "__name__", str(value))


@pytest.mark.parametrize(("method", "layer", "way"), some(CASES, 8), ids=name_of)
def test_the_equation_and_the_layer_are_blamed_and_no_cause_is_claimed(method, layer, way):
    document = locate_one(perturbed(method, layer, way), PROBLEMS["classes"], "Unknown").document
    first = document.mistakes[0]
    assert first.equation == WHERE[method, layer]
    assert first.layer == (layer or 3)
    assert first.causes == ()
    assert first.excluded > 10


STEPS_ONLY = [case for case in CASES if case[0] in ("output_delta", "hidden_delta", "weight_gradient", "bias_gradient")]


@pytest.mark.parametrize(("method", "layer", "way"), some(STEPS_ONLY, 4), ids=name_of)
def test_of_steps_and_cost_alone_the_equation_is_found_too(method, layer, way):
    network = perturbed(method, layer, way, offers=("cost",))
    first = locate_one(network, PROBLEMS["classes"], "Unknown").document.mistakes[0]
    assert first.equation == WHERE[method, layer]
    assert first.layer == (layer or 3)
    assert first.causes == ()


METHODS = ("output_delta", "hidden_delta", "weight_gradient", "bias_gradient", "weighted")


@pytest.mark.parametrize(("method", "factor"), some(product(METHODS, [1.001, 0.7, -3.0, 1e3]), 8))
def test_a_factor_of_any_size_is_measured(method, factor):
    right = getattr(HandWritten, method)
    network = type("Scaled", (HandWritten,), {method: lambda self, *arguments: factor * right(self, *arguments)})
    (finding,) = locate_one(network, PROBLEMS["classes"], "Scaled").document.mistakes
    assert f"a stray factor of {factor:.6g}" in {reason.cause for reason in finding.causes}


def test_a_cost_of_another_kind_with_its_own_gradient_is_a_convention():
    """Cost and gradient agree with each other: a definition that the spec does not have, and no mistake."""

    class Cubic(HandWritten):
        def loss(self, p, t, z=None):
            return (abs(p - t) ** 3).sum(axis=1)

        def output_delta(self, z, p, t):
            return 3 * (p - t) * abs(p - t)

    document = locate_one(Cubic, PROBLEMS["numbers"], "Cubic").document
    assert document.verdict == "convention"
    assert "derivative of the cost that you report" in document.findings[0].note


@pytest.mark.parametrize(
    ("problem", "id", "methods"),
    [
        (
            "classes",
            "sum-for-mean",
            {
                "total": lambda s, losses: losses.sum(),
                "weight_gradient": lambda s, l, d, a: a.T @ d,
                "bias_gradient": lambda s, l, d: d.sum(axis=0),
            },
        ),
        (
            "numbers",
            "half",
            {
                "loss": lambda s, p, t, z=None: ((p - t) ** 2).sum(axis=1) / 4,
                "output_delta": lambda s, z, p, t: (p - t) / 2,
            },
        ),
        (
            "squares",
            "averaged-over-outputs",
            {
                "loss": lambda s, p, t, z=None: ((p - t) ** 2).mean(axis=1),
                "output_delta": lambda s, z, p, t: 2 * (p - t) * p * (1 - p) / 3,
            },
        ),
        (
            "classes",
            "errors-carry-the-mean",
            {
                "output_delta": lambda s, z, p, t: (p - t) / len(p),
                "weight_gradient": lambda s, l, d, a: a.T @ d,
                "bias_gradient": lambda s, l, d: d.sum(axis=0),
            },
        ),
        (
            "penalty",
            "penalty-halved",
            {
                "penalty": lambda s: HandWritten.penalty(s) / 2,
                "penalty_gradient": lambda s, l: HandWritten.penalty_gradient(s, l) / 2,
            },
        ),
    ],
)
def test_another_definition_in_cost_and_gradient_alike_is_a_convention(problem, id, methods):
    document = locate_one(type("Other", (HandWritten,), methods), PROBLEMS[problem], "Other").document
    assert document.verdict == "convention"
    assert id in {reason.id for finding in document.findings for reason in finding.causes}


def test_two_point_zero_zero_one_for_two_is_found():
    class Nearly(HandWritten):
        def output_delta(self, z, p, t):
            return 2.001 * (p - t) * p * (1 - p)

    (finding,) = locate_one(Nearly, PROBLEMS["squares"], "Nearly").document.mistakes
    assert finding.equation == "BP1.2"
    assert finding.causes[0].cause == "a stray factor of 1.0005"


def test_float32_inside_a_float64_network_is_told_as_precision():
    class Inside(HandWritten):
        def weighted(self, l, a):
            return super().weighted(l, a).astype(np.float32).astype(np.float64)

    document = locate_one(Inside, PROBLEMS["classes"], "Inside").document
    assert document.verdict == "right"
    assert [finding.kind for finding in document.findings] == ["precision"]
