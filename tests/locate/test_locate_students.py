"""Mistakes as students make them, which once got a wrong verdict: each is told by its own equation and cause."""

import numpy as np
import pytest
from covering import some
from handwritten import LEAKY, SLOPES, VALUES, HandWritten
from problems import PROBLEMS

from bench.locate.problems import spec_of
from bench.locate.run import locate_one

STEPS = {"offers": ()}
LEAKY_NET = spec_of([5, (4, "leaky_relu"), (3, "softmax")], "categorical_crossentropy")
MOMENTUM = {"learning_rate": 0.1, "momentum": 0.9}
SHORT = spec_of([4, (5, "tanh"), (3, "softmax")], "categorical_crossentropy", {"learning_rate": 0.1, "clipnorm": 0.05})


def told(spec, methods):
    spec = PROBLEMS[spec] if isinstance(spec, str) else spec
    return locate_one(type("Student", (HandWritten,), methods), spec, "Student").document


def momentum_of_weights(s, slot, theta, g):
    if slot[0] == "b":
        return theta - s.rate() * g
    return HandWritten.move(s, slot, theta, g)


def turned_velocity(s, slot, theta, g):
    v = s.slots.get(slot, 0.0)
    s.slots[slot] = (-0.9 if slot[0] == "W" else 0.9) * v - s.rate() * g
    return theta + s.slots[slot]


def adam(form):
    """`move` of Adam from β₁, β₂, ε, the count of steps, and the means."""

    def move(s, slot, theta, g):
        o = s.o
        m, v = s.slots.get(slot, (0.0, 0.0))
        m, v = o.beta_1 * m + (1 - o.beta_1) * g, o.beta_2 * v + (1 - o.beta_2) * g * g
        s.slots[slot] = m, v
        t = 4 * (s.count - 1) + 2 * slot[1] + (slot[0] == "b") + 1
        return theta - s.rate() * form(o, t, s.count, m, v)

    return {"move": move}


def paper(o, t, m, v):
    return m / (1 - o.beta_1**t) / (np.sqrt(v / (1 - o.beta_2**t)) + o.epsilon)


def swapped(o, _, t, m, v):
    return m / (1 - o.beta_2**t) / (np.sqrt(v / (1 - o.beta_1**t)) + o.epsilon)


def without_root(o, _, t, m, v):
    return m / (1 - o.beta_1**t) / (v / (1 - o.beta_2**t) + o.epsilon)


def leaky(value, slope):
    """Another slope of the negative side, of the value and of its derivative."""
    return {
        "act": lambda s, l, z: np.where(z > 0, z, value * z) if s.names[l] == "leaky_relu" else VALUES[s.names[l]](z),
        "slope": lambda s, l, z, a: np.where(z > 0, 1.0, slope) if l == 0 else SLOPES[s.names[l]](z, a),
    }


SUMMED = {
    "weight_gradient": lambda s, l, delta, below: below.T.dot(delta),
    "bias_gradient": lambda s, l, delta: delta.sum(axis=0),
}
BY_INPUTS = {
    "weight_gradient": lambda s, l, delta, below: below.T.dot(delta) / s.weights[0].shape[0],
    "bias_gradient": lambda s, l, delta: delta.sum(axis=0) / s.weights[0].shape[0],
}


def smoothed(target):
    return {"smooth": lambda s, t: target(t, s.spec.label_smoothing), "offers": ("cost", "gradients")}


def online(share):
    """An update after each example."""

    def step(s, X, Y):
        for x, y in zip(X, Y, strict=True):
            dW, db = s.all_gradients(x[None], y[None])
            by = s.rate() / (len(X) if share else 1)
            s.weights = [w - by * g for w, g in zip(s.weights, dW, strict=True)]
            s.biases = [b - by * g for b, g in zip(s.biases, db, strict=True)]

    return {"step": step}


