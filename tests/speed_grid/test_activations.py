"""Every backend that `scratchbench speed` times has the activation that a cell names, by the same definition."""

import numpy as np
import pytest
from covering import weekly
from scipy.special import erf, expit, softmax

from bench.backends import registry
from bench.backends.registry import BACKENDS
from bench.core.errors import UnsupportedError
from bench.inputs.plan import Plan
from bench.speed.grid import ACTIVATIONS, Grid, GridCell

# PyTorch's compiler imports what PyTorch itself has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

EXAMPLES = 64
FORMULAS = {
    "relu": lambda z: np.where(z > 0.0, z, 0.0),
    "sigmoid": expit,
    "tanh": np.tanh,
    "gelu": lambda z: 0.5 * z * (1.0 + erf(z / np.sqrt(2.0))),  # by tanh it would differ by up to 5e-4
    "silu": lambda z: z * expit(z),
}
REFUSED = {("sklearn", "gelu"), ("sklearn", "silu")}
PAIRS = [(name, activation) for name in BACKENDS for activation in ACTIVATIONS if (name, activation) not in REFUSED]
TRAINED = [(name, activation) for name, activation in PAIRS if name != "torch-compile"]
"""Compiling takes long: `tests/conformance` trains what is compiled, by the same functions as `torch-eager`."""
ALIKE = {"keras-fit-tuned": "keras-fit", "tf-graph": "tf-xla"}
"""Backends that train the model of another one."""


def often(pairs):
    """The pairs; those of a backend that is like another one are left out unless all is tested, but for the first."""
    rare = [pair for pair in pairs if pair[0] in ALIKE and pair[1] != ACTIVATIONS[0]]
    return [*(pair for pair in pairs if pair not in rare), *weekly(*rare)]


def spec_of(activation, dtype="float64"):
    return Grid(dtype=dtype).spec(GridCell("784-30-10", 32, activation))


def examples(dtype):
    """Large enough that the weighted inputs of hidden neurons are between −5 and 5."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(EXAMPLES, 784)).astype(dtype), np.eye(10, dtype=dtype)[rng.integers(0, 10, EXAMPLES)]


def made(name, spec):
    """The backend on that spec; a skip where what it needs is missing."""
    if reason := registry.missing(name):
        pytest.skip(reason)
    kind = registry.load(BACKENDS[name].target)
    if name == "torch-compile" and (reason := kind.unsupported(spec)):
        pytest.skip(reason)
    return kind(spec, Plan(spec, 0).initial_parameters(), *examples(spec.dtype), 2)


@pytest.mark.parametrize(("name", "activation"), often(PAIRS))
def test_the_outputs_are_those_of_the_definition(name, activation):
    spec = spec_of(activation)
    (W, b), (V, c) = Plan(spec, 0).initial_parameters()
    x, _ = examples("float64")
    z = x @ W.T + b
    assert z.min() < -3.0
    assert z.max() > 3.0
    expected = softmax(FORMULAS[activation](z) @ V.T + c, axis=1)
    np.testing.assert_allclose(made(name, spec).predict(x), expected, rtol=1e-6)


@pytest.mark.parametrize(("name", "activation"), often(TRAINED))
def test_an_epoch_in_float64_ends_where_scratchnets_does(name, activation):
    spec, order = spec_of(activation), np.arange(EXAMPLES)
    theirs, ours = made(name, spec), made("scratchnet", spec)
    theirs.train_epoch(order)
    ours.train_epoch(order)
    assert theirs.epoch_cost() == pytest.approx(ours.epoch_cost(), rel=1e-6)
    for (W, b), (V, c) in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert W.dtype == np.float64
        np.testing.assert_allclose(W, V, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(b, c, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_a_peer_without_the_activation_says_so(activation):
    with pytest.raises(UnsupportedError, match=f"scikit-learn has no hidden activation {activation}"):
        made("sklearn", spec_of(activation))
