"""PyTorch's networks as `scratchbench locate` asks them: `torch.nn`, its losses and `torch.optim`.

Run: scratchbench locate examples/adapters/torch_networks.py:Classifier
"""

import torch
from torch import nn

from bench.locate import spec_of

WIDTHS = [7, (6, "relu"), (5, "tanh"), (3, "softmax")]


class Classifier:
    """7-6-5-3, ReLU, tanh and softmax, plain SGD. The softmax is in the loss, as PyTorch does it."""

    spec = spec_of(WIDTHS, "categorical_crossentropy", {"learning_rate": 0.1})

    def __init__(self):
        self.network = nn.Sequential(nn.Linear(7, 6), nn.ReLU(), nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).double()
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = self.make_optimizer(self.network.parameters())

    def make_optimizer(self, parameters):
        return torch.optim.SGD(parameters, lr=0.1)

    def get_parameters(self):
        return list(self.network.parameters())

    def set_parameters(self, parameters):
        with torch.no_grad():
            for mine, given in zip(self.network.parameters(), parameters, strict=True):
                mine.copy_(given)

    def step(self, X, Y):
        self.gradients(X, Y)
        self.optimizer.step()

    def forward(self, X):
        return torch.softmax(self.network(X), dim=1)

    def cost(self, X, Y):
        return self.loss(self.network(X), Y)

    def gradients(self, X, Y):
        self.optimizer.zero_grad()
        self.cost(X, Y).backward()
        return [parameter.grad for parameter in self.network.parameters()]


class Momentum(Classifier):
    """PyTorch's velocity has no learning rate in it; with a constant rate that is the same."""

    spec = spec_of(WIDTHS, "categorical_crossentropy", {"learning_rate": 0.1, "momentum": 0.9})

    def make_optimizer(self, parameters):
        return torch.optim.SGD(parameters, lr=0.1, momentum=0.9)


class Adam(Classifier):
    """Its epsilon is 1e-8, and stands where Adam's paper has it in Algorithm 1; Keras's is another."""

    spec = spec_of(WIDTHS, "categorical_crossentropy", {"name": "adam", "learning_rate": 0.01})

    def make_optimizer(self, parameters):
        return torch.optim.Adam(parameters, lr=0.01)


class Penalized(Classifier):
    """`weight_decay` of SGD is the slope of a penalty that cost and gradient do not show; it counts the biases too."""

    spec = spec_of(WIDTHS, "categorical_crossentropy", {"learning_rate": 0.1}, regularization={"l2": 0.05})

    def make_optimizer(self, parameters):
        return torch.optim.SGD(parameters, lr=0.1, weight_decay=2 * 0.05)