def early(s, X, Y):
    """The error goes back through weights that have been updated."""
    zs, acts = s.run(X)
    delta, last = acts[-1] - Y, len(s.weights) - 1
    for l in range(last, -1, -1):
        dW, db = acts[l].T.dot(delta) / len(X), delta.mean(axis=0)
        s.weights[l] = s.weights[l] - s.rate() * dW
        s.biases[l] = s.biases[l] - s.rate() * db
        if l:
            delta = delta.dot(s.weights[l].T) * s.slope(l - 1, zs[l - 1], acts[l])


def clip(shorten):
    return {"clip": lambda s, gradients: [shorten(g, s.o.clipnorm) for g in gradients], **STEPS}


CASES = {
    "momentum of the weights alone": ("momentum", "(D10)", "biases-momentum-missing", {"move": momentum_of_weights}),
    "in steps alone": ("momentum", "(D10)", "biases-momentum-missing", {"move": momentum_of_weights, **STEPS}),
    "a velocity that turns": ("momentum", "(D10)", "weights-momentum-sign", {"move": turned_velocity, **STEPS}),
    "Adam without corrections": (
        "adam",
        "(D20)",
        "adam-not-corrected",
        {**adam(lambda o, _, t, m, v: m / (np.sqrt(v) + o.epsilon)), **STEPS},
    ),
    "Adam without one correction": (
        "adam",
        "(D20)",
        "adam-square-not-corrected",
        adam(lambda o, _, t, m, v: m / (1 - o.beta_1**t) / (np.sqrt(v) + o.epsilon)),
    ),
    "clipping of elements": (SHORT, "(D29)", "clipped-by-value", clip(lambda g, c: np.clip(g, -c, c))),
    "clipping by the squared norm": (SHORT, "(D29)", "norm-squared", clip(lambda g, c: g * min(1, c / (g * g).sum()))),
    "clipping by another norm": (
        SHORT,
        "(D29)",
        "norm-of-absolutes",
        clip(lambda g, c: g * min(1, c / np.abs(g).sum())),
    ),
    "an addend of s / 2": ("smoothed", "(22)", "smoothed-by-2", smoothed(lambda t, s: t * (1 - s) + s / 2)),
    "an addend of s / M": ("smoothed", "(22)", "smoothed-by-M", smoothed(lambda t, s: t * (1 - s) + s / len(t))),
    "no addend": ("smoothed", "(22)", "smoothed-not-added", smoothed(lambda t, s: t * (1 - s))),
    "an update after each example": ("classes", "(D2)", "online", {**online(False), **STEPS}),
    "by its share": ("classes", "(D2)", "online-over-M", online(True)),
    "n_0 for M": ("classes", "BP3.2 and BP4.2", "gradient-by-inputs", BY_INPUTS),
}


@pytest.mark.parametrize("case", CASES)
def test_the_cause_is_told(case):
    spec, equation, id, methods = CASES[case]
    (finding,) = told(spec, methods).mistakes
    assert finding.equation == equation
    assert finding.causes[0].id == id


TOGETHER = {
    "ε of the paper, and a count": (
        "adam",
        "adam-epsilon-of-algorithm-1",
        "adam-count-of-tensors",
        adam(lambda o, t, _, m, v: paper(o, t, m, v)),
    ),
    "ε of the paper, and no root": ("adam", "adam-epsilon-of-algorithm-1", "adam-without-root", adam(without_root)),
    "a slope of 0.2, and a sum": (
        LEAKY_NET,
        "leaky-slope-0.2",
        "gradient-mean-missing",
        {**leaky(0.2, 0.2), **SUMMED, **STEPS},
    ),
    "a slope of 0.2, and another derivative": (
        LEAKY_NET,
        "leaky-slope-0.2",
        "slope-of-negative-side-0.01",
        {**leaky(0.2, 0.01), **STEPS},
    ),
}


@pytest.mark.parametrize("case", TOGETHER)
def test_a_small_convention_hides_no_mistake(case):
    spec, convention, id, methods = TOGETHER[case]
    findings = told(spec, methods).findings
    assert [finding.kind for finding in findings] == ["mistake", "convention"]
    assert [finding.causes[0].id for finding in findings] == [id, convention]


