"""The buffers of one batch size, made once, and the products bound to them: all that the batch formulation works on."""

from collections.abc import Sequence

import numpy as np

from scratchnet.activations import ACTIVATIONS, Activation
from scratchnet.arrays import Array, Mask
from scratchnet.dropout import Dropout
from scratchnet.layers import Dense
from scratchnet.parameters import Parameters
from scratchnet.product import Product


class LayerWorkspace:
    """Layer l of one batch size: Z, A, delta (n_l, M), and the products that lead into it and into its gradient.

    A_above : Ã[l-1] (n_{l-1} + 1, M); target : (n_l, n_{l-1} + 1), what BP3 and BP4 accumulate into.
    """

    def __init__(self, layer: Dense, W_b: Array, target: Array, A_above: Array, is_output: bool) -> None:
        units, batch_size, dtype = W_b.shape[0], A_above.shape[1], W_b.dtype
        # The last row of Ã is 1, so that the bias is a column of W̃; the output layer feeds no other.
        self.A_augmented: Array = np.ones((units if is_output else units + 1, batch_size), dtype)
        self.G_augmented: Array = np.zeros_like(self.A_augmented)
        self.A = self.A_augmented[:units]
        self.delta = self.G_augmented[:units]
        self.Z = np.zeros_like(self.A) if is_output else self.A
        self.activation: Activation = ACTIVATIONS[layer.activation](self.A.shape, dtype)
        if layer.dropout:
            self.activation = Dropout(self.activation, layer.dropout, self.A.shape, dtype)
        self.weighted_input = Product(W_b, A_above, self.Z)
        self.accumulate = Product(self.delta, A_above.T, target)


class Workspace:
    """All buffers for M examples: `rows` (M, n_0 + 1) takes the gathered examples; its transpose is Ã[0].

    layers : layer 1 to L; descent : from layer L to 2, (layer l, product W̃ᵀ delta of l, layer l-1).
    """

    def __init__(self, layers: Sequence[Dense], parameters: Parameters, target: Parameters, batch_size: int) -> None:
        first, last = parameters.augmented[0], len(layers) - 1
        self.batch_size = batch_size
        self.rows: Array = np.ones((batch_size, first.shape[1]), first.dtype)
        self.layers: list[LayerWorkspace] = []
        self.descent: list[tuple[LayerWorkspace, Product, LayerWorkspace]] = []
        A_above = self.rows.T
        for index, (dense, W_b, into) in enumerate(zip(layers, parameters.augmented, target.augmented, strict=True)):
            layer = LayerWorkspace(dense, W_b, into, A_above, is_output=index == last)
            if self.layers:
                propagate = Product(W_b.T, layer.delta, self.layers[-1].G_augmented)
                self.descent.insert(0, (layer, propagate, self.layers[-1]))
            self.layers.append(layer)
            A_above = layer.A_augmented
        self.output = self.layers[-1]
        self._dropouts = [layer.activation for layer in self.layers if isinstance(layer.activation, Dropout)]

    def keep(self, masks: Sequence[Mask]) -> None:
        """Which neurons the next pass keeps: (M, n_l) for each layer with dropout, in order; no masks: all of them."""
        for dropout in self._dropouts if not masks else ():
            dropout.keep(None)
        for dropout, mask in zip(self._dropouts, masks, strict=bool(masks)):
            dropout.keep(mask)
