"""Every record under results/reference is still read by its reader."""

from pathlib import Path

import pytest

from bench.records.run import Records
from bench.scaling.records import ScalingRecords as ScalingRecords
from bench.speed.observations import Observed

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
READERS = {
    "run": lambda folder: Records.read(folder).epochs["epoch"].tolist(),
    "scaling": lambda folder: ScalingRecords.read(folder).points,
}


def kind(path):
    """Of the first record."""
    with path.open() as file:
        return file.readline().split('"kind":"')[1].partition('"')[0]


# Those of the gate are read in tests/gate/test_gate_validation.py and test_gate_public.py.
RUNS = [path for path in sorted(REFERENCE.rglob("records.jsonl")) if "gate-" not in str(path)]


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.parent.name)
def test_committed_records_are_read(path):
    assert READERS[kind(path)](path.parent)


@pytest.mark.parametrize("path", sorted(REFERENCE.rglob("observations.json")), ids=lambda path: path.parent.name)
def test_committed_observations_are_read(path):
    assert Observed.read(path.parent).observations
