"""Optimizers, schedules and clipping against their formulas in plain loops, and training against all of them."""

import copy
import functools
import tracemalloc
from collections import defaultdict
from itertools import cycle, islice

import numpy as np
import pytest
import slow
from covering import covering
from hypothesis import given, settings
from hypothesis import strategies as st

from scratchnet import SGD, AdamW, Dense, Network, RMSprop, engine
from scratchnet.activations import ACTIVATIONS
from scratchnet.clipping import CLIPPINGS
from scratchnet.losses import LOSSES
from scratchnet.optimizers import OPTIMIZERS
from scratchnet.parameters import Parameters
from scratchnet.schedules import ExponentialDecay

NUMBER = st.floats(-10, 10)
WIDTHS = (2, 2, 1)
GRADIENTS = st.lists(st.lists(NUMBER, min_size=9, max_size=9), min_size=1, max_size=6)
FRACTION = st.sampled_from([0.0, 0.03, 0.3, 0.9, 0.999])
EPSILON = st.sampled_from([1e-7, 1e-3])
SETTINGS = {
    "sgd": st.one_of(
        st.fixed_dictionaries({"momentum": FRACTION}),
        st.fixed_dictionaries({"momentum": st.sampled_from([0.3, 0.9]), "nesterov": st.booleans()}),
    ),
    "rmsprop": st.fixed_dictionaries({"rho": FRACTION, "momentum": FRACTION, "epsilon": EPSILON}),
    "adam": st.fixed_dictionaries({"beta_1": FRACTION, "beta_2": FRACTION, "epsilon": EPSILON}),
    "adamw": st.fixed_dictionaries({"weight_decay": st.sampled_from([0.0, 0.004, 0.3]), "beta_1": FRACTION}),
    "adagrad": st.fixed_dictionaries(
        {"initial_accumulator_value": st.sampled_from([0.0, 0.1, 1.0]), "epsilon": EPSILON}
    ),
}
RATES = {"constant": 0.05, "schedule": ExponentialDecay(0.05, 2, 0.5)}
VARIANTS = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "rmsprop": {},
    "rmsprop with momentum": {"momentum": 0.9},
    "centered rmsprop": {"centered": True},
    "adam": {},
    "adamw": {"weight_decay": 0.1},
    "adagrad": {},
}
CLIPPING = {"none": {}, **{name: {name: limit} for name, limit in zip(CLIPPINGS, (0.3, 0.5, 0.1), strict=True)}}


@pytest.fixture(params=["passes", "loop"], autouse=True)
def updates(request, monkeypatch):
    """By NumPy, and as the engine's kernel."""
    if request.param == "loop":
        pytest.importorskip("numba")
    monkeypatch.setenv(engine.VARIABLE, "numba" if request.param == "loop" else "numpy")
    return request.param


def kind_of(variant):
    return next((name for name in OPTIMIZERS if name in variant.split()), "sgd")


def variant_of(variant, **more):
    return OPTIMIZERS[kind_of(variant)](**VARIANTS[variant], **more)


def rate_of(rate):
    return rate if callable(rate) else lambda step: rate


def attached(optimizer, vector, dtype="float64"):
    parameters = Parameters(WIDTHS, dtype)
    parameters.vector[...] = vector
    optimizer.attach(parameters)
    return parameters


def update(optimizer, g):
    """As the product of BP3 and BP4 accumulates: target ← beta · target + scale · g."""
    target = optimizer.target.vector
    target[...] = optimizer.beta * target + optimizer.scale * np.asarray(g, target.dtype)
    if engine.library() == "numpy":
        optimizer.finish()
    else:
        finish_by_kernel(optimizer)


