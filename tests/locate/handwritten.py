"""A network by hand as a student writes one, which shares no code with the project: rows are examples.

Weights are (n_in, n_out) unless `out_in` is asked for. Each method may be overridden, so that a test plants a mistake.
"""

import numpy as np
from scipy.special import erf

LEAKY, ROOT = float(np.float32(0.2)), float(np.float32(np.sqrt(0.5)))
"""Keras rounds these constants of leaky ReLU and GELU to float32."""


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


VALUES = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "relu": lambda z: z * (z > 0),
    "leaky_relu": lambda z: np.where(z > 0, z, LEAKY * z),
    "elu": lambda z: np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1),
    "gelu": lambda z: z * (1 + erf(z * ROOT)) / 2,
    "silu": lambda z: z * sigmoid(z),
    "softplus": lambda z: np.logaddexp(0, z),
    "linear": lambda z: z,
    "softmax": softmax,
}
SLOPES = {
    "sigmoid": lambda z, a: a * (1 - a),
    "tanh": lambda z, a: 1 - a * a,
    "relu": lambda z, a: (z > 0).astype(z.dtype),
    "leaky_relu": lambda z, a: np.where(z > 0, 1.0, LEAKY),
    "elu": lambda z, a: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
    "gelu": lambda z, a: (1 + erf(z * ROOT)) / 2 + z * np.exp(-((z * ROOT) ** 2)) * ROOT / np.sqrt(np.pi),
    "silu": lambda z, a: sigmoid(z) + z * sigmoid(z) * (1 - sigmoid(z)),
    "softplus": lambda z, a: sigmoid(z),
    "linear": lambda z, a: np.ones_like(z),
}