def test_beside_a_small_convention_an_unknown_mistake_has_its_own_equation():
    findings = told(LEAKY_NET, {**leaky(0.2, 0.07), **STEPS}).findings
    assert [finding.kind for finding in findings] == ["mistake", "convention"]
    assert (findings[0].equation, findings[0].layer, findings[0].causes) == ("BP2.2", 1, ())
    assert findings[1].causes[0].id == "leaky-slope-0.2"


def test_the_corrections_may_be_exchanged():
    findings = told("adam", adam(swapped)).findings
    assert "adam-corrections-swapped" in [finding.causes[0].id for finding in findings]
    assert all(finding.causes for finding in findings)


def test_keras_slope_is_no_convention():
    assert told(LEAKY_NET, leaky(LEAKY, LEAKY)).findings == ()


def bent_memory(s, slot, theta, g):
    v = s.slots.get(slot, 0.0)
    s.slots[slot] = 0.9 * np.tanh(5 * v) - s.rate() * g if slot[0] == "b" else 0.9 * v - s.rate() * g
    return theta + s.slots[slot]


def cubed_penalty(s, x, t):
    dW, db = HandWritten.all_gradients(s, x, t)
    return dW, [g + 0.1 * b**3 for g, b in zip(db, s.biases, strict=True)]


def online_with_momentum(s, X, Y):
    """Each example moves the parameters, and the velocity remembers each."""
    s.count += 1
    for x, y in zip(X, Y, strict=True):
        dW, db = s.all_gradients(x[None], y[None])
        s.weights = [s.move(("W", l), w, g) for l, (w, g) in enumerate(zip(s.weights, dW, strict=True))]
        s.biases = [s.move(("b", l), b, g) for l, (b, g) in enumerate(zip(s.biases, db, strict=True))]


UNKNOWN = {
    "an update after each example, with momentum": (
        "momentum",
        "(D10) or BP3.2",
        {"step": online_with_momentum, **STEPS},
    ),
    "memory of the biases": ("momentum", "(D10)", {"move": bent_memory, **STEPS}),
    "a gradient over its largest element": (
        "classes",
        "(D2)",
        {"move": lambda s, slot, theta, g: theta - s.rate() * g / np.abs(g).max(), **STEPS},
    ),
    "targets of one's own, or other outputs": (
        "smoothed",
        "(18) or (20) or (22)",
        smoothed(lambda t, s: t * (1 - 2 * s) + 0.03),
    ),
    "another loss with its own gradient, or other outputs": (
        "numbers",
        "(18) or (20) or (22)",
        {
            "loss": lambda s, p, t, z=None: ((p - t) ** 4).sum(axis=1),
            "output_delta": lambda s, z, p, t: 4 * (p - t) ** 3,
            "offers": ("cost", "gradients"),
        },
    ),
    "what follows from the parameters": (
        "penalty",
        "(D32)",
        {
            "penalty_gradient": lambda s, l: s.weights[l] ** 3,
            "all_gradients": cubed_penalty,
            "offers": ("forward", "cost", "gradients"),
        },
    ),
}


@pytest.mark.parametrize("case", some(UNKNOWN, 3))
def test_one_equation_is_told_where_the_cause_is_not_known(case):
    spec, equation, methods = UNKNOWN[case]
    (finding,) = told(spec, methods).mistakes
    assert (finding.equation, finding.causes) == (equation, ())


def test_a_step_may_have_a_gradient_of_its_own():
    (finding,) = told("classes", {"step": early}).mistakes
    assert (finding.equation, finding.causes[0].id) == ("BP2.2", "weights-changed-before")
    assert finding.note.startswith("step() does not use the gradient that gradients() reports")


