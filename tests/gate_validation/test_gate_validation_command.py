"""How a validation runs: whole with made-up sides, quick from a recording, resumed, interrupted, cut short by time."""

import json
from contextlib import contextmanager

import made_comparisons as made
import pytest

from bench.core.errors import UnusableError
from bench.gate.tree_process import TreeLostError
from bench.gate_validation import command, machine
from bench.gate_validation.measure import Limit, Measurement
from bench.gate_validation.recording import Recording
from bench.gate_validation.records import ComparisonRecord, Records
from bench.gate_validation.scenarios import Scenario

FILES = {"gate-validation.json", "gate-validation.md", "gate-validation.png", "gate-validation.svg", "records.jsonl"}


def files(folder):
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def document(folder):
    return json.loads((folder / "gate-validation.json").read_text())


class SilentWatch:
    def __getattr__(self, name):
        return lambda *_: None


def test_a_quick_run_writes_everything_and_holds_its_targets(invoke, recording_folder, tmp_path):
    scenarios = "quiet:0,quiet:10,busy:20,quiet:-5"
    code, out, err = invoke(
        "--quick", "--recording", recording_folder, "--scenario", scenarios, "--out", tmp_path / "q"
    )
    assert (code, err) == (0, "")
    assert files(tmp_path / "q") == FILES
    assert "the gate does what is asked of it: a speed-up of 5 % failed in 0 of 50" in out
    assert f"tables, plot and comparisons: {tmp_path / 'q'}" in out
    found = document(tmp_path / "q")
    assert [one["made"] for one in found["scenarios"]] == [200, 100, 100, 50]
    assert found["run"]["simulated"] is True


def test_a_quick_run_is_the_same_again_but_for_when_it_began(invoke, recording_folder, tmp_path):
    found = []
    for name in "ab":
        invoke("--quick", "--recording", recording_folder, "--scenario", "changing:5", "--out", tmp_path / name)
        found.append((tmp_path / name / "records.jsonl").read_text().splitlines()[1:])
    assert found[0] == found[1]


def test_too_few_comparisons_are_no_proof(invoke, recording_folder, tmp_path):
    asked = ("--quick", "--recording", recording_folder, "--scenario", "quiet:0", "--comparisons", 3)
    code, out, _ = invoke(*asked, "--out", tmp_path / "q")
    assert code == 3
    assert "too few comparisons to say whether the gate does what is asked of it: false alarms in 0 of 3" in out


def test_a_scenario_has_its_own_number_of_comparisons(invoke, recording_folder, tmp_path):
    asked = ("--quick", "--recording", recording_folder, "--scenario", "quiet:0x7,busy:20,quiet:20x4")
    invoke(*asked, "--comparisons", 2, "--out", tmp_path / "q")
    assert [one["made"] for one in document(tmp_path / "q")["scenarios"]] == [7, 2, 4]


def test_a_missed_target_is_named(invoke, tmp_path):
    slow = made.recording(40, 0)
    pairs = {"quiet": tuple(one.model_copy(update={"wall_seconds": 20.0}) for one in slow.pairs["quiet"]), "busy": ()}
    folder = made.write_recording(tmp_path / "slow", Recording(slow.origin, pairs))
    asked = ("--quick", "--recording", folder, "--scenario", "quiet:20", "--comparisons", 10)
    code, out, _ = invoke(*asked, "--out", tmp_path / "q")
    assert code == 1
    assert "the gate misses 1 of 2 targets (median until a decision: at most 90 s, quiet)" in out


def test_a_whole_run_takes_real_pairs_and_leaves_a_recording(invoke, sides, tmp_path):
    code, out, _ = invoke("--scenario", "quiet:0,quiet:20", "--comparisons", 4, "--out", tmp_path / "w")
    assert code == 3
    assert files(tmp_path / "w") == FILES | {"pairs"}
    assert "1 of 8: quiet:" in out
    assert out.count("after 9 pairs") == 8
    assert sides.events[0] == ("begin", machine.CALIBRATED_BY, "784-128-10:32")  # before any comparison's clock runs
    assert sides.events[1][0] == "end"
    assert [event[1] for event in sides.events if event[0] == "begin"].count(0.2) == 4
    assert len(Recording.read(tmp_path / "w" / "pairs").pairs["quiet"]) == 36


def test_the_recording_of_a_whole_run_feeds_a_quick_one(invoke, sides, tmp_path):
    invoke("--scenario", "quiet:0", "--comparisons", 4, "--out", tmp_path / "w")
    asked = ("--quick", "--recording", tmp_path / "w" / "pairs", "--scenario", "quiet:0,quiet:5", "--comparisons", 5)
    code, _, _ = invoke(*asked, "--out", tmp_path / "q")
    assert code == 3
    assert [one["failed"]["count"] for one in document(tmp_path / "q")["scenarios"]] == [0, 5]


