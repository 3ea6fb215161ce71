"""Opens a cluster: starts nodes if asked to, and connects to the scheduler.

Whoever reaches a scheduler's port without TLS can run any program on every node. So TLS is the default beyond the
loopback address, and an open port is refused unless cluster.toml allows it.
"""

import ipaddress
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from bench.cluster.nanny import forget_nannys_variables
from bench.cluster.spec import Cluster, Jobs, Local, Scheduler, Ssh, Tls
from bench.core.environment import usable_cores
from bench.core.errors import UnusableError
from bench.core.text import one_line

LOGGERS = ("distributed", "distributed.client", "tornado", "asyncio")
LOOPBACK = "127.0.0.1"
PROFILER = "distributed.worker.profile.enabled"
PROLOGUE = "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False"
REMEDY = "remedy: TLS, or open_port = true in cluster.toml where only people you trust can reach it"
QUEUES = {
    "slurm": "dask_jobqueue:SLURMCluster",
    "pbs": "dask_jobqueue:PBSCluster",
    "lsf": "dask_jobqueue:LSFCluster",
    "sge": "dask_jobqueue:SGECluster",
    "oar": "dask_jobqueue:OARCluster",
    "moab": "dask_jobqueue:MoabCluster",
    "htcondor": "dask_jobqueue:HTCondorCluster",
    "here": "dask_jobqueue.local:LocalCluster",
}
EXCLUSIVE = {
    "slurm": ["--exclusive"],
    "pbs": ["-l place=excl"],
    "lsf": ["-x"],
    "sge": ["-l exclusive=true"],
    "moab": ["-l naccesspolicy=singlejob"],
}
"""What asks a queue for a whole node; for the others the user says it in `options`."""


@dataclass(frozen=True)
class Opened:
    """A scheduler: its address, or a cluster that dask started; how nodes that ended are asked for again."""

    scheduler: Any
    security: Any = None
    renew: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Connection:
    """A client of that scheduler."""

    client: Any
    opened: Opened

    @property
    def name(self) -> str:
        """The scheduler's address."""
        return str(self.client.scheduler.address)


@contextmanager
def connected(cluster: Cluster, alone: bool) -> Iterator[Connection]:
    """A connection to the cluster; nodes that were started for it end with it.

    alone : a node runs one cell at a time; otherwise as many as it has cores.
    Raises UnusableError: where it cannot be opened, or its port is open to all.
    """
    from distributed import Client

    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # the head says itself what went wrong
    with ExitStack() as stack, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of versions that differ: the head compares them itself
        with _refused(cluster):
            opened = stack.enter_context(OPENERS[type(cluster)](cluster, alone))
            options = {"security": opened.security, "timeout": cluster.wait_seconds, "set_as_default": False}
            client = stack.enter_context(Client(opened.scheduler, **options))
        yield Connection(client, opened)


def check_ports(addresses: Iterable[str], open_port: bool) -> None:
    """Refuse connections without TLS beyond the loopback address.

    Raises UnusableError: names the first.
    """
    for address in addresses:
        protocol, _, place = address.rpartition("://")
        if protocol not in ("tls", "inproc") and not open_port and not is_loopback(place.rpartition(":")[0]):
            raise UnusableError(f"{address}: a port without TLS: whoever reaches it runs programs there; {REMEDY}")


