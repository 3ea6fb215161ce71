"""Mistakes planted into a hand-written network: the equation is blamed, the cause is reproduced, nothing else is."""

from itertools import combinations

import numpy as np
import pytest
from covering import some, weekly
from handwritten import HandWritten
from plants import PLANTS
from problems import PROBLEMS

from bench.locate.equations import REFERENCE
from bench.locate.experiment import moment
from bench.locate.mistakes.library import ENTRIES, library
from bench.locate.net import net_of
from bench.locate.problems import shipped
from bench.locate.run import locate_one
from bench.locate.state import step

SAME = 1e-9
"""A reproduced number equals the network's to this, mostly to 1e-15; an Adam step divides by small numbers."""


SOME, OTHERS = PLANTS[::4], [plant for number, plant in enumerate(PLANTS) if number % 4]


def wanted(plant):
    names = (plant.id, f"{plant.id}-from-a")  # f' computed from the wrong activations
    return {*names, *(f"{name}@{plant.where}" for name in names)}


def reasons(finding):
    return {reason.id for reason in finding.causes}


def test_the_library_is_large_and_its_names_are_distinct():
    assert len({entry.id for entry in ENTRIES}) == len(ENTRIES) >= 300
    assert all(len(library(net_of(spec))) >= 300 for spec in shipped().specs)
    assert len({plant.id for plant in PLANTS}) >= 140


@pytest.mark.parametrize("plant", [*some(SOME, 20), *weekly(*OTHERS)], ids=lambda plant: plant.name)
def test_a_planted_mistake_is_named_with_its_equation_and_its_cause(plant):
    document = locate_one(plant.network(), PROBLEMS[plant.problem], plant.name).document
    (finding,) = document.mistakes
    assert finding.equation == plant.equation
    assert reasons(finding) & wanted(plant)
    assert finding.distance < SAME


@pytest.mark.parametrize("plant", [*some(SOME, 12), *weekly(*OTHERS)], ids=lambda plant: plant.name)
def test_a_network_that_reports_its_steps_alone_is_not_called_right(plant):
    """But for what only the cost shows, which is not reported then."""
    document = locate_one(plant.network(offers=()), PROBLEMS[plant.problem], plant.name).document
    if plant.equation in ("(22)", "(24)", "(D31)"):
        assert document.verdict == "right"
        return
    (finding,) = document.mistakes
    assert reasons(finding) & wanted(plant)


@pytest.mark.parametrize("offers", [HandWritten.offers, ("cost",), ("forward",), ("gradients",), ()], ids=str)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_right_network_gets_the_certificate(problem, offers):
    network = type("Right", (HandWritten,), {"offers": offers})
    document = locate_one(network, PROBLEMS[problem], "Right").document
    assert document.findings == ()
    assert document.verdict == "right"
    assert all(tensor.right and tensor.deviation <= tensor.allowed for tensor in document.tensors)
    assert len(document.tensors) >= 2 * len(PROBLEMS[problem].architecture.layers)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_right_network_in_float32_gets_the_certificate(problem):
    document = locate_one(type("Single", (HandWritten,), {"dtype": np.float32}), PROBLEMS[problem], "Single").document
    assert document.dtype == "float32"
    assert document.findings == ()


@pytest.mark.parametrize("spec", shipped().specs, ids=lambda spec: spec.name)
def test_every_shipped_problem_can_be_met(spec):
    assert locate_one(HandWritten, spec, "Right").document.verdict == "right"


@pytest.mark.parametrize("name", ["gradient-mean-missing-classes", "slope-missing@2-deep", "softmax-diagonal-classes"])
def test_a_mistake_in_float32_is_named_too(name):
    (plant,) = (plant for plant in PLANTS if plant.name == name)
    document = locate_one(plant.network(dtype=np.float32), PROBLEMS[plant.problem], name).document
    (finding,) = document.mistakes
    assert finding.equation == plant.equation
    assert reasons(finding) & wanted(plant)


PAIRS = [
    ("gradient-mean-missing-classes", "slope-missing-classes"),
    ("bias-missing@2-classes", "biases-zero-classes"),
    ("output-sign-classes", "one-plus-square@1-classes"),
    ("loss-sign-classes", "weights-mean-missing-classes"),
    ("slope-at-activation-classes", "biases-sign-classes"),
    ("output-half-numbers", "gradient-sign-numbers"),
]


def together(names):
    plants = [plant for name in names for plant in PLANTS if plant.name == name]
    assert len(plants) == len(names)
    methods = {name: method for plant in plants for name, method in plant.methods.items()}
    return plants, type("Two", (HandWritten,), methods)


@pytest.mark.parametrize("names", PAIRS, ids=str)
def test_two_mistakes_are_both_named(names):
    plants, network = together(names)
    document = locate_one(network, PROBLEMS[plants[0].problem], "Two").document
    assert {finding.equation for finding in document.mistakes} == {plant.equation for plant in plants}
    for plant in plants:
        assert any(reasons(finding) & wanted(plant) for finding in document.mistakes)


@pytest.mark.parametrize("names", PAIRS[:1] + PAIRS[2:3], ids=str)
def test_two_mistakes_of_which_only_steps_are_seen_are_reproduced_together(names):
    plants, network = together(names)
    network.offers = ()
    document = locate_one(network, PROBLEMS[plants[0].problem], "Two").document
    assert len(document.mistakes) == 2
    for plant in plants:
        assert any(reasons(finding) & wanted(plant) for finding in document.mistakes)


@pytest.mark.parametrize("problem", ["momentum", "adam", "adamw", "rmsprop", "adagrad"])
def test_any_two_mistakes_of_an_optimizer_can_be_planted_together(problem):
    """A count from 0 and a correction that multiplies divide by 0: no numbers come out, and no exception."""
    net = net_of(PROBLEMS[problem])
    at = moment(net, np.random.default_rng(0), 3, "a batch")
    mistakes = [one for one in library(net) if one.equation == "update" and "@" not in one.id]
    assert len(mistakes) > 10
    for one, other in combinations(mistakes, 2):
        planted = other.plant(one.plant(REFERENCE))
        assert set(step(net, planted, at, {}, {}, 1).expected) == set(step(net, REFERENCE, at, {}, {}, 1).expected)
