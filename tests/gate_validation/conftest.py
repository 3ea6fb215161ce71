"""A recording on disk, and the command with made-up sides in place of processes."""

import random
from contextlib import contextmanager

import made_comparisons as made
import pytest

from bench.cli import main
from bench.gate_validation import command, sensitivity


@pytest.fixture(scope="session")
def recording_folder(tmp_path_factory):
    return made.write_recording(tmp_path_factory.mktemp("recording"), made.recording(150, 150))


class MadeSides:
    """Sides as `bench.gate.tree_pairs.planted_pairs` has them; `events` says when each began, measured and ended."""

    def __init__(self):
        self.events, self.fails_at, self.error, self.rng = [], None, None, random.Random(0)

    @contextmanager
    def __call__(self, slowdown, cell):
        self.events.append(("begin", slowdown, cell))
        yield self.source(slowdown)
        self.events.append(("end", slowdown, cell))

    def source(self, slowdown):
        def measure(number):
            self.events.append(("pair", number))
            if self.error and self.pairs == self.fails_at:
                raise self.error
            return made.lucky_pair(self.rng, sd=0.001, unlucky=0, ratio=1 + slowdown).as_pair(number, made.CELL)

        return measure

    @property
    def pairs(self):
        return sum(event[0] == "pair" for event in self.events)


@pytest.fixture
def sides(monkeypatch):
    made_sides = MadeSides()
    monkeypatch.setattr(command, "planted_pairs", made_sides)
    monkeypatch.setattr(command.environment, "describe", lambda: made.ENVIRONMENT)
    return made_sides


@pytest.fixture
def invoke(capsys, monkeypatch):
    """The command: its exit code, stdout and stderr; with fewer comparisons on worse machines than it makes."""
    monkeypatch.setattr(sensitivity, "COMPARISONS", 3)

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(["gate-validate", *map(str, arguments)])
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run
