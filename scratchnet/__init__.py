"""A neural network from scratch, in NumPy and SciPy's BLAS: dense layers, propagation derived by hand.

Arrays have one example a row. Nothing else of this project is imported.
"""

from scratchnet.divergence import DivergedError
from scratchnet.early_stopping import EarlyStopping
from scratchnet.gradient_check import central_differences, gradient_error, gradient_errors
from scratchnet.layers import Dense
from scratchnet.network import Epoch, Network
from scratchnet.optimizers import SGD, Adagrad, Adam, AdamW, RMSprop

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Dense",
    "DivergedError",
    "EarlyStopping",
    "Epoch",
    "Network",
    "RMSprop",
    "central_differences",
    "gradient_error",
    "gradient_errors",
]