def finish_by_kernel(optimizer):
    """What `finish` does, the update by the kernel of the engine."""
    from scratchnet.engine.tables import update_of

    if optimizer.clipping:
        name, limit = optimizer.clipping
        CLIPPINGS[name](optimizer.target, optimizer._clip_scratch, limit)
    theta, nothing = optimizer._theta, np.zeros(9, optimizer._theta.dtype)
    factors = np.zeros(9, theta.dtype)
    taken = optimizer.take(1)[0, 1:]
    optimizer.steps += 1
    factors[: len(taken)] = taken
    kernel()(update_of(optimizer), theta, optimizer.target.vector, *[*optimizer.kept, *[nothing] * 3][:3], factors)


@functools.cache
def kernel():
    import numba

    from scratchnet.engine.choosing import update as kernel_of
    from scratchnet.engine.compiling import OPTIONS

    @numba.njit(**OPTIONS)
    def one(number, theta, g, u, v, w, factors):
        kernel_of(number, theta, g, u, v, w, factors)

    return one


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("name", OPTIMIZERS)
@settings(deadline=None, max_examples=50)
@given(data=st.data(), gradients=GRADIENTS, start=st.lists(NUMBER, min_size=9, max_size=9))
def test_each_update_is_the_formulas(name, rate, data, gradients, start):
    options, rate = data.draw(SETTINGS[name]), RATES[rate]
    optimizer = OPTIMIZERS[name](rate, **options)
    parameters = attached(optimizer, start)
    for g in gradients:
        update(optimizer, g)
    columns = zip(*gradients, strict=True)
    expected = [
        slow.minimized(name, theta, one, rate_of(rate), **options) for theta, one in zip(start, columns, strict=True)
    ]
    np.testing.assert_allclose(parameters.vector, expected, rtol=1e-10, atol=1e-10)


@settings(deadline=None, max_examples=50)
@given(gradients=GRADIENTS, rho=st.sampled_from([0.3, 0.9]), momentum=FRACTION)
def test_centered_rmsprop_is_the_formulas(gradients, rho, momentum):
    """ε = 1e-3: v − ḡ² of like gradients is a small difference of large numbers, which no two orders round alike."""
    options = {"rho": rho, "momentum": momentum, "epsilon": 1e-3, "centered": True}
    optimizer = RMSprop(0.05, **options)
    parameters = attached(optimizer, np.ones(9))
    for g in gradients:
        update(optimizer, g)
    expected = [slow.minimized("rmsprop", 1.0, one, lambda _: 0.05, **options) for one in zip(*gradients, strict=True)]
    np.testing.assert_allclose(parameters.vector, expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e-3, 1.0, 10.0, 1e3])
def test_centered_rmsprop_stays_finite_under_a_gradient_that_hardly_changes(size, dtype):
    """Rounding makes v − ḡ² negative then."""
    optimizer, rng = RMSprop(0.001, centered=True), np.random.default_rng(0)
    parameters = attached(optimizer, np.zeros(9), dtype)
    for _ in range(200):
        update(optimizer, size * (1 + 1e-4 * rng.normal(size=9)))
    assert np.isfinite(parameters.vector).all()


SMALL = [0.0, 0.03, 0.5]
CENTERED = {"centered": True, "epsilon": 1e-3}
OF_SMALL_MEANS = [
    *(("rmsprop", {"rho": rho, **more}) for rho in SMALL for more in ({}, {"momentum": 0.5}, CENTERED)),
    *(("adam", {"beta_1": one, "beta_2": two}) for one in SMALL for two in SMALL),
    *(("adamw", {"beta_1": one, "beta_2": one, "weight_decay": 0.1}) for one in SMALL),
]


