"""Mistakes planted by hand into the hand-written network, each with the equation and the cause that must be named.

They are written as somebody would write them, in the network's own layout, and share nothing with the library.
"""

from dataclasses import dataclass, field

import numpy as np
from handwritten import HandWritten


@dataclass(frozen=True)
class Plant:
    """id : that of the library, without a layer; where : the layer, None for all; methods replace the network's."""

    id: str
    equation: str
    problem: str
    methods: dict = field(hash=False)
    where: int | None = None

    @property
    def name(self):
        return f"{self.id}{'' if self.where is None else f'@{self.where}'}-{self.problem}"

    def network(self, **attributes):
        return type("Planted", (HandWritten,), {**self.methods, **attributes})


def other(name, wrong, layer=None):
    """A method that is `wrong` at one layer (from 1), or at all; `right` is that of the network."""
    right = getattr(HandWritten, name)

    def method(self, l, *arguments):
        here = layer is None or l == layer - 1
        return wrong(self, l, *arguments) if here else right(self, l, *arguments)

    return {name: method}


def scaled(name, factor):
    """A method whose result is off by a factor, which may depend on the network and its arguments."""
    right = getattr(HandWritten, name)

    def method(self, *arguments):
        return right(self, *arguments) * (factor(self, *arguments) if callable(factor) else factor)

    return {name: method}


def sig(z):
    return 1 / (1 + np.exp(-z))


def forward():
    z18 = "(18)"
    yield Plant("bias-missing", z18, "classes", other("weighted", lambda s, l, a: a @ s.weights[l]))
    yield Plant("bias-missing", z18, "classes", other("weighted", lambda s, l, a: a @ s.weights[l], 2), 2)
    yield Plant("bias-twice", z18, "classes", other("weighted", lambda s, l, a: a @ s.weights[l] + s.biases[l] * 2))
    yield Plant("bias-subtracted", z18, "numbers", other("weighted", lambda s, l, a: a @ s.weights[l] - s.biases[l]))
    yield Plant(
        "weights-transposed", z18, "square", other("weighted", lambda s, l, a: a @ s.weights[l].T + s.biases[l], 2), 2
    )
    yield Plant(
        "mean-of-inputs", z18, "classes", other("weighted", lambda s, l, a: a @ s.weights[l] / a.shape[1] + s.biases[l])
    )
    yield Plant(
        "absolute-weights", z18, "relu", other("weighted", lambda s, l, a: a @ abs(s.weights[l]) + s.biases[l], 3), 3
    )
    yield Plant("activation-only-is-linear", "(20)", "classes", other("act", lambda s, l, z: z, 1), 1)
    yield Plant("activation-only-is-tanh", "(20)", "classes", other("act", lambda s, l, z: np.tanh(z), 2), 2)
    yield Plant("activation-only-is-relu", "(20)", "squares", other("act", lambda s, l, z: np.maximum(z, 0), 1), 1)
    yield Plant("activation-twice", "(20)", "classes", other("act", lambda s, l, z: np.tanh(np.tanh(z)), 1), 1)
    yield Plant("sigmoid-of-minus-z", "(20)", "classes", other("act", lambda s, l, z: 1 / (1 + np.exp(z)), 2), 2)
    yield Plant("sigmoid-sharper", "(20)", "squares", other("act", lambda s, l, z: sig(2 * z), 1), 1)
    yield Plant("tanh-of-half", "(20)", "classes", other("act", lambda s, l, z: 2 * sig(z) - 1, 1), 1)
    yield Plant("relu-absolute", "(20)", "relu", other("act", lambda s, l, z: abs(z), 2), 2)
    yield Plant("relu-of-minus-z", "(20)", "relu", other("act", lambda s, l, z: np.minimum(z, 0), 1), 1)
    yield Plant("relu-clipped-at-1", "(20)", "relu", other("act", lambda s, l, z: np.clip(z, 0, 1), 1), 1)
    yield Plant(
        "softmax-over-the-batch",
        "(20)",
        "classes",
        other("act", lambda s, l, z: np.exp(z) / np.exp(z).sum(axis=0), 3),
        3,
    )
    yield Plant(
        "softmax-over-everything", "(20)", "classes", other("act", lambda s, l, z: np.exp(z) / np.exp(z).sum(), 3), 3
    )
    yield Plant("softmax-exp-only", "(20)", "classes", other("act", lambda s, l, z: np.exp(z), 3), 3)
    yield Plant(
        "softmax-by-the-largest",
        "(20)",
        "classes",
        other("act", lambda s, l, z: np.exp(z) / np.exp(z).max(axis=1, keepdims=True), 3),
        3,
    )
    kept = {
        "dropout-not-scaled": lambda m, p: m,
        "dropout-ignored": lambda m, p: 1.0,
        "dropout-times-kept": lambda m, p: m * (1 - p),
        "dropout-inverted": lambda m, p: (1 - m) / (1 - p),
    }
    for id in kept:
        yield Plant(
            id, "(D35)", "dropout", {"kept": lambda s, l, f=kept[id]: f(s.masks[l], 0.5) if l in s.masks else 1.0}
        )
    yield Plant(
        "mask-forgotten-back",
        "BP2.2",
        "dropout",
        other("hidden_delta", lambda s, l, d, z, a: d @ s.weights[l + 1].T * s.slope(l, z, s.act(l, z))),
        1,
    )
    yield Plant(
        "mask-not-scaled-back",
        "BP2.2",
        "dropout",
        other("hidden_delta", lambda s, l, d, z, a: d @ s.weights[l + 1].T * s.masks[l] * s.slope(l, z, s.act(l, z))),
        1,
    )


