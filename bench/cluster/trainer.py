"""Who trains a run: this process, or the cluster that `--on` names."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bench.core.errors import UnusableError

if TYPE_CHECKING:
    from bench.run.runner import Trainer


def trainer_of(on: str | None, accuracy_only: bool) -> "AbstractContextManager[Trainer] | None":
    """None for this process. Dask is imported only if a cluster is named.

    Raises UnusableError: where `on` names none, or is missing beside `accuracy_only`.
    """
    if on is None:
        if accuracy_only:
            raise UnusableError("--accuracy-only: fills the nodes of a cluster; name one with --on, such as --on local")
        return None
    from bench.cluster.head import cluster_trainer
    from bench.cluster.spec import cluster_of

    return cluster_trainer(cluster_of(on), alone=not accuracy_only)
