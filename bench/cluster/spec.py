"""What `--on` names: this machine, a scheduler's address or file, or a cluster.toml."""

import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from bench.core.errors import UnusableError, refused
from bench.core.models import LONGEST_VALUE, Count, Frozen, first_problem
from bench.core.text import one_line

ALLOWED = "local, an address such as tls://host:8786, a scheduler.json, a cluster.toml"
ADDRESS = re.compile(r"([a-z]+://)?[\w.\-]+:\d{1,5}|[a-z]+://\[[0-9a-fA-F:.]+\]:\d{1,5}")
DAY = 86_400.0

Seconds = Annotated[float, Field(gt=0, le=30 * DAY)]


class Tls(Frozen):
    """Files in PEM form. The same three serve the scheduler, the nodes and this command."""

    ca: Path = Field(description="certificate of the authority that signed the others")
    cert: Path
    key: Path


class _Cluster(Frozen):
    attempts: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        default=3, description="how often a cell is tried in one command when its nodes are lost"
    )
    wait_seconds: Seconds = Field(default=60.0, description="how long to wait while no node can be used")
    silence_seconds: Seconds = Field(
        default=60.0, description="a node that says nothing for so long, beyond the suite's time limit, is given up"
    )
    open_port: bool = Field(default=False, description="allow connections without TLS beyond the loopback address")
    tls: Tls | None = None


class Local(_Cluster):
    """One node on this machine."""

    kind: Literal["local"] = "local"


class Scheduler(_Cluster):
    """A scheduler that runs already, named by its address or by the file that it wrote."""

    kind: Literal["scheduler"] = "scheduler"
    address: str = Field(pattern=f"^({ADDRESS.pattern})$")


class Ssh(_Cluster):
    """Nodes that are started over SSH; `connect` goes to asyncssh."""

    kind: Literal["ssh"]
    hosts: tuple[str, ...] = Field(min_length=1)
    python: str | None = Field(default=None, description="of the nodes; by default the path of this one")
    interface: str | None = Field(default=None, description="network interface that the nodes reach")
    connect: dict[str, Any] = Field(default_factory=dict)


class Jobs(_Cluster):
    """Nodes that are jobs of a queue; `options` go to dask-jobqueue. `here`: jobs run on this machine, to try it."""

    kind: Literal["slurm", "pbs", "lsf", "sge", "oar", "moab", "htcondor", "here"]
    nodes: Count
    wait_seconds: Seconds = DAY
    options: dict[str, Any] = Field(default_factory=dict)


Cluster = Local | Scheduler | Ssh | Jobs
_ADAPTER: TypeAdapter[Cluster] = TypeAdapter(Annotated[Cluster, Field(discriminator="kind")])


def cluster_of(name: str) -> Cluster:
    """The cluster that `--on` names.

    Raises UnusableError: where it names none, or its file cannot be used.
    """
    if name == "local":
        return Local()
    if name.endswith(".toml"):
        return _of_toml(Path(name))
    if name.endswith(".json"):
        return Scheduler(address=_address_in(Path(name)))
    if ADDRESS.fullmatch(name):
        return Scheduler(address=name)
    raise UnusableError(f"--on: {one_line(name, LONGEST_VALUE)!r}; allowed: {ALLOWED}")


def _of_toml(path: Path) -> Cluster:
    with refused(path, "read"):
        content = path.read_bytes()
    try:
        tables = tomllib.loads(content.decode("utf-8-sig"))
        if isinstance(file := tables.pop("scheduler_file", None), str):
            tables["address"] = _address_in(path.parent / file)
        return _ADAPTER.validate_python(tables)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnusableError(f"{path}: not valid TOML: {one_line(error)}") from None
    except ValidationError as error:
        raise UnusableError(f"{path}: {first_problem(error)}") from None


def _address_in(path: Path) -> str:
    """The address that `dask scheduler --scheduler-file` wrote."""
    with refused(path, "read"):
        content = path.read_bytes()
    try:
        return str(Scheduler(address=json.loads(content)["address"]).address)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UnusableError(
            f"{path}: holds no address; allowed: the file of `dask scheduler --scheduler-file`"
        ) from None
