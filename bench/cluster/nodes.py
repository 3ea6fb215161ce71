"""The nodes that the head knows: which came and went, which are refused, which are free."""

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from bench.cluster.connect import Connection, check_ports
from bench.cluster.node import NodeFacts
from bench.cluster.spec import Cluster
from bench.core.errors import UnusableError
from bench.core.text import one_line

RENEW_SECONDS = 30.0


@dataclass
class Node:
    """A dask worker. It gets cells once it has told its facts; `refused` says why it gets none."""

    address: str
    slots: int
    facts: NodeFacts | None = None
    refused: str = ""
    working: int = 0

    @property
    def host(self) -> str:
        """Its host's name, or its address as long as it has not told it."""
        return self.facts.host if self.facts else self.address

    @property
    def machine(self) -> str:
        """What nodes on the same machine share; empty as long as it has not told it."""
        return self.facts.machine if self.facts else ""

    @property
    def usable(self) -> bool:
        """Whether it may get a cell at all."""
        return self.facts is not None and not self.refused


class Nodes:
    """All nodes of a scheduler. `alone`: no two cells share a machine."""

    def __init__(self, connection: Connection, cluster: Cluster, alone: bool, say: Callable[[str], None]) -> None:
        self._connection, self._cluster, self._alone, self._say = connection, cluster, alone, say
        self._known: dict[str, Node] = {}
        self._used = self._renewed = time.monotonic()

    def update(self) -> tuple[list[Node], list[Node]]:
        """The nodes that came and those that went since the last update.

        Raises UnusableError: where the scheduler is gone, or no node could be used for too long.
        """
        slots = self._slots()
        check_ports(slots, self._cluster.open_port)
        went = [self._known.pop(address) for address in self._known.keys() - slots.keys()]
        came = [Node(a, 1 if self._alone else slots[a]) for a in slots.keys() - self._known.keys()]
        self._known |= {node.address: node for node in came}
        self._renew()
        self._check_that_one_is_usable()
        return came, went

    def refuse(self, node: Node, reason: str) -> None:
        """It gets no cell from now on."""
        node.refused = reason
        self._say(f"{node.host}: gets no cells: {reason}")

    def free(self) -> Iterator[Node]:
        """Nodes that can begin a cell, as often as they can; what they begin meanwhile counts."""
        busy = {node.machine for node in self._known.values() if node.working}
        for node in list(self._known.values()):
            while node.usable and node.working < node.slots and not (self._alone and node.machine in busy):
                before = node.working
                yield node
                if node.working == before:  # there is nothing that fits it
                    break
                busy.add(node.machine)

    def has_another_machine(self, machines: Collection[str]) -> bool:
        """Whether a usable node is on none of these machines."""
        return any(node.usable and node.machine not in machines for node in self._known.values())

    def _slots(self) -> dict[str, int]:
        """Address of each node → threads of its worker."""
        client, name = self._connection.client, self._connection.name
        try:
            if client.status != "running":
                raise OSError("the connection is lost")
            return dict(client.nthreads())
        except (OSError, RuntimeError) as error:
            remedy = "what was finished is kept: go on with --resume"
            raise UnusableError(f"{name}: the scheduler is gone ({one_line(error)}); {remedy}") from None

    def _renew(self) -> None:
        if time.monotonic() > self._renewed + RENEW_SECONDS:
            self._renewed = time.monotonic()
            self._connection.opened.renew()

    def _check_that_one_is_usable(self) -> None:
        if any(not node.refused for node in self._known.values()):
            self._used = time.monotonic()
        elif time.monotonic() > self._used + self._cluster.wait_seconds:
            why = one_line("; ".join({node.refused: None for node in self._known.values()}), 1000) or "none came"
            name, seconds = self._connection.name, self._cluster.wait_seconds
            raise UnusableError(f"{name}: no node can be used for {seconds:g} s: {why}")
