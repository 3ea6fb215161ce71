"""The whole measurement, part by part; every record is on disk before the next thing is measured."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.backends import registry
from bench.backends.floors import product_rate
from bench.core import environment
from bench.core.progress import Progress
from bench.data import load_dataset
from bench.records.log import RecordLog
from bench.scaling import memmap
from bench.scaling.memory import too_large
from bench.scaling.options import ScalingOptions
from bench.scaling.points import AXES, TEST_EXAMPLES, Point
from bench.scaling.records import PointRecord, RateRecord, ScalingRecords, ScalingRunRecord
from bench.scaling.synthetic_data import MadeData
from bench.scaling.tables import FLOORS, PRODUCTS
from bench.scaling.time_to_accuracy import Race
from bench.scaling.turns import Turns, record_of, too_slow
from bench.spec import DataSpec, TrainingSpec
from bench.workers.pool import fresh_processes

WORKER_LOG_NAME = "workers.log"


def measure(options: ScalingOptions, folder: Path, progress: Progress, earlier: ScalingRecords | None = None) -> None:
    """Measure whatever `earlier` has no record of.

    Raises UnusableError: where the folder cannot be written; whatever was finished is kept.
    """
    with RecordLog(folder) as log:
        if earlier is None:
            earlier = ScalingRecords([run_record(options)])
            _written(log)(earlier.run)
        Measurement(options, folder, progress, earlier, _written(log)).run()


def _written(log: RecordLog) -> Callable[[Any], None]:
    """The log is one of lines, whatever record they hold."""
    return log.write


def run_record(options: ScalingOptions) -> ScalingRunRecord:
    """The first line."""
    return ScalingRunRecord(
        quick=options.quick,
        parts=options.parts,
        backends=options.backends,
        cores=options.cores,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        environment=environment.describe(),
    )


class Measurement:
    """One run in a folder."""

    def __init__(
        self,
        options: ScalingOptions,
        folder: Path,
        progress: Progress,
        earlier: ScalingRecords,
        write: Callable[[Any], None],
    ) -> None:
        self._options, self._folder, self._progress, self._write = options, folder, progress, write
        self._done = list(earlier.points)
        self._rates: set[tuple[str, int, str]] = set()
        self._points = [point for point in options.points if self._names_left(point)]
        self._memmap_examples = None if earlier.memmaps else options.memmap_examples
        raced = {(record.network, record.seed) for record in earlier.accuracies}
        self._races = [(spec, seed) for spec, seed in options.races if (spec.name, seed) not in raced]

    def run(self) -> None:
        """Everything that is left."""
        self._progress.expect(len(self._points) + bool(self._memmap_examples) + len(self._races))
        mnist = load_dataset(DataSpec())
        with closing(MadeData(mnist, self._folder / ".data")) as data:
            for point in self._points:
                self._measure(point, data.folder(point.examples, TEST_EXAMPLES))
            if self._memmap_examples:
                self._memmap(data.folder(self._memmap_examples, TEST_EXAMPLES))
            for spec, seed in self._races:
                self._race(spec, seed, data.folder(len(mnist.y_train), len(mnist.y_test)))
        said = self._folder / WORKER_LOG_NAME
        if said.exists() and not said.stat().st_size:
            said.unlink()

    def _names_left(self, point: Point) -> list[str]:
        have = {record.backend for record in self._done if (record.axis, record.value) == (point.axis, point.value)}
        return [name for name in (*self._options.backends, PRODUCTS) if name not in have]

    def _measure(self, point: Point, data: Path) -> None:
        self._progress.stage(f"{point.axis} {AXES[point.axis].tick(point.value)}")
        self._rate(point)
        names = self._names_left(point)
        known = {name: record for name in names if (record := self._known(point, name))}
        turns = Turns(point, data, self._folder, self._options.timing)
        for record in (*known.values(), *turns.measure([name for name in names if name not in known])):
            self._keep(record)
        self._progress.done()

    def _known(self, point: Point, name: str) -> PointRecord | None:
        """The record that needs no training: the backend cannot run, is too slow, or was measured for another axis."""
        reason = None if name in FLOORS else registry.missing(name)
        reason = reason or too_slow(self._done, point, name, self._options.timing.slow) or too_large(point)
        if reason:
            return record_of(point, name, status="skipped", reason=reason)
        same = [one for one in self._done if (one.work, one.backend, one.status) == (point.work, name, "ok")]
        return same[0].model_copy(update={"axis": point.axis, "value": point.value}) if same else None

    def _keep(self, record: PointRecord) -> None:
        self._write(record)
        self._done.append(record)
        if record.status != "ok":
            self._progress.note(f"{record.axis} {record.value}: {record.backend} {record.status}: {record.reason}")

    def _rate(self, point: Point) -> None:
        """The best rate of a product with these threads and this dtype, taken once an axis: one moment may be busy."""
        threads, dtype = point.threads, point.spec.dtype
        if (point.axis, threads, dtype) not in self._rates:
            with fresh_processes(1, threads, self._folder / WORKER_LOG_NAME) as pool:
                rate = pool.submit(product_rate, dtype, threads).result()
            self._write(RateRecord(threads=threads, dtype=dtype, **rate._asdict()))
            self._rates.add((point.axis, threads, dtype))

    def _memmap(self, data: Path) -> None:
        self._progress.stage("training from a file")
        for record in memmap.measure(data, self._options.cores, self._folder / WORKER_LOG_NAME):
            self._write(record)
        self._progress.done()

    def _race(self, spec: TrainingSpec, seed: int, data: Path) -> None:
        self._progress.stage(f"time to accuracy: {spec.name}, seed {seed}")
        race = Race(spec, seed, self._options.cores, data, self._folder, self._options.timing)
        missing = {name: reason for name in self._options.backends if (reason := registry.missing(name))}
        records = list(race.run([name for name in self._options.backends if name not in missing]))
        for record in (*records, *(race.skipped(*item) for item in missing.items())):  # cut short, it begins anew
            self._write(record)
        self._progress.done()