def test_the_load_runs_from_its_pair_to_the_end_of_the_comparison(invoke, sides, tmp_path, monkeypatch):
    @contextmanager
    def load(seed):
        sides.events.append(("load", seed))
        yield ()
        sides.events.append(("no load",))

    monkeypatch.setattr(machine, "half_loaded_cores", load)
    invoke("--scenario", "changing:20", "--comparisons", 4, "--out", tmp_path / "w")
    records = Records.read(tmp_path / "w").comparisons
    assert len({record.load_from for record in records}) > 1
    kinds = [event[0] for event in sides.events][2:]  # after what planted work costs was measured
    for record in records:
        before, after = record.load_from - 1, len(record.pairs) - record.load_from + 1
        expected = ["begin", *["pair"] * before, "load", *["pair"] * after, "end", "no load"]
        assert kinds[: len(expected)] == expected
        kinds = kinds[len(expected) :]
        assert [record.state_at(number) for number in (before, before + 1)] == ["quiet", "busy"]
    assert kinds == []


def test_an_interrupted_run_keeps_what_is_finished_and_is_resumed(invoke, sides, tmp_path):
    asked = ("--scenario", "quiet:0,quiet:20", "--comparisons", 3, "--out", tmp_path / "w")
    sides.fails_at, sides.error = 21, KeyboardInterrupt()
    code, out, err = invoke(*asked)
    assert code == 130
    assert err == f"interrupted; go on with: scratchbench gate-validate --out {tmp_path / 'w'} --resume\n"
    assert "(2 of the 6 comparisons asked for were made)" in out
    kept = (tmp_path / "w" / "records.jsonl").read_bytes()
    sides.error = None
    code, out, _ = invoke("--out", tmp_path / "w", "--resume")
    assert code == 3
    assert (tmp_path / "w" / "records.jsonl").read_bytes().startswith(kept)
    assert len(Records.read(tmp_path / "w").comparisons) == 6
    assert "1 of 4: " in out


def test_a_resumed_run_ends_as_one_that_was_not_interrupted(recording_folder):
    run = made.run_record({"quiet:0": 6, "busy:10": 4}, simulated=True)
    recording = Recording.read(recording_folder)
    source = command.SimulatedMachine(recording)
    whole, half = [], []
    Measurement(Records([run]), source, 0.5, SilentWatch()).go_on(whole.append, Limit())
    Measurement(Records([run]), source, 0.5, SilentWatch()).go_on(half.append, Limit(3.5, iter(range(99)).__next__))
    assert 0 < len(half) < len(whole)
    Measurement(Records([run, *half]), source, 0.5, SilentWatch()).go_on(half.append, Limit())
    assert half == whole


def test_when_the_time_is_up_there_is_some_of_each(recording_folder):
    run = made.run_record({"quiet:0": 20, "busy:10": 20}, simulated=True)
    found: list[ComparisonRecord] = []
    source = command.SimulatedMachine(Recording.read(recording_folder))
    limit = Limit(60.0, iter(range(0, 1000, 10)).__next__)
    Measurement(Records([run]), source, 0.0, SilentWatch()).go_on(found.append, limit)
    assert len(found) == 5  # the clock is read once at the start and once before each
    assert {one.scenario for one in found} == {Scenario("quiet", 0.0), Scenario("busy", 10.0)}


