"""Records of a run whose cells are from several machines, with time ratios that are known."""

from bench.records.machines import Machine
from bench.records.run import (
    CellEndRecord,
    CellRecord,
    EpochRecord,
    Place,
    ResultRecord,
    RunRecord,
    WorkerRecord,
    machine_record,
)
from bench.spec import suite_of

SPEC = {
    "name": "s",
    "architecture": {"inputs": 4, "layers": [{"units": 2, "activation": "softmax"}]},
    "loss": "categorical_crossentropy",
    "optimizer": {"learning_rate": 0.1},
    "batch_size": 2,
    "epochs": 3,
    "seeds": [0, 1, 2, 3, 4, 5],
    "data": "mnist",
}
SUITE = suite_of({"backends": ["scratchnet", "keras-fit"], "specs": [SPEC]}, "test")
ENVIRONMENT = {"cpu_model": "A", "usable_cores": 2, "machine": "x86_64", "python_version": "3.11", "warnings": []}


def machine(host, cpu="A"):
    return Machine(host, 2, {**ENVIRONMENT, "cpu_model": cpu})


def cell(seed, where, ratio, alone=True):
    key = {"spec": "s", "seed": seed, "attempt": 1}
    yield CellRecord(**key, parameters_fingerprint="p", place=where and Place(machine=where.digest, alone=alone))
    for backend, seconds in (("scratchnet", ratio), ("keras-fit", 1.0)):
        of = {**key, "backend": backend}
        yield WorkerRecord(**of, parameters_fingerprint="p", startup_seconds=1, libraries=[], versions={})
        for epoch in (1, 2, 3):
            accuracies = dict.fromkeys(("train_accuracy", "validation_accuracy", "test_accuracy"), 0.9)
            yield EpochRecord(
                **of,
                **accuracies,
                epoch=epoch,
                warm_up=epoch == 1,
                turn=0,
                epoch_seconds=seconds,
                cpu_seconds=1,
                samples_per_second=1,
                train_cost=0.5,
                test_binary_accuracy=0.9,
                batches_fingerprint="b",
                expected_batches_fingerprint="b",
            )
        yield ResultRecord(**of, status="ok", final_epoch=3)
    yield CellEndRecord(**key)


def write(folder, places, ratios, alone=True):
    run = RunRecord(
        suite_name="s",
        suite=SUITE,
        threads=2,
        started="2026-01-01T00:00:00+00:00",
        data_fingerprints={},
        environment=ENVIRONMENT,
    )
    known = [machine_record(each) for each in {m.digest: m for m in places if m}.values()]
    cells = [r for seed, where in enumerate(places) for r in cell(seed, where, ratios[seed], alone)]
    folder.mkdir(parents=True)
    lines = (record.model_dump_json() + "\n" for record in [run, *known, *cells])
    (folder / "records.jsonl").write_text("".join(lines))
    return folder


FAST, SLOW = [0.50, 0.51, 0.49], [0.80, 0.81, 0.79]
