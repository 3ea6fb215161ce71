"""A cluster on this machine, where dask is installed."""

from contextlib import ExitStack

import pytest
from mini_cluster import MiniCluster


@pytest.fixture
def mini(tmp_path):
    pytest.importorskip("distributed", reason="needs the extra `cluster`")
    with ExitStack() as stack:
        yield MiniCluster(tmp_path, stack)
