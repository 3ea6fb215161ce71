"""What `scratchbench report` prints: the verdict, the table, and the warnings under it."""

import builders
import pytest
from click.testing import CliRunner

from bench.cli import main

WARNING = "the machine is busy: 3.1 of 2 cores were used by other programs before the run began, so times are too long"


@pytest.fixture
def folder(tmp_path):
    """A run of one spec, slow in one of two seeds, on a busy machine."""
    seconds = {"one": [{"scratchnet": each, "keras-fit": 4.0} for each in (1.0, 1.5)]}
    return builders.write(tmp_path, builders.timed(seconds, environment={"warnings": [WARNING]}))


def printed(folder):
    """What the command writes to stdout."""
    result = CliRunner().invoke(main, ["report", str(folder)])
    assert result.exit_code == 0, result.output
    return result.output


def test_warnings_stand_under_the_table(folder):
    _, below = printed(folder).split("time ratio: to the seconds of")
    assert f"\nwarning: {WARNING}\n" in below
    assert "\nwarning: one, scratchnet: the time ratio is unstable, 0.306 (" in below
    assert all(line in (folder / "summary.md").read_text() for line in (WARNING, "the time ratio is unstable, 0.306"))


def test_a_pipe_gets_the_verdict_on_one_line(folder):
    lines = printed(folder).split("\n")
    assert lines[1].startswith("identical test accuracy; ")
    assert lines[1].endswith(")")


def test_a_terminal_gets_lines_that_wrap_between_words(folder, monkeypatch):
    pipe = printed(folder)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    lines = [line.rstrip() for line in printed(folder).split("\n")]
    shown = [line for line in lines if str(folder) not in line]
    assert max(map(len, shown)) <= 80
    assert " ".join(" ".join(lines).split()).startswith(pipe.split("\n")[1])