def entropy(log, no=True):
    def loss(self, p, t, z=None):
        terms = -t * log(p)
        if no and "binary" in self.kind:
            terms = terms - (1 - t) * log(1 - p)
        return terms.sum(axis=1) / (t.shape[1] if self.kind == "binary_crossentropy" else 1)

    return {"loss": loss}


def loss():
    yield Plant("loss-sign", "(22)", "classes", scaled("loss", -1))
    yield Plant("loss-half", "(22)", "numbers", scaled("loss", 0.5))
    yield Plant("loss-averaged-over-outputs", "(22)", "squares", scaled("loss", 1 / 3))
    yield Plant("loss-not-averaged-over-outputs", "(22)", "binary", scaled("loss", 3))
    yield Plant("loss-log-2", "(22)", "classes", entropy(np.log2))
    yield Plant("loss-log-10", "(22)", "binary", entropy(np.log10))
    yield Plant("loss-of-yes-only", "(22)", "binary", entropy(np.log, no=False))
    yield Plant("loss-squared", "(22)", "classes", {"loss": lambda s, p, t, z=None: ((p - t) ** 2).sum(axis=1)})
    yield Plant("loss-absolute", "(22)", "numbers", {"loss": lambda s, p, t, z=None: abs(p - t).mean(axis=1)})
    yield Plant("loss-not-squared", "(22)", "numbers", {"loss": lambda s, p, t, z=None: (p - t).mean(axis=1)})
    yield Plant("loss-root", "(22)", "squares", {"loss": lambda s, p, t, z=None: np.sqrt(((p - t) ** 2).sum(axis=1))})
    yield Plant("cost-summed", "(24)", "classes", {"total": lambda s, losses: losses.sum() + s.penalty()})
    yield Plant("cost-mean-twice", "(24)", "numbers", {"total": lambda s, losses: losses.mean() / len(losses)})
    yield Plant("cost-by-full-size", "(24)", "classes", {"total": lambda s, losses: losses.sum() / s.spec.batch_size})
    yield Plant("cost-of-last-example", "(24)", "classes", {"total": lambda s, losses: losses[-1]})
    yield Plant("cost-not-weighted", "(24)", "weighted", {"total": lambda s, losses: losses.mean()})
    yield Plant("penalty-missing", "(D31)", "penalty", {"penalty": lambda s: 0.0})
    yield Plant("penalty-half", "(D31)", "penalty", scaled("penalty", 0.5))
    yield Plant("penalty-subtracted", "(D31)", "penalty", scaled("penalty", -1))
    yield Plant(
        "penalty-once-an-example",
        "(D31)",
        "penalty",
        {"total": lambda s, losses: losses.mean() + len(losses) * s.penalty()},
    )


