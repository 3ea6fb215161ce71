"""What a dense layer is, and which layers make a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from scratchnet.activations import ACTIVATIONS
from scratchnet.checks import Checked, Count, Fraction, instance, known
from scratchnet.initializers import INITIALIZERS
from scratchnet.losses import Loss


@dataclass(frozen=True)
class Dense(Checked):
    """One dense layer of n_l = `units` neurons; a wrong value is refused with what is allowed.

    dropout : rate at which its activations are dropped in training; not at the output.
    """

    units: Count
    activation: Annotated[str, partial(known, table=ACTIVATIONS)]
    initializer: Annotated[str, partial(known, table=INITIALIZERS)] = "glorot_uniform"
    dropout: Fraction = 0.0


def check(layers: Sequence[Dense], loss_name: str, loss: Loss) -> None:
    """Refuse what is no network, or an output that the loss is not defined on."""
    for index, layer in enumerate(layers):
        instance(f"layers[{index}]", layer, Dense, "a Dense, such as Dense(4, 'relu')")
    if not layers:
        raise ValueError("layers is empty; allowed: one Dense or more")
    output, allowed = layers[-1], sorted(loss.outputs)
    if output.activation not in allowed:
        raise ValueError(f"loss {loss_name} does not fit output {output.activation}; allowed: {', '.join(allowed)}")
    if output.dropout:
        raise ValueError(f"dropout is {output.dropout} at the output; allowed: 0, or in a hidden layer")
