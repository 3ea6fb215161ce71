"""The child process of the grader: it runs the student's code and answers with one result per task."""

import resource
import sys
import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

from bench.course.check import check
from bench.course.tasks import TASKS

LIMITS = {resource.RLIMIT_AS: 4 * 2**30, resource.RLIMIT_FSIZE: 2**26}
"""Bytes of addresses, of a file: what grows for ever ends as a MemoryError or an OSError, and the machine goes on."""


def serve(connection: Connection, folder: Path) -> None:
    """Say that it is ready; then answer an id with a result, until None."""
    connection.send("ready")
    while (id := connection.recv()) is not None:
        start = time.perf_counter()
        connection.send(replace(check(folder, TASKS[id]), seconds=time.perf_counter() - start))


if __name__ == "__main__":
    for kind, size in LIMITS.items():
        resource.setrlimit(kind, (size, size))
    connection = Connection(int(sys.argv[1]))
    serve(connection, Path(connection.recv()))
