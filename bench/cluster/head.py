"""The head: gives cells to nodes, notices what is lost, and writes all records of the run.

Each cell is bound to one node, so that dask moves nothing by itself: a cell whose node is lost goes to another one as
a new attempt, and whatever the first may still send is ignored.
"""

import queue
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from bench.backends import registry
from bench.cluster import node as on_node
from bench.cluster.connect import Connection, connected
from bench.cluster.node import TOPIC, CellJob, CellReport, NeedsData, NodeFacts
from bench.cluster.nodes import Node, Nodes
from bench.cluster.spec import Cluster
from bench.cluster.versions import difference, software
from bench.core.text import one_line
from bench.data import Dataset
from bench.records.run import LostRecord, machine_record
from bench.run.cell import Session
from bench.run.runner import DataFolders, Task, Trainer

POLL_SECONDS = 0.5
FETCH_SECONDS = 60.0


@dataclass
class Work:
    """Something that a node was asked for; `task` is None where it was asked for its facts."""

    node: Node
    future: Any
    task: Task | None
    heard: float = field(default_factory=time.monotonic)


@dataclass
class Losses:
    """Of one (spec, seed): how many attempts were lost, and on which machines."""

    count: int = 0
    machines: set[str] = field(default_factory=set)


@contextmanager
def cluster_trainer(cluster: Cluster, alone: bool) -> Iterator[Trainer]:
    """Who makes the attempts of a run on that cluster; `alone`: times count, so no two cells share a machine.

    Raises UnusableError: where the cluster cannot be used.
    """
    with connected(cluster, alone) as connection:

        def train(session: Session, todo: Sequence[Task], data: DataFolders) -> None:
            Head(connection, cluster, alone, session, data).train(todo)

        yield train


