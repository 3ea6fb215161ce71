"""Runs that several tests read."""

import builders
import pytest

from bench.records.run import Records


@pytest.fixture(scope="session")
def three_seeds() -> Records:
    """One spec, five backends, three seeds, four epochs, all ok."""
    return Records(builders.realistic([builders.spec((128,), 128, epochs=4)]))


@pytest.fixture(scope="session")
def with_losses() -> Records:
    """Two specs; tf-xla diverged in epoch 2, keras-fit-tuned was skipped."""
    ends = {"tf-xla": ("diverged", 2), "keras-fit-tuned": ("skipped", 0)}
    return Records(builders.realistic(builders.nine_specs(epochs=4)[3:5], ends=ends))


@pytest.fixture(scope="session")
def nine_specs() -> Records:
    """Nine specs, three seeds, three epochs."""
    return Records(builders.realistic(builders.nine_specs(epochs=3)))
