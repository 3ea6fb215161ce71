"""Where several equations make one tensor, the wrong one is told; where the numbers allow several, all of them are."""

import numpy as np
import pytest
from covering import some, weekly
from handwritten import HandWritten
from problems import PROBLEMS

from bench.locate.run import locate_one


def told(problem, network=HandWritten, **methods):
    return locate_one(type("Edited", (network,), methods), PROBLEMS[problem], "Edited").document


def cubic_penalty(s):
    return sum((abs(w) ** 3).sum() for w in s.weights)


def cubic_gradient(s, l):
    return s.weights[l] ** 3


def soft_clip(s, gradients):
    return [g / (1 + np.linalg.norm(g)) for g in gradients] if s.o.clipnorm else gradients


def clip_without_the_limit(s, gradients):
    return [g / max(np.linalg.norm(g), 0.3) for g in gradients] if s.o.clipnorm else gradients


def bent(s, l, z):
    return HandWritten.act(s, l, z) * (1 + 0.1 * np.cos(z))


PARTS = {
    "a penalty": ("penalty", "(D31)", {"penalty": cubic_penalty}),
    "a penalty that nobody asked for": ("classes", "(D31)", {"penalty": cubic_penalty}),
    "its gradient": ("penalty", "(D32)", {"penalty_gradient": cubic_gradient}),
    "its gradient in float32": ("penalty", "(D32)", {"penalty_gradient": cubic_gradient, "dtype": np.float32}),
    "its gradient, seen in steps": ("penalty", "(D32)", {"penalty_gradient": cubic_gradient, "offers": ()}),
    "a gradient beside a penalty": ("penalty", "BP3.2", {"weight_gradient": lambda s, l, d, a: (a**3).T @ d / len(d)}),
    "clipping": ("clipped", "(D29)", {"clip": soft_clip}),
    "a step beside clipping": ("clipped", "(D2)", {"sgd": lambda s, kept, theta, g: theta - g**3}),
    "dropout": ("dropout", "(D35)", {"kept": lambda s, l: s.masks[l] + 0.5 if l in s.masks else 1.0}),
    "an activation beside dropout": ("dropout", "(20)", {"act": bent}),
    "the loss of one example": ("weighted", "(22)", {"loss": lambda s, p, t, z=None: ((p - t) ** 4).sum(axis=1)}),
    "the mean with weights": ("weighted", "(24)", {"total": lambda s, losses: (losses / s.example_weights).mean()}),
    "the mean": ("classes", "(24)", {"total": lambda s, losses: losses.sum() / (len(losses) + 1)}),
    "a cost that reads no example": ("classes", "(22) or (24)", {"total": lambda s, losses: 0.7}),
    "a constant in the cost": (
        "classes",
        "(22) or (24) or (D31)",
        {"total": lambda s, losses: losses.mean() + 0.25},
    ),
}


@pytest.mark.parametrize("case", some(PARTS, 3))
def test_the_part_that_is_wrong_is_told(case):
    problem, equation, methods = PARTS[case]
    first = told(problem, **methods).findings[0]
    assert first.equation == equation
    assert first.causes == ()


class OfOneSpec(HandWritten):
    """Its spec stands in its own code."""

    def __init__(self):
        super().__init__(PROBLEMS["clipped"])


class AlwaysClips(HandWritten):
    """It takes a spec, and cannot do without clipping."""

    def __init__(self, spec):
        super().__init__(spec)
        if spec.optimizer.clipnorm is None:
            raise ValueError("clipnorm is missing")


@pytest.mark.parametrize("network", [OfOneSpec, *weekly(AlwaysClips)])
def test_both_are_told_where_the_network_cannot_do_without_the_option(network):
    first = told("clipped", network, clip=soft_clip).mistakes[0]
    assert first.equation == "(D2) or (D29)"
    assert first.causes == ()


FACTORS = {
    "clipping": ("clipped", {"(D29)"}, HandWritten, {"clip": clip_without_the_limit}),
    "clipping or the rate": ("clipped", {"(D2)", "(D29)"}, OfOneSpec, {"clip": clip_without_the_limit}),
    "dropout": ("dropout", {"(D35)"}, HandWritten, {"kept": lambda s, l: s.masks[l] / 1.5 if l in s.masks else 1.0}),
    "dropout or f": ("classes", {"(20)", "(D35)"}, HandWritten, {"kept": lambda s, l: 2.0}),
}


@pytest.mark.parametrize("case", some(FACTORS, 2))
def test_a_factor_is_told_of_every_equation_that_may_hold_it(case):
    problem, equations, network, methods = FACTORS[case]
    (finding,) = told(problem, network, **methods).mistakes
    assert {reason.equation for reason in finding.causes} == equations
    assert all("a stray factor" in reason.cause for reason in finding.causes)