class Head:
    """One run on a cluster."""

    def __init__(
        self, connection: Connection, cluster: Cluster, alone: bool, session: Session, data: DataFolders
    ) -> None:
        self._client, self._attempts, self._alone = connection.client, cluster.attempts, alone
        self._session, self._data, self._say = session, data, session.progress.note
        self._silence = session.suite.time_limit_seconds + cluster.silence_seconds
        self._nodes = Nodes(connection, cluster, alone, self._say)
        packages = {one for name in session.suite.backends for one in registry.entry(name).packages}
        self._packages = tuple(sorted(packages))
        self._software = software(self._packages)
        self._fingerprints = {spec: Dataset.open(folder).fingerprint for spec, folder in data.items()}
        self._todo: deque[Task] = deque()
        self._work: dict[str, Work] = {}
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._losses: dict[tuple[str, int], Losses] = {}
        self._machines: set[str] = set()

    def train(self, todo: Sequence[Task]) -> None:
        """Have every attempt made, and each that is lost made anew, up to the limit of attempts.

        Raises UnusableError: where the scheduler is gone or no node can be used; finished cells are kept.
        """
        self._todo.extend(todo)
        self._client.subscribe_topic(TOPIC, self._hear)
        try:
            while self._todo or any(work.task for work in self._work.values()):
                self._follow_nodes()
                self._assign()
                self._wait_for_answers()
        finally:
            for work in self._work.values():
                work.future.cancel()

    def _follow_nodes(self) -> None:
        """Ask those that came what they are; take back what those had that went, or that hang."""
        came, went = self._nodes.update()
        for node in came:
            self._submit(node, None, on_node.look, self._packages)
        for key, work in list(self._work.items()):
            if work.node in went:
                self._lose(key, "its node went away")
            elif time.monotonic() > work.heard + self._silence:
                self._lose(key, f"its node said nothing for {self._silence:g} s")
                self._nodes.refuse(work.node, f"it said nothing for {self._silence:g} s")

    def _assign(self) -> None:
        for node in self._nodes.free():
            task = next((task for task in self._todo if self._fits(task, node)), None)
            if task is not None:
                self._todo.remove(task)
                self._start(node, task)

    def _fits(self, task: Task, node: Node) -> bool:
        """A machine that lost this cell gets it again only where there is no other."""
        lost = self._losses.get((task.spec.name, task.seed))
        return lost is None or node.machine not in lost.machines or not self._nodes.has_another_machine(lost.machines)

    def _start(self, node: Node, task: Task, *sent: Any) -> None:
        key = uuid.uuid4().hex
        job = CellJob(
            number=key,
            suite=self._session.suite,
            spec=task.spec,
            seed=task.seed,
            attempt=task.attempt,
            fingerprint=self._fingerprints[task.spec.data],
            folder=str(self._session.folder),
            alone=self._alone,
        )
        node.working += 1
        self._submit(node, task, on_node.run_cell, job, *sent, key=key)

    def _submit(
        self, node: Node, task: Task | None, function: Callable[..., Any], *arguments: Any, key: str = ""
    ) -> None:
        key = key or uuid.uuid4().hex
        bound = {"workers": [node.address], "allow_other_workers": False, "retries": 0, "pure": False}
        future = self._client.submit(function, *arguments, key=f"scratchbench-{key}", **bound)
        self._work[key] = Work(node, future, task)
        future.add_done_callback(lambda _: self._answers.put(key))

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """A node told a step; called by another thread."""
        work = self._work.get(event[1]["number"])
        if work is not None:
            work.heard = time.monotonic()

    def _wait_for_answers(self) -> None:
        """Take what came; wait a moment where there is nothing."""
        try:
            self._take(self._answers.get(timeout=POLL_SECONDS))
            while True:
                self._take(self._answers.get_nowait())
        except queue.Empty:
            pass

    def _take(self, key: str) -> None:
        """What came of one piece of work; of one that was given up nothing is taken."""
        work = self._work.get(key)
        if work is None or work.future.status in ("cancelled", "lost"):  # the next look at the nodes says why
            return
        try:
            answer = work.future.result(timeout=FETCH_SECONDS)
        except Exception as error:
            reason = f"{type(error).__name__}: {one_line(error, 300)}"
            self._lose(key, reason)
            if work.task is None:
                self._nodes.refuse(work.node, f"it cannot say what it is ({reason})")
        else:
            self._end(key)
            TAKE[type(answer)](self, work.node, work.task, answer)

    def _end(self, key: str) -> None:
        work = self._work.pop(key)
        work.node.working -= work.task is not None
        work.future.release()

    def _lose(self, key: str, reason: str) -> None:
        work = self._work[key]
        work.future.cancel()
        self._end(key)
        if work.task is not None:
            self._try_again(work.node, work.task, reason)

    def _try_again(self, node: Node, task: Task, reason: str) -> None:
        """Record that an attempt was lost; the next one comes first, unless there were too many."""
        about: dict[str, Any] = {"spec": task.spec.name, "seed": task.seed, "attempt": task.attempt}
        self._session.log.write(LostRecord(**about, host=node.host, reason=reason))
        losses = self._losses.setdefault((task.spec.name, task.seed), Losses())
        losses.count += 1
        losses.machines.add(node.machine)
        told = f"{task.title}: attempt {task.attempt} on {node.host} was lost: {reason}"
        if losses.count < self._attempts:
            self._todo.appendleft(replace(task, attempt=task.attempt + 1))
            self._say(f"{told}; it is tried again")
        else:
            self._session.progress.done()
            self._say(f"{told}; given up after {losses.count} attempts")

    def _take_facts(self, node: Node, _: None, facts: NodeFacts) -> None:
        node.facts = facts
        if differs := difference(self._software, facts.software):
            self._nodes.refuse(node, f"its software differs: {differs}")

    def _send_data(self, node: Node, task: Task, _: NeedsData) -> None:
        self._say(f"{node.host}: data {task.spec.data.key} are sent")
        dataset = _in_memory(Dataset.open(self._data[task.spec.data]))
        try:
            sent = self._client.scatter([dataset], workers=[node.address], hash=False, timeout=FETCH_SECONDS)
        except Exception as error:
            self._try_again(node, task, f"data were not sent ({type(error).__name__}: {one_line(error, 300)})")
        else:
            self._start(node, task, *sent)

    def _keep(self, node: Node, task: Task, report: CellReport) -> None:
        """Write what a whole attempt came to, all at once."""
        digest = report.machine.digest
        new = [] if digest in self._machines else [machine_record(report.machine)]
        self._session.log.write(*new, *report.records)
        self._machines.add(digest)
        for name, content in report.logs.items():
            (self._session.folder / name).write_bytes(content)
        for line in report.notes:
            self._say(line)
        self._session.progress.done()
        self._session.progress.stage(f"{task.title}: finished on {node.host}")


def _in_memory(dataset: Dataset) -> Dataset:
    """The same without files of this machine."""
    values = {one.name: getattr(dataset, one.name) for one in fields(dataset)}
    arrays: dict[str, Any] = {name: np.array(value) for name, value in values.items() if isinstance(value, np.ndarray)}
    return replace(dataset, **arrays)


TAKE: dict[type, Callable[[Head, Node, Any, Any], None]] = {
    NodeFacts: Head._take_facts,
    NeedsData: Head._send_data,
    CellReport: Head._keep,
}