def stale(s, X, Y):
    """The first batch's gradient is used again."""
    s.first = getattr(s, "first", None) or s.all_gradients(X, Y)
    dW, db = s.first
    s.weights = [w - s.rate() * g for w, g in zip(s.weights, dW, strict=True)]
    s.biases = [b - s.rate() * g for b, g in zip(s.biases, db, strict=True)]


def test_right_gradients_leave_the_step_alone():
    (finding,) = told("momentum", {"step": lambda s, X, Y: stale(s, X, Y)}).mistakes
    assert (finding.equation, finding.causes) == ("(D10)", ())
    assert "another gradient" in finding.note


SUMS = {
    "cost": lambda s, X, Y: HandWritten.cost(s, X, Y) * len(X),
    "weight_gradient": lambda s, l, delta, below: HandWritten.weight_gradient(s, l, delta, below) * len(delta),
    "bias_gradient": lambda s, l, delta: HandWritten.bias_gradient(s, l, delta) * len(delta),
}


@pytest.mark.parametrize("offers", [("cost",), ("cost", "gradients"), HandWritten.offers], ids=" ".join)
def test_a_sum_for_the_mean_hides_no_mistake(offers):
    document = told("classes", {**SUMS, "slope": lambda s, l, z, a: 1.0, "offers": offers})
    assert [(finding.equation, finding.causes[0].id) for finding in document.mistakes] == [("BP2.2", "slope-missing")]
    assert [finding.causes[0].id for finding in document.findings if finding.kind == "convention"] == ["sum-for-mean"]


def plain_log(s, p, t, z=None):
    """It is infinite, or no number, where an output is rounded to 0."""
    with np.errstate(all="ignore"):
        return -(t * np.log(p)).sum(axis=1)


def greatest_square(o, slots, theta, g, rate, t):
    """Adam with the greatest mean square so far, as AMSGrad has it."""
    m, v, most = slots.get("all", (0.0, 0.0, 0.0))
    m, v = o.beta_1 * m + (1 - o.beta_1) * g, o.beta_2 * v + (1 - o.beta_2) * g * g
    most = np.maximum(most, v)
    slots["all"] = m, v, most
    alpha = rate * np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t)
    return theta - alpha * m / (np.sqrt(most) + o.epsilon)


def bent_step(o, slots, theta, g, rate, t):
    """Adam's step, and what is off in its first step already."""
    return greatest_square(o, slots, theta, g, rate, t) + 0.1 * rate * np.tanh(g)


OWN_UPDATES = {"off from the second step on": greatest_square, "off from the first step on": bent_step}


def own_adam(rule):
    return {"adam": lambda s, slots, theta, g: rule(s.o, slots, theta, g, s.rate(), s.count)}


@pytest.mark.parametrize("rule", OWN_UPDATES)
@pytest.mark.parametrize("offers", [("cost", "gradients"), HandWritten.offers], ids=" ".join)
def test_an_update_of_ones_own_is_a_mistake_whatever_the_cost_does_with_large_numbers(rule, offers):
    document = told("adam", {**own_adam(OWN_UPDATES[rule]), "loss": plain_log, "offers": offers})
    assert {finding.equation for finding in document.mistakes} == {"(D20)"}
    assert {finding.kind for finding in document.findings} <= {"mistake", "overflow"}


OWN_PENALTY = {
    "penalty": lambda s: sum(0.05 * (w**4).sum() for w in s.weights),
    "penalty_gradient": lambda s, l: 0.2 * s.weights[l] ** 3,
}


@pytest.mark.parametrize("rule", some(OWN_UPDATES, 1))
def test_an_update_of_ones_own_is_a_mistake_beside_a_cost_of_ones_own(rule):
    document = told("adam", {**own_adam(OWN_UPDATES[rule]), **OWN_PENALTY, "offers": ("cost", "gradients")})
    assert {(one.kind, one.equation) for one in document.findings if one.tensor.startswith("update")} == {
        ("mistake", "(D20)")
    }
    assert "convention" in {finding.kind for finding in document.findings}


