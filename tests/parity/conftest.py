"""TensorFlow takes one thread budget for the life of a process: here networks of all sizes share one."""

import pytest


@pytest.fixture(autouse=True)
def one_budget(monkeypatch):
    threads = pytest.importorskip("reference_tf.threads")
    monkeypatch.setattr(threads, "SMALL_NETWORK", float("inf"))
