"""What `scalar` and `vector` need to know of a network. They cannot import `Network`, because it trains by `batch`."""

from collections.abc import Sequence
from typing import Protocol

from scratchnet.layers import Dense
from scratchnet.losses import Loss
from scratchnet.parameters import Parameters
from scratchnet.regularizers import L1L2


class Model(Protocol):
    """Layers, their parameters, the loss and the regularizer."""

    parameters: Parameters
    loss: Loss
    regularizer: L1L2
    dtype: str

    @property
    def layers(self) -> Sequence[Dense]:
        """The layers 1 to L."""
