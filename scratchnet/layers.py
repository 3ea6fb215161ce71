"""What a dense layer is, and which layers make a network.

Fed by a user; feeds `Network` and the workspaces.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from scratchnet.activations import ACTIVATIONS
from scratchnet.checks import convert, fraction, instance, integer, known
from scratchnet.initializers import INITIALIZERS
from scratchnet.losses import Loss


@dataclass(frozen=True)
class Dense:
    """One dense layer of n_l = `units` neurons.

    dropout : rate at which its activations are dropped in training; not at the output.

    Raises
    ------
    ValueError
        Names the value and what is allowed.
    """

    units: int
    activation: str
    initializer: str = "glorot_uniform"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        known("activation", self.activation, ACTIVATIONS)
        known("initializer", self.initializer, INITIALIZERS)
        convert(self, units=integer("units", self.units, 1), dropout=fraction("dropout", self.dropout))


def check(layers: Sequence[Dense], loss_name: str, loss: Loss) -> None:
    """Refuse what is no network, or an output that the loss is not defined on.

    Raises
    ------
    TypeError, ValueError
        Names the value and what is allowed.
    """
    for index, layer in enumerate(layers):
        instance(f"layers[{index}]", layer, Dense, "a Dense, such as Dense(4, 'relu')")
    if not layers:
        raise ValueError("layers is empty; allowed: one Dense or more")
    output, allowed = layers[-1], sorted(loss.outputs)
    if output.activation not in allowed:
        raise ValueError(f"loss {loss_name} does not fit output {output.activation}; allowed: {', '.join(allowed)}")
    if output.dropout:
        raise ValueError(f"dropout is {output.dropout} at the output; allowed: 0, or in a hidden layer")