class HandWritten:
    """forward, backward, update; the adapter's methods are at the end."""

    out_in = False
    dtype = np.float64
    offers = ("forward", "cost", "errors", "gradients")

    def __init__(self, spec):
        architecture = spec.architecture
        self.names = [layer.activation for layer in architecture.layers]
        self.spec, self.kind = spec, spec.loss
        self.o = spec.optimizer
        sizes = list(zip(architecture.widths, architecture.widths[1:], strict=False))
        self.weights = [np.zeros((n_in, n_out), self.dtype) for n_in, n_out in sizes]
        self.biases = [np.zeros(n_out, self.dtype) for _, n_out in sizes]
        self.slots = {}
        self.count = 0
        self.masks, self.example_weights = {}, None
        for name in ("forward", "cost", "errors", "gradients"):
            if name not in self.offers:
                setattr(self, name, None)

    # Forward

    def act(self, l, z):
        return VALUES[self.names[l]](z)

    def slope(self, l, z, a):
        return SLOPES[self.names[l]](z, a)

    def through(self, l, g, z, a):
        """What comes back through the activation: a softmax mixes the neurons."""
        if self.names[l] == "softmax":
            return a * (g - (g * a).sum(axis=1, keepdims=True))
        return g * self.slope(l, z, a)

    def weighted(self, l, a):
        return a.dot(self.weights[l]) + self.biases[l]

    def run(self, x):
        zs, acts = [], [x]
        for l in range(len(self.weights)):
            zs.append(self.weighted(l, acts[-1]))
            acts.append(self.act(l, zs[-1]) * self.kept(l))
        return zs, acts

    def kept(self, l):
        mask = self.masks.get(l)
        return 1.0 if mask is None else mask / (1 - self.spec.architecture.layers[l].dropout)

    # Cost

    def loss(self, p, t, z=None):
        if "categorical" in self.kind:
            shifted = z - z.max(axis=1, keepdims=True)
            return ((np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - shifted) * t).sum(axis=1)
        if "binary" in self.kind:
            total = (np.logaddexp(0, z) - z * t).sum(axis=1)
            return total / t.shape[1] if self.kind == "binary_crossentropy" else total
        if self.kind == "mean_absolute_error":
            return np.abs(p - t).mean(axis=1)
        if self.kind == "huber":
            d, e = self.spec.huber_delta, np.abs(p - t)
            return np.where(e <= d, e * e / 2, d * e - d * d / 2).mean(axis=1)
        total = ((p - t) ** 2).sum(axis=1)
        return total / t.shape[1] if self.kind == "mean_squared_error" else total

    def penalty(self):
        r = self.spec.regularization
        return sum(r.l1 * np.abs(w).sum() + r.l2 * (w * w).sum() for w in self.weights)

    def total(self, losses):
        weights = self.example_weights
        return (losses if weights is None else losses * weights).mean() + self.penalty()

    def smooth(self, t):
        s = self.spec.label_smoothing
        return t * (1 - s) + s / (2 if "binary" in self.kind else t.shape[1]) if s else t

    # Backward

    def output_delta(self, z, p, t):
        n = t.shape[1]
        if "categorical" in self.kind or self.kind == "summed_binary_crossentropy":
            return p - t
        if self.kind == "binary_crossentropy":
            return (p - t) / n
        g = {
            "mean_squared_error": 2 * (p - t) / n,
            "sum_of_squared_errors": 2 * (p - t),
            "mean_absolute_error": np.sign(p - t) / n,
            "huber": np.clip(p - t, -self.spec.huber_delta, self.spec.huber_delta) / n,
        }[self.kind]
        return self.through(len(self.names) - 1, g, z, p)

    def hidden_delta(self, l, after, z, a):
        return self.through(l, after.dot(self.weights[l + 1].T) * self.kept(l), z, self.act(l, z))

    def weigh(self, delta):
        return delta if self.example_weights is None else delta * self.example_weights[:, None]

    def deltas(self, zs, acts, t):
        found = [self.weigh(self.output_delta(zs[-1], acts[-1], self.smooth(t)))]
        for l in range(len(self.weights) - 2, -1, -1):
            found.insert(0, self.hidden_delta(l, found[0], zs[l], acts[l + 1]))
        return found

    def weight_gradient(self, l, delta, below):
        return below.T.dot(delta) / len(delta)

    def bias_gradient(self, l, delta):
        return delta.sum(axis=0) / len(delta)

    def penalty_gradient(self, l):
        r = self.spec.regularization
        return r.l1 * np.sign(self.weights[l]) + 2 * r.l2 * self.weights[l]

    def all_gradients(self, x, t):
        zs, acts = self.run(x)
        ds = self.deltas(zs, acts, t)
        layers = range(len(ds))
        dW = [self.weight_gradient(l, ds[l], acts[l]) + self.penalty_gradient(l) for l in layers]
        return dW, [self.bias_gradient(l, ds[l]) for l in layers]

    # Update

    def rate(self):
        rate, t = self.o.learning_rate, self.count - 1
        if isinstance(rate, float):
            return rate
        if rate.name == "piecewise_constant_decay":
            return rate.values[sum(t > boundary for boundary in rate.boundaries)]
        start, periods = rate.initial_learning_rate, t / rate.decay_steps
        if rate.name in ("exponential_decay", "inverse_time_decay"):
            periods = periods // 1 if rate.staircase else periods
            decayed = rate.name == "exponential_decay"
            return start * rate.decay_rate**periods if decayed else start / (1 + rate.decay_rate * periods)
        if rate.name == "polynomial_decay":
            periods = periods / max(1, np.ceil(periods)) if rate.cycle else min(periods, 1)
            return (start - rate.end_learning_rate) * (1 - periods) ** rate.power + rate.end_learning_rate
        if rate.warmup_target is not None:
            if t < rate.warmup_steps:
                return start + (rate.warmup_target - start) * t / rate.warmup_steps
            start, periods = rate.warmup_target, (t - rate.warmup_steps) / rate.decay_steps
        return start * ((1 - rate.alpha) * (1 + np.cos(np.pi * min(periods, 1))) / 2 + rate.alpha)

    def clip(self, gradients):
        o = self.o
        if o.clipvalue is not None:
            gradients = [np.clip(g, -o.clipvalue, o.clipvalue) for g in gradients]
        if o.clipnorm is not None:
            gradients = [g * o.clipnorm / max(np.sqrt((g * g).sum()), o.clipnorm) for g in gradients]
        if o.global_clipnorm is not None:
            norm = np.sqrt(sum((g * g).sum() for g in gradients))
            gradients = [g * o.global_clipnorm / max(norm, o.global_clipnorm) for g in gradients]
        return gradients

    def move(self, slot, theta, g):
        return getattr(self, self.o.name)(self.slots.setdefault(slot, {}), theta, g)

    def sgd(self, kept, theta, g):
        o, rate = self.o, self.rate()
        if not o.momentum:
            return theta - rate * g
        v = kept["v"] = o.momentum * kept.get("v", 0.0) - rate * g
        return theta + (o.momentum * v - rate * g if o.nesterov else v)

    def adam(self, kept, theta, g):
        o = self.o
        m = kept["m"] = o.beta_1 * kept.get("m", 0.0) + (1 - o.beta_1) * g
        s = kept["s"] = o.beta_2 * kept.get("s", 0.0) + (1 - o.beta_2) * g * g
        alpha = self.rate() * np.sqrt(1 - o.beta_2**self.count) / (1 - o.beta_1**self.count)
        return theta - alpha * m / (np.sqrt(s) + o.epsilon)

    def adamw(self, kept, theta, g):
        return self.adam(kept, theta, g) - self.rate() * self.o.weight_decay * theta

    def rmsprop(self, kept, theta, g):
        o = self.o
        s = kept["s"] = o.rho * kept.get("s", 0.0) + (1 - o.rho) * g * g
        if o.centered:
            m = kept["m"] = o.rho * kept.get("m", 0.0) + (1 - o.rho) * g
            s = s - m * m
        v = kept["v"] = o.momentum * kept.get("v", 0.0) - self.rate() * g / np.sqrt(s + o.epsilon)
        return theta + v

    def adagrad(self, kept, theta, g):
        s = kept["s"] = kept.get("s", self.o.initial_accumulator_value) + g * g
        return theta - self.rate() * g / np.sqrt(s + self.o.epsilon)

    # The protocol

    def get_parameters(self):
        if self.out_in:
            return [(w.T.copy(), b.copy()) for w, b in zip(self.weights, self.biases, strict=True)]
        return [(w.copy(), b.copy()) for w, b in zip(self.weights, self.biases, strict=True)]

    def set_parameters(self, parameters):
        self.weights = [np.array(w.T if self.out_in else w, self.dtype) for w, _ in parameters]
        self.biases = [np.array(b, self.dtype) for _, b in parameters]

    def take(self, weights=None, masks=None):
        self.example_weights = weights
        dropped = [l for l, layer in enumerate(self.spec.architecture.layers) if layer.dropout]
        self.masks = dict(zip(dropped, masks or [], strict=True))

    def step(self, X, Y, **extras):
        self.take(**extras)
        dW, db = self.all_gradients(X, Y)
        self.count += 1
        clipped = self.clip(dW + db)
        dW, db = clipped[: len(dW)], clipped[len(dW) :]
        self.weights = [self.move(("W", l), w, g) for l, (w, g) in enumerate(zip(self.weights, dW, strict=True))]
        self.biases = [self.move(("b", l), b, g) for l, (b, g) in enumerate(zip(self.biases, db, strict=True))]

    def forward(self, X, **extras):
        self.take(**extras)
        zs, acts = self.run(X)
        return zs, acts[1:]

    def cost(self, X, Y, **extras):
        self.take(**extras)
        zs, acts = self.run(X)
        return self.total(self.loss(acts[-1], self.smooth(Y), zs[-1]))

    def errors(self, X, Y, **extras):
        self.take(**extras)
        zs, acts = self.run(X)
        return self.deltas(zs, acts, Y)

    def gradients(self, X, Y, **extras):
        self.take(**extras)
        dW, db = self.all_gradients(X, Y)
        return list(zip([w.T for w in dW] if self.out_in else dW, db, strict=True))