@pytest.mark.parametrize(("name", "options"), OF_SMALL_MEANS, ids=str)
def test_a_mean_with_a_small_factor_forgets_a_large_gradient(name, options):
    """In float32 mean + (1 − β) (g² − mean) would keep of a small g² only what the digits of a large mean leave."""
    optimizer, state = OPTIMIZERS[name](0.001, **options), defaultdict(float)
    parameters = attached(optimizer, np.zeros(9), "float32")
    for t, g in enumerate([100.0, 0.01, -0.02, 50.0, 0.03], 1):
        parameters.vector[...] = 0.0  # or the step would lose digits to what is there
        update(optimizer, np.full(9, g))
        step = slow.RULES[name](state, 0.0, g, 0.001, t, **options)
        np.testing.assert_allclose(parameters.vector, step, rtol=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_defaults_are_those_of_the_formulas(name):
    optimizer, gradients = OPTIMIZERS[name](), [0.7, -0.4, 0.2]
    parameters = attached(optimizer, np.ones(9))
    for g in gradients:
        update(optimizer, np.full(9, g))
    expected = slow.minimized(name, 1.0, gradients, rate_of(0.01 if name == "sgd" else 0.001))
    np.testing.assert_allclose(parameters.vector, np.full(9, expected), rtol=1e-13)


@pytest.mark.parametrize("variant", VARIANTS)
def test_steps_are_counted_and_a_copy_starts_anew(variant):
    optimizer = variant_of(variant, learning_rate=ExponentialDecay(0.05, 1, 0.5))
    rng = np.random.default_rng(0)
    gradients, results = rng.normal(size=(4, 9)), []
    for _ in range(2):
        optimizer = copy.deepcopy(optimizer)
        parameters = attached(optimizer, np.ones(9))
        assert (optimizer.steps, optimizer.learning_rate) == (0, 0.05)
        for g in gradients:
            update(optimizer, g)
        assert (optimizer.steps, optimizer.learning_rate) == (4, 0.05 / 16)
        results.append(parameters.vector)
    np.testing.assert_array_equal(*results)


def test_adamw_decays_biases_as_well_and_without_a_gradient_nothing_else_moves():
    optimizer = AdamW(0.1, weight_decay=0.5)
    parameters = attached(optimizer, np.arange(9.0))
    for _ in range(3):
        update(optimizer, np.zeros(9))
    np.testing.assert_allclose(parameters.vector, np.arange(9.0) * (1 - 0.1 * 0.5) ** 3, rtol=1e-14)


def clip(name, g, limit, dtype="float64"):
    """The gradient g after clipping: what one step of rate 1 takes from θ = 0."""
    parameters = attached(optimizer := SGD(1.0, **{name: limit}), np.zeros(9), dtype)
    update(optimizer, g)
    np.negative(parameters.vector, out=parameters.vector)
    return parameters


@pytest.mark.parametrize("name", CLIPPINGS)
@given(g=st.lists(NUMBER, min_size=9, max_size=9), limit=st.floats(0.01, 50))
def test_clipping_is_its_formula_keeps_to_its_limit_and_happens_once(name, g, limit):
    clipped = clip(name, g, limit)
    np.testing.assert_allclose(clipped.vector, slow.clip(clipped, g, **{name: limit}), rtol=1e-12, atol=1e-300)
    variables = {
        "clipnorm": [np.linalg.norm(view) for view in (*clipped.weights, *clipped.biases)],
        "global_clipnorm": [np.linalg.norm(clipped.vector)],
        "clipvalue": np.abs(clipped.vector),
    }[name]
    assert max(variables) <= limit * (1 + 1e-14)
    np.testing.assert_allclose(clip(name, clipped.vector, limit).vector, clipped.vector, rtol=1e-14)


@given(g=st.lists(NUMBER, min_size=9, max_size=9), limit=st.floats(0.01, 50))
def test_clipping_by_the_joint_norm_keeps_the_direction_and_a_gradient_within_the_limit(g, limit):
    clipped, norm = clip("global_clipnorm", g, limit).vector, np.linalg.norm(g)
    np.testing.assert_allclose(clipped * norm, np.array(g) * np.linalg.norm(clipped), atol=1e-10)
    if norm <= limit:
        np.testing.assert_allclose(clipped, g, rtol=1e-15)


@pytest.mark.parametrize("name", CLIPPINGS)
def test_a_gradient_of_zero_is_clipped_to_zero(name):
    assert not clip(name, np.zeros(9), 0.5, "float32").vector.any()


def network(layers=((5, "tanh"),), outputs=3, inputs=4, **options):
    options = {"dtype": "float64", **options}
    return Network(inputs, [*(Dense(n, f) for n, f in layers), Dense(outputs, "softmax")], **options)


HIDDEN = [(), ("tanh",), ("relu", "softmax", "gelu")]


@pytest.mark.parametrize(
    ("variant", "regularizer", "clipping", "batch_size", "hidden"),
    [
        *covering(VARIANTS, [{}, {"l1": 0.05}, {"l2": 0.1}, {"l1": 0.02, "l2": 0.1}], CLIPPING, [1, 3, 7, 9], HIDDEN),
        ("sgd", {"l2": 0.1}, "none", 3, HIDDEN[-1]),  # the product changes the weights themselves: order matters
    ],
    ids=str,
)
def test_training_is_the_formula_along_the_reported_gradient(variant, regularizer, clipping, batch_size, hidden):
    """Epochs of 7 examples, with a short last batch or the whole set at once; the rate falls from step to step."""
    rng = np.random.default_rng(0)
    X, y, rate = rng.normal(size=(7, 4)), rng.integers(0, 3, 7), ExponentialDecay(0.1, 2, 0.7)
    layers, optimizer = [(5, name) for name in hidden], variant_of(variant, learning_rate=rate, **CLIPPING[clipping])
    trained, by_hand = network(layers, optimizer=optimizer, **regularizer), network(layers, **regularizer)
    order = rng.permutation(7)
    trained.train_epoch(trained.prepare(X, y), order, batch_size)
    slow.train(by_hand, X, y, order, batch_size, kind_of(variant), rate, CLIPPING[clipping], **VARIANTS[variant])
    np.testing.assert_allclose(trained.parameters.vector, by_hand.parameters.vector, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("variant", VARIANTS)
def test_training_continues_over_epochs_as_if_they_were_one(variant):
    rng = np.random.default_rng(0)
    X, y, halves = rng.normal(size=(8, 4)), rng.integers(0, 3, 8), (np.arange(4), np.arange(4, 8))
    whole, in_two = (network(optimizer=variant_of(variant)) for _ in range(2))
    whole.train_epoch(whole.prepare(X, y), np.arange(8), 2)
    for half in halves:
        in_two.train_epoch(in_two.prepare(X, y), half, 2)
    np.testing.assert_array_equal(whole.parameters.vector, in_two.parameters.vector)


def peak_of_the_steps(width, batch_size, hidden="relu", loss="categorical_crossentropy", **options):
    """Bytes allocated at most in an epoch."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(512, 20)), rng.integers(0, 32, 512)
    layers = [(width, hidden), (width, hidden)]
    net = network(layers, outputs=32, inputs=20, loss=loss, dtype="float32", **options)
    prepared, order = net.prepare(X, y, np.ones(512)), np.arange(512)
    net.train_epoch(prepared, order, batch_size)
    tracemalloc.start()
    net.train_epoch(prepared, order, batch_size)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


SOFTMAX_LOSSES = [name for name in LOSSES if "softmax" in LOSSES[name].outputs]
EACH_ONCE = [
    tuple(islice(cycle(names), len(ACTIVATIONS))) for names in (VARIANTS, ACTIVATIONS, SOFTMAX_LOSSES, CLIPPING)
]


@pytest.mark.parametrize(("variant", "hidden", "loss", "clipping"), list(zip(*EACH_ONCE, strict=True)))
def test_no_step_allocates_what_grows_with_network_or_batch(updates, variant, hidden, loss, clipping):
    """The same examples, so the same epoch-long arrays: only what a step allocates could differ.

    NumPy casts through a buffer of at most 8,192 elements; the smallest network here fills it already.
    """
    options = {"hidden": hidden, "loss": loss, "l1": 0.01, "l2": 0.1}
    sizes = [(128, 256), (512, 256), (128, 512), (512, 512)]
    smallest, *others = (
        peak_of_the_steps(*size, optimizer=variant_of(variant, **CLIPPING[clipping]), **options) for size in sizes
    )
    assert max(others) - smallest < 4096
