"""Runs whose pages are looked at: one that was trained, one with every kind of loss, one of hostile names."""

from functools import cache
from pathlib import Path
from typing import Any

import builders
import numpy as np
from made_answers import packed

from bench.data import Dataset, load_dataset
from bench.records.run import Record, Records, log_name
from bench.report.tables import Tables
from bench.spec import DataSpec

MNIST = DataSpec()
HOSTILE = "</script><img src=x onerror=alert(2)>"
WRONG = {"keras-fit": (3, 5, 8), "tf-xla": (5, 8, 13, 21)}
"""Backend → the test examples that it gets wrong; all others none."""


@cache
def mnist() -> Dataset:
    """Read once: a run of many records asks for it for each."""
    return load_dataset(MNIST)


def answers(wrong: tuple[int, ...]) -> str:
    """All test examples of MNIST right, but those places, where the next digit is answered."""
    classes = np.asarray(mnist().y_test).copy()
    classes[list(wrong)] = (classes[list(wrong)] + 1) % 10
    return packed(classes)


def with_losses() -> list[Record]:
    """Two specs, three seeds; keras-fit-tuned was skipped, tf-graph diverged in one seed of one spec, tf-xla failed."""
    one, two = builders.spec((128,), 128, epochs=4), builders.spec((30,), 32, epochs=4)
    ends: Any = {"keras-fit-tuned": ("skipped", 0), (one.name, 1, "tf-graph"): ("diverged", 2)}
    ends |= {(two.name, 0, "tf-xla"): ("failed", 1)}
    fingerprints = {MNIST.key: mnist().fingerprint}
    changes = {"schema_version": 2, "data_fingerprints": fingerprints, "environment": {"warnings": ["it was busy"]}}
    return [_answering(record) for record in builders.realistic([one, two], ends=ends, **changes)]


def _answering(record: Record) -> Record:
    if record.kind != "result" or record.status != "ok":
        return record
    wrong = WRONG.get(record.backend, ())
    return record.model_copy(update={"test_predictions": answers(wrong)})


def write_log(folder: Path, records: Records, text: str, backend: str = "tf-xla") -> Path:
    """The log of the first process of a backend that failed."""
    lost = next(result for result in records.results if (result.backend, result.status) == (backend, "failed"))
    path = folder / log_name(records.run.suite, lost.spec, lost.seed, backend)
    path.write_text(text, "utf-8")
    return path


def hostile() -> Records:
    """A run whose spec, backend, reasons and warnings are markup."""
    one = builders.spec(name="<script>alert(1)</script>", seeds=(0,), epochs=2)
    backends = ("scratchnet", "keras-fit", HOSTILE, "a bell \x07 {{ 7 * 7 }}", "x" * 10_000)
    found: list[Record] = [
        builders.run_record([one], backends, suite_name=HOSTILE, environment={"warnings": [HOSTILE], HOSTILE: HOSTILE})
    ]
    found.append(builders.cell(one.name, 0))
    for backend in backends[:-1]:
        found.append(builders.worker(one.name, 0, backend, notes={HOSTILE: HOSTILE}))
        found += [builders.epoch(one.name, 0, backend, n, train_cost=float("inf")) for n in (1, 2)]
        found.append(builders.result(one.name, 0, backend))
    found.append(builders.result(one.name, 0, backends[-1], "failed", HOSTILE))
    return Records([*found, builders.cell_end(one.name, 0)])


def many(specs: int) -> Tables:
    """A run of many specs, one seed each."""
    every = [builders.spec(name=f"spec {number}", seeds=(0,), epochs=2) for number in range(specs)]
    return Tables(Records(builders.realistic(every, ("scratchnet", "keras-fit"))))
