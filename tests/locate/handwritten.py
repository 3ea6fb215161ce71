"""A network by hand as a student writes one, which shares no code with the project: rows are examples.

Weights are (n_in, n_out) unless `out_in` is asked for. Each method may be overridden, so that a test plants a mistake.
"""

import numpy as np


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
        name = self.names[l]
        if name == "sigmoid":
            return 1 / (1 + np.exp(-z))
        if name == "tanh":
            return np.tanh(z)
        if name == "relu":
            return z * (z > 0)
        if name == "softmax":
            e = np.exp(z - z.max(axis=1, keepdims=True))
            return e / e.sum(axis=1, keepdims=True)
        if name == "softplus":
            return np.logaddexp(0, z)
        if name == "elu":
            return np.where(z > 0, z, np.exp(np.minimum(z, 0)) - 1)
        if name == "silu":
            return z / (1 + np.exp(-z))
        return z

    def slope(self, l, z, a):
        name = self.names[l]
        if name == "sigmoid":
            return a * (1 - a)
        if name == "tanh":
            return 1 - a * a
        if name == "relu":
            return (z > 0).astype(z.dtype)
        if name == "softplus":
            return 1 / (1 + np.exp(-z))
        if name == "elu":
            return np.where(z > 0, 1.0, np.exp(np.minimum(z, 0)))
        if name == "silu":
            s = 1 / (1 + np.exp(-z))
            return s + z * s * (1 - s)
        return np.ones_like(z)

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
        if self.kind == "categorical_crossentropy":
            shifted = z - z.max(axis=1, keepdims=True)
            return ((np.log(np.exp(shifted).sum(axis=1, keepdims=True)) - shifted) * t).sum(axis=1)
        if "binary" in self.kind:
            total = (np.logaddexp(0, z) - z * t).sum(axis=1)
            return total / t.shape[1] if self.kind == "binary_crossentropy" else total
        if self.kind == "mean_absolute_error":
            return np.abs(p - t).mean(axis=1)
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
        if self.kind in ("categorical_crossentropy", "summed_binary_crossentropy"):
            return p - t
        if self.kind == "binary_crossentropy":
            return (p - t) / n
        g = {
            "mean_squared_error": 2 * (p - t) / n,
            "sum_of_squared_errors": 2 * (p - t),
            "mean_absolute_error": np.sign(p - t) / n,
        }[self.kind]
        if self.names[-1] == "softmax":
            return p * (g - (g * p).sum(axis=1, keepdims=True))
        return g * self.slope(len(self.names) - 1, z, p)

    def hidden_delta(self, l, after, z, a):
        return after.dot(self.weights[l + 1].T) * self.kept(l) * self.slope(l, z, self.act(l, z))

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
        rate = self.o.learning_rate
        if isinstance(rate, float):
            return rate
        return rate.initial_learning_rate * rate.decay_rate ** ((self.count - 1) / rate.decay_steps)

    def clip(self, gradients):
        limit = self.o.clipnorm
        return gradients if limit is None else [g * limit / max(np.sqrt((g * g).sum()), limit) for g in gradients]

    def move(self, slot, theta, g):
        o, name = self.o, self.o.name
        rate = self.rate()
        if name == "sgd":
            if not o.momentum:
                return theta - rate * g
            v = self.slots[slot] = o.momentum * self.slots.get(slot, 0.0) - rate * g
            return theta + (o.momentum * v - rate * g if o.nesterov else v)
        if name in ("adam", "adamw"):
            m, s = self.slots.get(slot, (0.0, 0.0))
            m, s = o.beta_1 * m + (1 - o.beta_1) * g, o.beta_2 * s + (1 - o.beta_2) * g * g
            self.slots[slot] = m, s
            alpha = rate * np.sqrt(1 - o.beta_2**self.count) / (1 - o.beta_1**self.count)
            decay = rate * o.weight_decay * theta if name == "adamw" else 0.0
            return theta - decay - alpha * m / (np.sqrt(s) + o.epsilon)
        if name == "rmsprop":
            s = self.slots[slot] = o.rho * self.slots.get(slot, 0.0) + (1 - o.rho) * g * g
        else:
            s = self.slots[slot] = self.slots.get(slot, o.initial_accumulator_value) + g * g
        return theta - rate * g / np.sqrt(s + o.epsilon)

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
        dW, db = self.clip(dW), self.clip(db)
        self.weights = [self.move(("W", l), w, g) for l, (w, g) in enumerate(zip(self.weights, dW, strict=True))]
        self.biases = [self.move(("b", l), b, g) for l, (b, g) in enumerate(zip(self.biases, db, strict=True))]

    def forward(self, X, **extras):
        self.take(**extras)
        zs, acts = self.run(X)
        return zs, acts[1:]

    def cost(self, X, Y, **extras):
        self.take(**extras)
        zs, acts = self.run(X)
        return float(self.total(self.loss(acts[-1], self.smooth(Y), zs[-1])))

    def errors(self, X, Y, **extras):
        self.take(**extras)
        zs, acts = self.run(X)
        return self.deltas(zs, acts, Y)

    def gradients(self, X, Y, **extras):
        self.take(**extras)
        dW, db = self.all_gradients(X, Y)
        return list(zip([w.T for w in dW] if self.out_in else dW, db, strict=True))