def test_a_lost_side_ends_the_run_with_one_line_and_keeps_the_rest(invoke, sides, tmp_path):
    sides.fails_at, sides.error = 16, TreeLostError("new", "crashed")
    code, _, err = invoke("--scenario", "quiet:20", "--comparisons", 3, "--out", tmp_path / "w")
    assert code == 2
    assert err == "error: quiet:20, pair 7: the new side crashed; what was finished is kept, and --resume goes on\n"
    assert len(Records.read(tmp_path / "w").comparisons) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--resume"], "--resume needs --out DIR"),
        (["--resume", "--out", "/nosuch"], "--resume needs --out DIR"),
        (["--quick", "--recording", "/nosuch"], "/nosuch/records.jsonl: no records of a run"),
        (["--recording", "/nosuch"], "--recording is what --quick draws from"),
        (["--scenario", "loud:1"], "scenario 'loud:1'; allowed: quiet, busy, changing"),
        (["--scenario", "quiet:1x0"], "scenario 'quiet:1x0'; allowed: a number of comparisons from 1 to 1,000,000"),
        (["--scenario", "quiet:1x"], "after the x, such as quiet:3x20"),
        (["--scenario", "quiet:1x²"], "after the x, such as quiet:3x20"),
        (["--cell", "784"], "--cell '784'; allowed: widths and batch size"),
        (["--comparisons", "0"], "--comparisons"),
        (["--minutes", "0"], "--minutes"),
    ],
)
def test_what_cannot_be_used_gets_one_line(invoke, sides, arguments, message):
    code, out, err = invoke(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("option", [["--quick"], ["--cell", "784-30-10:32"], ["--recording", "/nosuch"]])
def test_a_resumed_run_takes_no_other_cell_or_recording(invoke, sides, tmp_path, option):
    invoke("--scenario", "quiet:0", "--comparisons", 1, "--out", tmp_path / "w")
    before = (tmp_path / "w" / "records.jsonl").read_bytes()
    code, _, err = invoke("--out", tmp_path / "w", "--resume", *option)
    assert code == 2
    assert "begun; allowed beside --resume: --minutes, --scenario and --comparisons" in err
    assert (tmp_path / "w" / "records.jsonl").read_bytes() == before


def test_a_resumed_run_can_be_asked_for_more_on_another_machine(invoke, sides, tmp_path, monkeypatch):
    folder = tmp_path / "w"
    invoke("--scenario", "quiet:0x2,quiet:20x1", "--out", folder)
    monkeypatch.setattr(command.environment, "describe", lambda: {"cpu_model": "Another One", "usable_cores": 64})
    invoke("--out", folder, "--resume", "--scenario", "quiet:0x5,busy:10x1")
    records = Records.read(folder)
    counts = {str(scenario): count for scenario, count in records.run.counts.items()}
    assert counts == {"quiet:0": 5, "quiet:20": 1, "busy:10": 1}
    assert records.complete
    assert [len(session.comparisons) for session in records.sessions] == [3, 4]
    sessions = document(folder)["sessions"]
    assert [one["environment"]["cpu_model"] for one in sessions] == [made.ENVIRONMENT["cpu_model"], "Another One"]
    assert "4 comparisons begun" in (head := (folder / "gate-validation.md").read_text())
    assert "on Another One, 64 cores" in head


def test_a_resumed_run_asked_for_more_keeps_to_its_scenarios(invoke, sides, tmp_path):
    invoke("--scenario", "quiet:0,quiet:20", "--comparisons", 1, "--out", tmp_path / "w")
    invoke("--out", tmp_path / "w", "--resume", "--comparisons", 2)
    counts = {str(scenario): count for scenario, count in Records.read(tmp_path / "w").run.counts.items()}
    assert counts == {"quiet:0": 2, "quiet:20": 2}


def test_a_session_by_another_rule_is_refused(tmp_path):
    run = made.run_record({"quiet:0": 2})
    made.write_lines(tmp_path / "w", run, made.comparison(), made.run_record({"quiet:0": 2}, tolerance=0.05))
    with pytest.raises(UnusableError, match=r"records\.jsonl:3: goes on with another cell, rule or seed"):
        Records.read(tmp_path / "w")


def test_what_simulations_draw_from_is_of_one_machine():
    elsewhere = made.run_record(environment={"cpu_model": "Another One"})
    records = Records([made.run_record(), made.comparison(pairs=9), elsewhere, made.comparison(number=2, pairs=12)])
    recording = Recording.of(records)
    assert len(recording.pairs["quiet"]) == 9
    assert recording.origin.environment == made.ENVIRONMENT


def test_a_quick_run_has_the_cell_of_its_recording(invoke, recording_folder, tmp_path):
    asked = ("--quick", "--recording", recording_folder, "--out", tmp_path / "q")
    code, _, err = invoke(*asked, "--cell", "784-30-10:32")
    assert code == 2
    assert "--cell 784-30-10:32: the recording is of 784-128-10:32" in err


def test_a_recording_without_a_busy_machine_is_refused_before_anything_is_made(invoke, tmp_path):
    folder = made.write_recording(tmp_path / "quiet only", made.recording(40, 0))
    code, _, err = invoke("--quick", "--recording", folder, "--out", tmp_path / "q")
    assert code == 2
    assert "0 recorded pairs of a busy machine" in err
    assert not (tmp_path / "q").exists()


def test_a_folder_that_holds_something_is_left_alone(invoke, sides, tmp_path):
    (tmp_path / "mine").write_text("mine")
    code, _, err = invoke("--scenario", "quiet:0", "--out", tmp_path)
    assert code == 2
    assert "holds something already" in err
    assert files(tmp_path) == {"mine"}
