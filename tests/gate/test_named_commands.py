"""`scratchbench gate --command` for several commands, by either clock, and what the report says of them."""

import json
import sys

import pytest
from junitparser import JUnitXml

from bench.gate.command_notes import notes_of
from bench.gate.commands import Command
from bench.gate.pair import Pair
from bench.gate.records import pairs_of

ECHO = "echo $(cat {tree}/seconds)"
TWO = ("--command", f"first={ECHO}", "--command", "second=echo 1.0 # {tree}", "--own-clock")


def commit(repo, old, new):
    repo.commit(seconds=str(old))
    repo.write(seconds=str(new))


def test_each_named_command_has_a_verdict_with_a_joint_error(repo, bench, tmp_path):
    commit(repo, 1.0, 1.0)
    code, out, _ = bench("gate", "--against", "HEAD", *TWO)
    written = json.loads((tmp_path / "out" / "gate.json").read_text())
    assert code == 0
    assert [(cell["cell"], cell["verdict"]) for cell in written["cells"]] == [("first", "pass"), ("second", "pass")]
    assert "98.5 % interval" in out  # 1 % for a pass, 0.5 % for a failure of each of the two
    assert {name: len(pairs) for name, pairs in pairs_of(tmp_path / "out").items()} == {"first": 9, "second": 9}


def test_the_command_that_became_slower_is_named(repo, bench):
    commit(repo, 1.0, 1.5)
    code, out, _ = bench("gate", "--against", "HEAD", *TWO)
    assert code == 1
    assert out.startswith("FAIL: 1 of 2 benchmarks; highest ratio in first: ")


@pytest.mark.parametrize("new", [1.0, "x"])
def test_the_commands_text_stands_in_every_output(repo, bench, tmp_path, new):
    commit(repo, 1.0, new)
    _, out, _ = bench("gate", "--against", "HEAD", "--command", ECHO, "--own-clock", "--prepare", "true {tree}")
    folder = tmp_path / "out"
    written = json.loads((folder / "gate.json").read_text())
    first = json.loads((folder / "records.jsonl").read_text().splitlines()[0])
    case = next(iter(next(iter(JUnitXml.fromfile(str(folder / "gate.xml"))))))
    assert f"command: {ECHO}" in out
    assert f"command: {ECHO}" in (folder / "gate.md").read_text().replace("\\", "")
    assert (written["cells"][0]["command"], written["prepare"]) == (ECHO, "true {tree}")
    assert f"command: {ECHO}" in case.system_out
    assert (first["commands"], first["prepare"], first["clock"]) == ({"command": ECHO}, "true {tree}", "own")


def test_a_variable_before_a_command_is_no_name(repo, bench, tmp_path):
    commit(repo, 1.0, 1.0)
    assert bench("gate", "--against", "HEAD", "--command", f"LANG=C PYTHONPATH={{tree}} {ECHO}", "--own-clock")[0] != 2
    assert list(pairs_of(tmp_path / "out")) == ["command"]


def loop(count):
    return f"sum(range({count}))\n"


def test_more_cpu_time_of_a_child_fails(repo, bench, tmp_path):
    repo.commit(**{"run.py": loop(2_000_000)})
    repo.write(**{"run.py": loop(30_000_000)})
    command = ("--command", f"true; {sys.executable} {{tree}}/run.py; true", "--clock", "cpu", "--tolerance", "50%")
    assert bench("gate", "--against", "HEAD", *command)[0] == 1
    assert all(pair.new_seconds == pair.new_cpu for pair in pairs_of(tmp_path / "out")["command"])


def test_cpu_time_does_not_hold_sleep(repo, bench, tmp_path):
    repo.commit(**{"run.sh": "sleep 0.5"})
    bench("gate", "--against", "HEAD", "--command", ". {tree}/run.sh", "--clock", "cpu", "--minutes", "0.1")
    pairs = pairs_of(tmp_path / "out")["command"]
    assert all(pair.old_seconds[0] < 0.4 < 0.5 <= pair.old_elapsed[0] for pair in pairs)
    assert "which --clock cpu does not see" in (tmp_path / "out" / "gate.md").read_text()


WALL = [1.0, 1.4, 0.9, 1.3, 1.0, 1.2]


def pairs(wall, cpu):
    """Pairs whose old side takes 2 s, all of them by one thread that is never interrupted."""
    return [
        Pair(
            number=number,
            cell="command",
            order="AB",
            old_seconds=(2.0,),
            new_seconds=(2 * one,),
            old_elapsed=(2.0,),
            new_elapsed=(2 * one,),
            old_cpu=(2.0 * cpu,),
            new_cpu=(2.0 * cpu,),
            wall_seconds=4.0,
        )
        for number, one in enumerate(wall, 1)
    ]


def notes(seen, **options):
    return " ".join(notes_of(Command("true {tree}", 1.0, **options), seen))


def test_the_cpu_clock_is_advised_where_it_would_decide_sooner():
    assert "the command uses one thread: --clock cpu decides sooner" in notes(pairs(WALL, 1.0))


@pytest.mark.parametrize(
    ("seen", "options"),
    [
        (pairs(WALL, 2.0), {}),  # several threads
        (pairs(WALL, 0.01), {}),  # sleeps
        (pairs([1.0] * 6, 1.0), {}),  # quiet
        (pairs(WALL[:4], 1.0), {}),  # too few
        (pairs(WALL, 1.0), {"own_clock": True}),
        (pairs(WALL, 1.0), {"clock": "cpu"}),
    ],
)
def test_the_cpu_clock_is_not_advised_elsewhere(seen, options):
    assert notes(seen, **options) == ""


def test_several_threads_by_the_cpu_clock_are_warned_of():
    assert "it uses 2.0 cores; CPU time adds them up" in notes(pairs([1.0] * 6, 2.0), clock="cpu")


def test_a_short_command_is_warned_of(repo, bench, tmp_path):
    commit(repo, 1.0, 1.0)
    _, out, _ = bench("gate", "--against", "HEAD", "--command", "true {tree}", "--tolerance", "99%")
    seen = pairs_of(tmp_path / "out")["command"]
    told = "of which starting a process may be most; repeat the work within the command, or use --own-clock"
    short = sorted(second for pair in seen for second in (*pair.old_elapsed, *pair.new_elapsed))[len(seen)] < 0.05
    assert (told in out) == short


@pytest.mark.parametrize(("seconds", "warned"), [(0.012, True), (2.0, False)])
def test_the_warning_names_the_milliseconds(seconds, warned):
    (pair,) = pairs([1.0], 1.0)
    taken = dict.fromkeys(("old_seconds", "new_seconds", "old_elapsed", "new_elapsed"), (seconds,))
    said = notes([pair.model_copy(update=taken)])
    assert ("a run takes 12 ms" in said) == warned
