"""Data sets: the shipped MNIST, IDX folders, folders of images, TFDS names; all end as one `Dataset`."""

from bench.data.dataset import Dataset
from bench.data.sources import load_dataset

__all__ = ["Dataset", "load_dataset"]
