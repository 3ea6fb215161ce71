"""Data sets: the shipped MNIST, files of the user, sets of TFDS and scikit-learn; each becomes one `Dataset`."""

from bench.data.dataset import Dataset
from bench.data.sources import load_dataset

__all__ = ["Dataset", "load_dataset"]
