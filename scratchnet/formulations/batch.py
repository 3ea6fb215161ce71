"""Forward and backward propagation of a whole batch in matrix form: equations (16) to (24) and BP1.2 to BP4.2.

Fed by a workspace, whose buffers it works on; feeds whatever target the workspace accumulates into.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from scratchnet.losses import Loss
from scratchnet.workspace import Workspace

Array = NDArray[np.floating[Any]]


def gather(workspace: Workspace, X: Array, examples: NDArray[np.integer[Any]]) -> None:
    """Ã[0] ← the rows of X (N, n_0 + 1) that `examples` (M,) names."""
    # Any mode but "clip" makes NumPy gather into a buffer of its own first.
    np.take(X, examples, axis=0, out=workspace.rows, mode="clip")  # (16)


def forward(workspace: Workspace) -> None:
    """A[L] of the gathered batch: Z = W̃ Ã, A = f(Z), layer by layer."""
    for layer in workspace.layers:
        layer.weighted_input()  # (18)
        layer.activation.forward(layer.Z, layer.A)  # (20)


def loss_input(workspace: Workspace, loss: Loss) -> Array:
    """What the loss reads, (n_L, M): Z[L] or A[L]."""
    return workspace.output.Z if loss.from_weighted_input else workspace.output.A


def backward(workspace: Workspace, loss: Loss, Y: Array, scale: float, beta: float) -> None:
    """target ← beta · target + scale · ∂C/∂W̃ for each layer, the last first.

    A layer's error is propagated before its weights may change, for the target may be the weights themselves.
    """
    output, scale = workspace.output, scale / workspace.batch_size  # the 1/M of (24)
    loss.output_error(output.activation, output.A, Y, output.delta)  # BP1
    for layer, propagate, above in workspace.descent:
        propagate()
        above.activation.jacobian_product(above.A, above.delta, above.delta)  # BP2
        layer.accumulate(scale, beta)  # BP3 and BP4
    workspace.layers[0].accumulate(scale, beta)  # BP3 and BP4
