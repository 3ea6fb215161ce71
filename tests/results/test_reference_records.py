"""Every record under results/reference is still read by its reader."""

from pathlib import Path

import pytest

from bench.gate_validation.recording import Recording
from bench.gate_validation.records import Records as ValidationRecords
from bench.records.run import Records
from bench.scaling.records import ScalingRecords as ScalingRecords
from bench.speed.observations import Observed

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
READERS = {
    "run": lambda folder: Records.read(folder).epochs["epoch"].tolist(),
    "gate_validation": lambda folder: ValidationRecords.read(folder).comparisons,
    "recording": lambda folder: Recording.read(folder).pairs["quiet"],
    "scaling": lambda folder: ScalingRecords.read(folder).points,
}


def kind(path):
    """Of the first record."""
    with path.open() as file:
        return file.readline().split('"kind":"')[1].partition('"')[0]


@pytest.mark.parametrize("path", sorted(REFERENCE.rglob("records.jsonl")), ids=lambda path: path.parent.name)
def test_committed_records_are_read(path):
    assert READERS[kind(path)](path.parent)


@pytest.mark.parametrize("path", sorted(REFERENCE.rglob("observations.json")), ids=lambda path: path.parent.name)
def test_committed_observations_are_read(path):
    assert Observed.read(path.parent).observations
