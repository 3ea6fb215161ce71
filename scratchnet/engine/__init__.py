"""How a step is made fast: products, kernels, threads and the step itself, compiled by Numba where that is installed.

The mathematics does not know of it. Outside, only the floors of `bench.backends` import what is inside: its products.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from scratchnet.checks import chosen
from scratchnet.losses import Loss
from scratchnet.optimizers import Optimizer

if TYPE_CHECKING:
    from scratchnet.engine.trainer import Trainer

VARIABLE = "SCRATCHNET_STEPS"
LIBRARIES = ("numba", "numpy")
"""The preferred one first."""


def library() -> str:
    """Name of the library that makes the steps.

    Raises ValueError: where SCRATCHNET_STEPS names no library, or one that is not installed.
    """
    return chosen(VARIABLE, LIBRARIES, installed(), installed()[0])


def installed() -> list[str]:
    """Names of the libraries that are installed, the preferred one first."""
    return [name for name in LIBRARIES if find_spec(name)]


def trainer_for(loss: Loss, optimizer: Optimizer) -> "type[Trainer] | None":
    """What trains by compiled code; None where NumPy does: without Numba, or with a loss or optimizer of one's own."""
    if library() != "numba":
        return None
    from scratchnet.engine.tables import LOSSES, OPTIMIZERS  # Numba, which only what trains with it pays
    from scratchnet.engine.trainer import Trainer

    return Trainer if type(loss) in LOSSES and type(optimizer) in OPTIMIZERS else None
