"""PyTorch as `scratchbench locate` asks it: `torch.nn` and `torch.optim`, for every spec that they can express.

Run: scratchbench locate examples/adapters/torch_network.py:Network --spec classes
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.2),
    "elu": nn.ELU(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "softplus": nn.Softplus(),
    "linear": nn.Identity(),
    "softmax": nn.Softmax(dim=1),
}
LOSSES = {
    "categorical_crossentropy": lambda spec: nn.CrossEntropyLoss(label_smoothing=spec.label_smoothing),
    "binary_crossentropy": lambda spec: nn.BCEWithLogitsLoss(),
    "summed_binary_crossentropy": lambda spec: summed(F.binary_cross_entropy_with_logits),
    "mean_squared_error": lambda spec: nn.MSELoss(),
    "sum_of_squared_errors": lambda spec: summed(F.mse_loss),
    "mean_absolute_error": lambda spec: nn.L1Loss(),
    "huber": lambda spec: nn.HuberLoss(delta=spec.huber_delta),
}
OPTIMIZERS = {
    "sgd": lambda o: (torch.optim.SGD, {"momentum": o.momentum, "nesterov": o.nesterov}),
    "rmsprop": lambda o: (
        torch.optim.RMSprop,
        {"alpha": o.rho, "eps": o.epsilon, "momentum": o.momentum, "centered": o.centered},
    ),
    "adam": lambda o: (torch.optim.Adam, {"betas": (o.beta_1, o.beta_2), "eps": o.epsilon}),
    "adamw": lambda o: (
        torch.optim.AdamW,
        {"betas": (o.beta_1, o.beta_2), "eps": o.epsilon, "weight_decay": o.weight_decay},
    ),
    "adagrad": lambda o: (
        torch.optim.Adagrad,
        {"eps": o.epsilon, "initial_accumulator_value": o.initial_accumulator_value},
    ),
}


def summed(loss):
    """The sum over the outputs, the mean over the batch."""
    return lambda outputs, Y: loss(outputs, Y, reduction="sum") / len(Y)


class Network:
    """Rows are examples, W is (n_out, n_in). The output's sigmoid or softmax is inside a cross entropy."""

    def __init__(self, spec):
        *hidden, self.last = [ACTIVATIONS[layer.activation] for layer in spec.architecture.layers]
        linear = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(spec.architecture.widths)]
        modules = [module for pair in zip(linear, hidden, strict=False) for module in pair]
        self.network = nn.Sequential(*modules, linear[-1]).to(getattr(torch, spec.dtype))
        self.loss, self.of_logits = LOSSES[spec.loss](spec), "crossentropy" in spec.loss
        self.optimizer = self.make_optimizer(spec)

    def make_optimizer(self, spec):
        kind, options = OPTIMIZERS[spec.optimizer.name](spec.optimizer)
        penalty = {"weight_decay": 2 * spec.regularization.l2}  # the derivative of l2 w², by PyTorch's own means
        return kind(self.get_parameters(), lr=spec.optimizer.learning_rate, **{**penalty, **options})

    def get_parameters(self):
        return list(self.network.parameters())

    def set_parameters(self, parameters):
        with torch.no_grad():
            for mine, given in zip(self.get_parameters(), parameters, strict=True):
                mine.copy_(given)

    def step(self, X, Y):
        self.gradients(X, Y)
        self.optimizer.step()

    def forward(self, X):
        return self.last(self.network(X))

    def cost(self, X, Y):
        return self.loss(self.network(X) if self.of_logits else self.forward(X), Y)

    def gradients(self, X, Y):
        self.optimizer.zero_grad()
        self.cost(X, Y).backward()
        return [parameter.grad for parameter in self.get_parameters()]