def output():
    one = "BP1.2"
    yield Plant("output-sign", one, "classes", scaled("output_delta", -1))
    yield Plant("output-half", one, "numbers", scaled("output_delta", 0.5))
    yield Plant("output-double", one, "binary", scaled("output_delta", 2))
    yield Plant("output-summed", one, "numbers", scaled("output_delta", 2))
    yield Plant("output-averaged", one, "classes", scaled("output_delta", 1 / 3))
    yield Plant("output-mean-too", one, "classes", scaled("output_delta", lambda s, z, p, t: 1 / len(t)))
    yield Plant("output-slope-missing", one, "squares", {"output_delta": lambda s, z, p, t: 2 * (p - t)})
    yield Plant("output-slope-extra", one, "classes", {"output_delta": lambda s, z, p, t: (p - t) * p * (1 - p)})
    yield Plant("output-slope-extra", one, "binary", {"output_delta": lambda s, z, p, t: (p - t) / 3 * p * (1 - p)})
    yield Plant(
        "output-slope-at-activation",
        one,
        "squares",
        {"output_delta": lambda s, z, p, t: 2 * (p - t) * sig(p) * (1 - sig(p))},
    )
    yield Plant("softmax-diagonal", one, "classes", {"output_delta": lambda s, z, p, t: -t / p * p * (1 - p)})
    yield Plant(
        "softmax-diagonal", one, "softmax-squares", {"output_delta": lambda s, z, p, t: 2 * (p - t) / 3 * p * (1 - p)}
    )
    yield Plant("output-plain-difference", one, "squares", {"output_delta": lambda s, z, p, t: p - t})
    yield Plant(
        "output-difference-with-slope", one, "squares", {"output_delta": lambda s, z, p, t: (p - t) * p * (1 - p)}
    )
    yield Plant("output-squared-error", one, "summed", {"output_delta": lambda s, z, p, t: 2 * (p - t) * p * (1 - p)})
    yield Plant("output-absolute", one, "classes", {"output_delta": lambda s, z, p, t: abs(p - t)})
    yield Plant("output-of-z", one, "classes", {"output_delta": lambda s, z, p, t: z - t})
    yield Plant("output-rounded", one, "binary", {"output_delta": lambda s, z, p, t: np.round(p) - t})
    yield Plant("output-of-activation-only", one, "classes", {"output_delta": lambda s, z, p, t: p})
    yield Plant("output-not-smoothed", one, "smoothed", {"deltas": lambda s, zs, acts, t: _raw(s, zs, acts, t)})
    yield Plant("output-not-weighted", one, "weighted", {"weigh": lambda s, delta: delta})
    yield Plant(
        "output-weighted-twice", one, "weighted", {"weigh": lambda s, delta: delta * s.example_weights[:, None] ** 2}
    )


def _raw(network, zs, acts, t):
    network.smooth = lambda targets: targets
    try:
        return HandWritten.deltas(network, zs, acts, t)
    finally:
        del network.smooth


def hidden():
    two = "BP2.2"

    def back(wrong, problem, id, layer=None):
        return Plant(id, two, problem, other("hidden_delta", wrong, layer), layer)

    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T, "classes", "slope-missing")
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T, "deep", "slope-missing", 2)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * s.slope(l, z, a) ** 2, "classes", "slope-twice", 1)
    yield back(
        lambda s, l, d, z, a: d @ s.weights[l + 1].T * s.slope(l, a, s.act(l, a)), "classes", "slope-at-activation"
    )
    yield back(lambda s, l, d, z, a: -d @ s.weights[l + 1].T * s.slope(l, z, a), "deep", "slope-sign", 3)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * a, "classes", "value-for-slope", 2)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * z, "classes", "input-for-slope", 1)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * a * (1 + a), "classes", "one-plus-a", 2)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * (1 - a), "classes", "one-minus-a", 1)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * (1 + a * a), "classes", "one-plus-square", 1)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * a * (1 - a), "classes", "sigmoid-formula", 1)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * (1 - a * a), "classes", "tanh-formula", 2)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * z * (1 - z), "classes", "z-one-minus-z", 2)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * (z < 0), "relu", "relu-slope-negative-side", 1)
    yield back(lambda s, l, d, z, a: np.maximum(d @ s.weights[l + 1].T, 0), "relu", "relu-applied-to-error", 2)
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1] * s.slope(l, z, a), "square", "weights-not-transposed")
    yield back(lambda s, l, d, z, a: d @ abs(s.weights[l + 1]).T * s.slope(l, z, a), "classes", "absolute-weights-back")
    yield back(
        lambda s, l, d, z, a: d @ np.ones_like(s.weights[l + 1]).T * s.slope(l, z, a), "classes", "weights-ignored"
    )
    yield back(
        lambda s, l, d, z, a: d @ s.weights[l + 1].T * s.slope(l, z, a) / d.shape[1],
        "deep",
        "error-averaged-over-neurons",
    )
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * s.slope(l, z, a) / len(d), "deep", "error-mean-again")
    yield back(lambda s, l, d, z, a: d @ s.weights[l + 1].T * s.slope(l, z, a) / 2, "deep", "error-half", 2)
    yield back(lambda s, l, d, z, a: abs(d @ s.weights[l + 1].T * s.slope(l, z, a)), "classes", "error-absolute", 1)
    yield back(lambda s, l, d, z, a: 0 * z, "classes", "error-zero", 1)
    yield back(_through_changed_weights, "classes", "weights-changed-before")