def is_loopback(host: str) -> bool:
    """Whether that address is reached from its own machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _refused(cluster: Cluster) -> Iterator[None]:
    name = getattr(cluster, "address", cluster.kind)
    try:
        yield
    except UnusableError:
        raise
    except Exception as error:  # dask, asyncssh and the queues' classes have errors of their own
        reason = one_line(error.__cause__ or error, 300) or type(error).__name__
        raise UnusableError(f"--on: {name}: no connection ({type(error).__name__}: {reason})") from None


@contextmanager
def _local(cluster: Local, alone: bool) -> Iterator[Opened]:
    import dask
    from distributed import LocalCluster

    options = {"threads_per_worker": 1 if alone else usable_cores(), "memory_limit": 0, "dashboard_address": None}
    with dask.config.set({PROFILER: False}), LocalCluster(n_workers=1, host=LOOPBACK, **options) as started:
        forget_nannys_variables()  # the nanny is in this process
        yield Opened(started)


@contextmanager
def _scheduler(cluster: Scheduler, alone: bool) -> Iterator[Opened]:
    from distributed import Security

    check_ports([cluster.address], cluster.open_port)
    security = security_of(cluster.tls) if cluster.tls else Security()  # Security() reads dask's own settings
    if cluster.address.startswith("tls://") and not security.tls_ca_file:
        raise UnusableError(f"{cluster.address}: no certificates; remedy: ca, cert and key below [tls] in cluster.toml")
    yield Opened(cluster.address, security)


@contextmanager
def _ssh(cluster: Ssh, alone: bool) -> Iterator[Opened]:
    import dask
    from distributed import Scheduler as DaskScheduler
    from distributed import SpecCluster
    from distributed.deploy.ssh import Worker

    is_here = all(map(is_loopback, cluster.hosts))
    if not (cluster.tls or cluster.open_port or is_here):
        raise UnusableError(f"ssh: {cluster.hosts[0]}: no certificates; remedy: [tls] with files that every host has")
    security = security_of(cluster.tls) if cluster.tls else None
    protocol = "tls://" if security else "tcp://"
    options = {**({"nthreads": 1} if alone else {}), **({"host": LOOPBACK} if is_here else {})}
    worker = {
        "connect_options": cluster.connect,
        "kwargs": {"protocol": protocol, "memory_limit": 0, "dashboard": False, **options},
        "remote_python": cluster.python,
    }
    workers = {host: {"cls": Worker, "options": {"address": host, **worker}} for host in cluster.hosts}
    place = {"host": LOOPBACK} if is_here else {"interface": cluster.interface}
    head = {"protocol": protocol, "security": security, "dashboard": False, "port": 0, **place}
    scheduler = {"cls": DaskScheduler, "options": head}
    inherited = {PROFILER: False, **_paths(cluster.tls)}  # paths of certificates, and no key
    with dask.config.set(inherited), SpecCluster(workers, scheduler, security=security) as started:
        yield Opened(started, security)


@contextmanager
def _jobs(cluster: Jobs, alone: bool) -> Iterator[Opened]:
    module, _, name = QUEUES[cluster.kind].partition(":")
    make = getattr(import_module(module), name)
    security = security_of(cluster.tls) if cluster.tls else not (cluster.open_port or cluster.kind == "here") or None
    with make(**_job_options(cluster, alone), security=security) as started:

        def renew() -> None:
            started.scale(jobs=cluster.nodes)

        renew()
        yield Opened(started, started.security, renew)


def _job_options(cluster: Jobs, alone: bool) -> dict[str, Any]:
    """What every job needs, with the user's own options over it; lists are put together."""
    head = {"dashboard": False, **({"host": LOOPBACK} if cluster.kind == "here" else {})}
    lists = {
        "job_extra_directives": EXCLUSIVE.get(cluster.kind, []) if alone else [],
        "job_script_prologue": [] if cluster.kind == "here" else [PROLOGUE],
        "worker_extra_args": ["--no-dashboard"],
    }
    joined = {key: [*value, *cluster.options.get(key, [])] for key, value in lists.items()}
    cores = 1 if alone else usable_cores()
    return {"cores": cores, "processes": 1, "scheduler_options": head, **cluster.options, **joined}


def security_of(tls: Tls) -> Any:
    """Certificates for head, scheduler and nodes.

    Raises UnusableError: where a file cannot be read.
    """
    from distributed import Security

    for path in (tls.ca, tls.cert, tls.key):
        if not path.is_file():
            raise UnusableError(f"{path}: no such file; [tls] needs ca, cert and key in PEM form")
    roles = {f"tls_{role}_{part}": str(getattr(tls, part)) for role in ROLES for part in ("cert", "key")}
    return Security(tls_ca_file=str(tls.ca), require_encryption=True, **roles)


def _paths(tls: Tls | None) -> dict[str, Any]:
    """The same as dask's settings."""
    if tls is None:
        return {}
    roles = {
        f"distributed.comm.tls.{role}.{part}": str(getattr(tls, part)) for role in ROLES for part in ("cert", "key")
    }
    return {"distributed.comm.tls.ca-file": str(tls.ca), "distributed.comm.require-encryption": True, **roles}


ROLES = ("client", "scheduler", "worker")
OPENERS: dict[type, Callable[[Any, bool], AbstractContextManager[Opened]]] = {
    Local: _local,
    Scheduler: _scheduler,
    Ssh: _ssh,
    Jobs: _jobs,
}
