"""Optimizers, clipping and training in the plainest form: the formulas one after the other, of a number or an array."""

from collections import defaultdict
from math import sqrt


def sgd(state, theta, g, rate, t, momentum=0.0, nesterov=False):
    state["v"] = momentum * state["v"] - rate * g
    return theta + (momentum * state["v"] - rate * g if nesterov else state["v"])


def rmsprop(state, theta, g, rate, t, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    state["v"] = rho * state["v"] + (1 - rho) * g**2
    state["mean"] = rho * state["mean"] + (1 - rho) * g
    variance = state["v"] - state["mean"] ** 2 if centered else state["v"]
    state["step"] = momentum * state["step"] + rate * g / (variance + epsilon) ** 0.5
    return theta - state["step"]


def adam(state, theta, g, rate, t, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """In the paper's first form, with m̂ and v̂; ε̂ = ε √(1 − β₂ᵗ) makes it the form at the end of its section 2."""
    state["m"] = beta_1 * state["m"] + (1 - beta_1) * g
    state["v"] = beta_2 * state["v"] + (1 - beta_2) * g**2
    m_hat, v_hat = state["m"] / (1 - beta_1**t), state["v"] / (1 - beta_2**t)
    return theta - rate * m_hat / (v_hat**0.5 + epsilon / sqrt(1 - beta_2**t))


def adamw(state, theta, g, rate, t, weight_decay=0.004, **options):
    return adam(state, theta - rate * weight_decay * theta, g, rate, t, **options)


def adagrad(state, theta, g, rate, t, initial_accumulator_value=0.1, epsilon=1e-7):
    state["sum"] += g**2
    return theta - rate * g / (initial_accumulator_value + state["sum"] + epsilon) ** 0.5


RULES = {"sgd": sgd, "rmsprop": rmsprop, "adam": adam, "adamw": adamw, "adagrad": adagrad}


def minimized(name, theta, gradients, rate_of, **options):
    """θ after one update for each gradient; `rate_of` is the learning rate of step 0, 1, …"""
    state = defaultdict(float)
    for step, g in enumerate(gradients):
        theta = RULES[name](state, theta, g, rate_of(step), step + 1, **options)
    return theta


def clipped(variables, clipnorm=None, global_clipnorm=None, clipvalue=None):
    """The gradient of each variable, clipped: a list of lists of numbers."""
    if clipvalue is not None:
        return [[max(-clipvalue, min(g, clipvalue)) for g in one] for one in variables]
    norms = [sqrt(sum(g * g for g in one)) for one in variables]
    if global_clipnorm is not None:
        norms, clipnorm = [sqrt(sum(norm**2 for norm in norms))] * len(variables), global_clipnorm
    if clipnorm is None:
        return variables
    return [
        [g * clipnorm / norm for g in one] if norm > clipnorm else one
        for one, norm in zip(variables, norms, strict=True)
    ]


def clip(parameters, vector, **clipping):
    """The flat gradient `vector`, clipped as `clipped` does; `parameters` say which element is of which variable."""
    gradient = parameters.zeros_like()
    gradient.vector[...] = vector
    views = [*gradient.weights, *gradient.biases]
    for view, one in zip(views, clipped([view.ravel().tolist() for view in views], **clipping), strict=True):
        view.flat = one
    return gradient.vector


def train(network, X, y, order, batch_size, name, rate_of, clipping, **options):
    """One epoch of `network` along its reported gradient; its own optimizer is not used."""
    state, theta = defaultdict(float), network.parameters.vector
    for step, start in enumerate(range(0, len(order), batch_size)):
        rows = order[start : start + batch_size]
        g = clip(network.parameters, network.gradient(X[rows], y[rows]), **clipping)
        theta[...] = RULES[name](state, theta.copy(), g, rate_of(step), step + 1, **options)