def _through_changed_weights(s, l, d, z, a):
    changed = s.weights[l + 1] - s.o.learning_rate * a.T @ d / len(d)
    return d @ changed.T * s.slope(l, z, a)


def gradients():
    def weights(wrong, id, problem="classes", layer=None):
        return Plant(id, "BP3.2", problem, other("weight_gradient", wrong, layer), layer)

    def biases(wrong, id, problem="classes", layer=None):
        return Plant(id, "BP4.2", problem, other("bias_gradient", wrong, layer), layer)

    def both(factor, id, problem="classes"):
        methods = {**scaled("weight_gradient", factor), **scaled("bias_gradient", factor)}
        return Plant(id, "BP3.2 and BP4.2", problem, methods)

    yield both(lambda s, l, d, *a: len(d), "gradient-mean-missing")
    yield both(lambda s, l, d, *a: 1 / len(d), "gradient-mean-twice")
    yield both(lambda s, l, d, *a: len(d) / s.spec.batch_size, "gradient-by-full-size")
    yield both(-1, "gradient-sign", "numbers")
    yield both(2, "gradient-double", "numbers")
    yield weights(lambda s, l, d, a: a.T @ d, "weights-mean-missing")
    yield weights(lambda s, l, d, a: a.T @ d, "weights-mean-missing", "deep", 2)
    yield biases(lambda s, l, d: d.sum(axis=0), "biases-mean-missing")
    yield biases(lambda s, l, d: 0 * s.biases[l], "biases-zero")
    yield biases(lambda s, l, d: 0 * s.biases[l], "biases-zero", "deep", 3)
    yield biases(lambda s, l, d: -d.mean(axis=0), "biases-sign")
    yield weights(lambda s, l, d, a: a[-1:].T @ d[-1:], "weights-last-example")
    yield biases(lambda s, l, d: d[-1], "biases-last-example")
    yield biases(lambda s, l, d: d[0], "biases-first-example")
    last = {
        **other("weight_gradient", lambda s, l, d, a: a[-1:].T @ d[-1:]),
        **other("bias_gradient", lambda s, l, d: d[-1]),
    }
    yield Plant("last-example", "BP3.2 and BP4.2", "classes", last)
    yield weights(lambda s, l, d, a: a.T @ d / d.shape[1], "over-neurons")
    yield weights(lambda s, l, d, a: np.arctanh(a).T @ d / len(d), "z-for-activation", "classes", 2)
    yield weights(lambda s, l, d, a: d.mean(axis=0) * s.weights[l], "weight-for-activation")
    yield weights(lambda s, l, d, a: np.outer(a.mean(axis=0), d.mean(axis=0)), "means-multiplied")
    yield weights(lambda s, l, d, a: (a.T @ d / len(d)).T, "gradient-transposed", "square", 2)
    yield weights(lambda s, l, d, a: a.T @ d / len(d) * s.weights[l], "gradient-times-weight")
    yield biases(lambda s, l, d: np.full_like(s.biases[l], d.sum() / len(d)), "bias-over-neurons")
    yield biases(lambda s, l, d: np.full_like(s.biases[l], d.mean()), "bias-mean-over-neurons")
    yield biases(lambda s, l, d: d.mean(axis=0) * s.biases[l], "bias-times-bias")
    yield Plant("penalty-gradient-missing", "(D32)", "penalty", other("penalty_gradient", lambda s, l: 0.0))
    yield Plant("penalty-gradient-half", "(D32)", "penalty", scaled("penalty_gradient", 0.5))
    yield Plant("penalty-gradient-sign", "(D32)", "penalty", scaled("penalty_gradient", -1))
    yield Plant(
        "penalty-l1-only", "(D32)", "penalty", other("penalty_gradient", lambda s, l: 0.03 * np.sign(s.weights[l]))
    )
    yield Plant("penalty-l2-only", "(D32)", "penalty", other("penalty_gradient", lambda s, l: 0.1 * s.weights[l]))
    yield Plant("clipping-missing", "(D29)", "clipped", {"clip": lambda s, gradients: gradients})
    yield Plant(
        "always-normalized",
        "(D29)",
        "clipped",
        {"clip": lambda s, gradients: [g * s.o.clipnorm / np.sqrt((g * g).sum()) for g in gradients]},
    )


