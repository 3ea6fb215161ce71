"""A neural network from scratch, in NumPy and SciPy's BLAS: dense layers, propagation derived by hand.

Fed by arrays with one example a row; imports nothing else of this project.
"""

from scratchnet.gradient_check import central_differences, gradient_error
from scratchnet.network import Dense, Epoch, Network
from scratchnet.optimizers import SGD

__all__ = ["SGD", "Dense", "Epoch", "Network", "central_differences", "gradient_error"]