JOINT = spec_of(
    [4, (5, "tanh"), (3, "softmax")], "categorical_crossentropy", {"learning_rate": 0.1, "global_clipnorm": 0.05}
)
VALUE = spec_of([4, (5, "tanh"), (3, "softmax")], "categorical_crossentropy", {"learning_rate": 0.1, "clipvalue": 0.01})


@pytest.mark.parametrize(("spec", "equation"), [(VALUE, "(D28)"), (SHORT, "(D29)"), (JOINT, "(D30)")])
def test_clipping_has_the_number_of_the_equation_that_the_spec_asks_for(spec, equation):
    (finding,) = told(spec, {"clip": lambda s, gradients: gradients}).mistakes
    assert (finding.equation, finding.causes[0].equation, finding.causes[0].id) == (
        equation,
        equation,
        "clipping-missing",
    )


def biases_not_clipped(s, gradients):
    return [c if g.ndim > 1 else g for c, g in zip(HandWritten.clip(s, gradients), gradients, strict=True)]


@pytest.mark.parametrize("offers", [(), ("cost", "gradients")], ids=" ".join)
def test_what_is_wrong_only_where_a_gradient_is_clipped_is_clipping(offers):
    (finding,) = told(JOINT, {"clip": biases_not_clipped, "offers": offers}).mistakes
    assert (finding.equation, finding.causes) == ("(D30)", ())


def test_a_gradient_of_zeros_ends_no_search():
    """The reference would scale it to the limit; a network whose layer is dead divides by 0."""
    dead = spec_of(
        [4, (5, "relu"), (3, "softmax")], "categorical_crossentropy", {"learning_rate": 0.1, "clipnorm": 0.05}
    )
    document = told(dead, {"act": lambda s, l, z: HandWritten.act(s, l, z) * (l > 0), "offers": ()})
    assert document.mistakes


EPSILON = spec_of(
    [5, (6, "tanh"), (3, "softmax")], "categorical_crossentropy", {"name": "adagrad", "learning_rate": 0.1}
)


def squares_before(s, slots, theta, g):
    """The sum of squares without the newest, and another epsilon."""
    total = slots.get("sum", s.o.initial_accumulator_value)
    slots["sum"] = total + g * g
    return theta - s.rate() * g / np.sqrt(total + 0.3 * g * g + s.o.epsilon)


def test_steps_in_the_order_of_the_right_gradient_blame_the_step():
    (finding,) = told(EPSILON, {"adagrad": squares_before, **STEPS}).mistakes
    assert (finding.equation, finding.causes) == ("(D15)", ())
    assert "report gradients" in finding.note


def test_targets_in_place_of_which_the_likeliest_class_is_taken_are_no_sum():
    """Right wherever the network is right, as for some single examples."""

    def output_delta(s, z, p, t):
        return p - np.eye(p.shape[1])[p.argmax(axis=1)]

    (finding,) = told(LEAKY_NET, {"output_delta": output_delta, **STEPS}).mistakes
    assert "BP1.2" in finding.equation
    assert finding.causes == ()


@pytest.mark.parametrize("factor", [2.0, 10.0])
def test_a_rate_of_the_biases_alone_is_told(factor):
    def move(s, slot, theta, g):
        return theta - s.rate() * (factor if slot[0] == "b" else 1.0) * g

    (finding,) = told("classes", {"move": move, "offers": ("gradients",)}).mistakes
    assert (finding.equation, finding.causes[0].id.partition("-")[0]) == ("(D2)", "biases")


def test_an_example_that_is_left_out_is_told_of_the_sums():
    def weight_gradient(s, l, delta, below):
        return below[:-1].T.dot(delta[:-1]) / len(delta)

    def bias_gradient(s, l, delta):
        return delta[:-1].sum(axis=0) / len(delta)

    methods = {"weight_gradient": weight_gradient, "bias_gradient": bias_gradient, "offers": ("gradients",)}
    (finding,) = told("classes", methods).mistakes
    assert (finding.equation, finding.causes[0].id) == ("BP3.2 and BP4.2", "without-last-example-over-M")