def moves(wrong):
    """`move` with v, η and g at hand: returns the new v and the update."""

    def move(self, slot, theta, g):
        v = self.slots.get(slot, 0.0)
        self.slots[slot], update = wrong(self.o, self.rate(), v, g)
        return theta + update

    return {"move": move}


def adam(wrong):
    """`move` of Adam with t, m, s at hand, the means already taken unless `means` takes them."""

    def move(self, slot, theta, g):
        o = self.o
        m, s = self.slots.get(slot, (0.0, 0.0))
        m, s = o.beta_1 * m + (1 - o.beta_1) * g, o.beta_2 * s + (1 - o.beta_2) * g * g
        self.slots[slot] = m, s
        return theta - self.rate() * wrong(o, self.count, m, s, g)

    return {"move": move}


def corrected(o, t, m, s):
    return m / (1 - o.beta_1**t), s / (1 - o.beta_2**t)


def ehat(o, t):
    return o.epsilon / np.sqrt(1 - o.beta_2**t)


def updates():
    yield Plant("ascent", "(D2)", "classes", scaled("rate", -1))
    yield Plant("rate-twice", "(D2)", "classes", scaled("rate", 0.1))
    yield Plant("rate-missing", "(D2)", "classes", {"rate": lambda s: 1.0})
    yield Plant(
        "biases-never-updated",
        "(D2)",
        "classes",
        {"move": lambda s, slot, theta, g: theta if slot[0] == "b" else HandWritten.move(s, slot, theta, g)},
    )
    yield Plant(
        "layer-never-updated",
        "(D2)",
        "classes",
        {"move": lambda s, slot, theta, g: theta if slot[1] == 0 else HandWritten.move(s, slot, theta, g)},
        1,
    )
    yield Plant("schedule-one-step-ahead", "(D2)", "schedule", {"rate": lambda s: 0.2 * 0.5**s.count})
    yield Plant("schedule-stands-still", "(D2)", "schedule", {"rate": lambda s: 0.2})
    yield Plant("gradients-never-cleared", "(D2)", "classes", {"step": _never_cleared})
    ten = "(D10)"
    yield Plant("momentum-missing", ten, "momentum", moves(lambda o, r, v, g: (-r * g, -r * g)))
    yield Plant("momentum-averaged", ten, "momentum", moves(lambda o, r, v, g: (0.9 * v - 0.1 * r * g,) * 2))
    yield Plant(
        "momentum-averaged-twice",
        ten,
        "momentum",
        moves(lambda o, r, v, g: (0.9 * v - 0.1 * r * g, 0.1 * (0.9 * v - 0.1 * r * g))),
    )
    yield Plant("momentum-swapped", ten, "momentum", moves(lambda o, r, v, g: (0.1 * v - r * g,) * 2))
    yield Plant("momentum-sign", ten, "momentum", moves(lambda o, r, v, g: (-0.9 * v - r * g,) * 2))
    yield Plant("velocity-one-step-late", ten, "momentum", moves(lambda o, r, v, g: (0.9 * v - r * g, v)))
    yield Plant("velocity-not-damped", ten, "momentum", moves(lambda o, r, v, g: (v - r * g,) * 2))
    yield Plant(
        "nesterov-unasked",
        ten,
        "momentum",
        moves(lambda o, r, v, g: (0.9 * v - r * g, 0.9 * (0.9 * v - r * g) - r * g)),
    )
    yield Plant("nesterov-missing", "(D13)", "nesterov", moves(lambda o, r, v, g: (0.9 * v - r * g,) * 2))
    yield Plant(
        "nesterov-with-old-velocity", "(D13)", "nesterov", moves(lambda o, r, v, g: (0.9 * v - r * g, 0.9 * v - r * g))
    )
    twenty = "(D20)"
    yield Plant(
        "adam-without-the-power",
        twenty,
        "adam",
        adam(lambda o, t, m, s, g: m / (1 - o.beta_1) / (np.sqrt(s / (1 - o.beta_2)) + ehat(o, 1))),
    )
    yield Plant("adam-not-corrected", twenty, "adam", adam(lambda o, t, m, s, g: m / (np.sqrt(s) + o.epsilon)))
    yield Plant(
        "adam-mean-not-corrected",
        twenty,
        "adam",
        adam(lambda o, t, m, s, g: m / (np.sqrt(corrected(o, t, m, s)[1]) + ehat(o, t))),
    )
    yield Plant(
        "adam-square-not-corrected",
        twenty,
        "adam",
        adam(lambda o, t, m, s, g: corrected(o, t, m, s)[0] / (np.sqrt(s) + o.epsilon)),
    )
    yield Plant(
        "adam-without-root",
        twenty,
        "adam",
        adam(lambda o, t, m, s, g: np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t) * m / (s + o.epsilon)),
    )
    yield Plant(
        "epsilon-inside-the-root",
        twenty,
        "adam",
        adam(lambda o, t, m, s, g: np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t) * m / np.sqrt(s + o.epsilon)),
    )
    yield Plant(
        "adam-count-from-2",
        twenty,
        "adam",
        {"move": lambda s, slot, theta, g: _counted(s, slot, theta, g, s.count + 1)},
    )
    yield Plant(
        "adam-count-of-tensors",
        twenty,
        "adam",
        {
            "move": lambda s, slot, theta, g: _counted(
                s, slot, theta, g, 4 * (s.count - 1) + 2 * slot[1] + (slot[0] == "b") + 1
            )
        },
    )
    yield Plant(
        "decay-missing",
        "(D21)",
        "adamw",
        adam(lambda o, t, m, s, g: np.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t) * m / (np.sqrt(s) + o.epsilon)),
    )
    rms = "(D16)"
    yield Plant(
        "rms-without-root",
        rms,
        "rmsprop",
        moves(lambda o, r, v, g: (0.9 * v + 0.1 * g * g, -r * g / (0.9 * v + 0.1 * g * g + o.epsilon))),
    )
    yield Plant(
        "rms-swapped",
        rms,
        "rmsprop",
        moves(lambda o, r, v, g: (0.1 * v + 0.9 * g * g, -r * g / np.sqrt(0.1 * v + 0.9 * g * g + o.epsilon))),
    )
    yield Plant(
        "rms-summed", rms, "rmsprop", moves(lambda o, r, v, g: (v + g * g, -r * g / np.sqrt(v + g * g + o.epsilon)))
    )
    yield Plant(
        "adagrad-not-summed", "(D15)", "adagrad", moves(lambda o, r, v, g: (g * g, -r * g / np.sqrt(g * g + o.epsilon)))
    )


def _counted(network, slot, theta, g, count):
    held, network.count = network.count, count
    try:
        return HandWritten.move(network, slot, theta, g)
    finally:
        network.count = held


def _never_cleared(self, X, Y):
    self.take()
    gradients = [g for part in self.all_gradients(X, Y) for g in part]
    self.sums = [a + b for a, b in zip(getattr(self, "sums", [0] * len(gradients)), gradients, strict=True)]
    L = len(self.weights)
    self.count += 1
    self.weights = [self.move(("W", l), w, g) for l, (w, g) in enumerate(zip(self.weights, self.sums[:L], strict=True))]
    self.biases = [self.move(("b", l), b, g) for l, (b, g) in enumerate(zip(self.biases, self.sums[L:], strict=True))]


PLANTS = [plant for group in (forward, loss, output, hidden, gradients, updates) for plant in group()]
