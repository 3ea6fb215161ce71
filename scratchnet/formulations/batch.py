"""A whole batch in matrix form, equations (16) to (24) and BP1.2 to BP4.2: the formulation that trains.

`scalar` and `vector` have the same functions for one example.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.arrays import Array, Order
from scratchnet.losses import Loss
from scratchnet.product import Product
from scratchnet.workspace import LayerWorkspace, Workspace


def gather(workspace: Workspace, X: Array, examples: Order) -> None:
    """Ã[0] ← the rows of X (N, n_0 + 1) that `examples` (M,) names, equations (16) and (17).

    Of a file's rows (N, n_0) the column of ones, which is in the workspace already, is left alone.
    """
    if X.shape[1] < workspace.rows.shape[1]:
        workspace.rows[:, :-1] = X[examples]  # (16)
        return
    # Any mode but "clip" makes NumPy gather into a buffer of its own first.
    np.take(X, examples, axis=0, out=workspace.rows, mode="clip")  # (16)


def forward(workspace: Workspace) -> None:
    """A[L] of the gathered batch, equations (18) to (21): Z = W̃ Ã, A = f(Z), layer by layer."""
    _forward(workspace.layers)


def _forward(layers: Sequence[LayerWorkspace]) -> None:
    for layer in layers:
        layer.weighted_input()  # (18)
        layer.activation.forward(layer.Z, layer.A)  # (20)


def forward_rows(workspace: Workspace, W: Array, b: Array, X: Array) -> None:
    """A[L] of the rows X (M, n_0) where they are: the bias of layer 1 is added to a product that reads no ones."""
    first = workspace.layers[0]
    first.Z[...] = b[:, np.newaxis]
    Product(W, X.T, first.Z)(1.0, 1.0)  # (16) and (18)
    first.activation.forward(first.Z, first.A)  # (20)
    _forward(workspace.layers[1:])


def loss_input(workspace: Workspace, loss: Loss) -> Array:
    """What the loss reads, (n_L, M): Z[L] or A[L]."""
    return workspace.output.Z if loss.from_weighted_input else workspace.output.A


def cost(losses: Array, sizes: NDArray[np.integer[Any]]) -> Array:
    """C of each of the batches that follow one another in `losses` (N,), so many examples each: (steps,), float64."""
    starts = np.cumsum(sizes) - sizes
    # One by one in float32, as reduceat adds, a sum of hundreds of losses would lose digits that they still have.
    costs: Array = np.add.reduceat(losses, starts, dtype=np.float64) / sizes  # (24)
    return costs


def output_error(output: LayerWorkspace, loss: Loss, Y: Array, weights: Array | None = None) -> None:
    """delta[L] ← ∂L/∂Z[L] of each example, times its weight (M,) where there are weights."""
    loss.output_error(output.activation, output.A, Y, output.delta)  # BP1.2
    if weights is not None:
        output.delta *= weights


def propagate(product: Product, above: LayerWorkspace) -> None:
    """delta[l-1] ← f'(Z[l-1]) ⊙ Wᵀ delta[l]; `product` is W̃ᵀ delta[l], `above` layer l-1."""
    product()
    above.activation.jacobian_product(above.A, above.delta, above.delta)  # BP2.2


def gradient(layer: LayerWorkspace, scale: float, beta: float) -> None:
    """target[l] ← beta · target[l] + scale · delta[l] Ã[l-1]ᵀ: the columns of W, and b as the last."""
    layer.accumulate(scale, beta)  # BP3.2 and BP4.2


def backward(
    workspace: Workspace, loss: Loss, Y: Array, scale: float, beta: float, weights: Array | None = None
) -> None:
    """target ← beta · target + scale · ∂C/∂W̃ for each layer, the last first.

    A layer's error is propagated before its weights may change, for the target may be the weights themselves.
    """
    scale = scale / workspace.batch_size  # the 1/M of (24)
    output_error(workspace.output, loss, Y, weights)
    for layer, product, above in workspace.descent:
        propagate(product, above)
        gradient(layer, scale, beta)
    gradient(workspace.layers[0], scale, beta)
