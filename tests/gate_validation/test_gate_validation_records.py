"""Records that were cut short, are of another schema, or hostile; and what the report makes of hostile text."""

import json
import re

import made_comparisons as made
import pytest

from bench.core.errors import UnusableError
from bench.gate_validation import report
from bench.gate_validation.findings import Findings
from bench.gate_validation.plot import figure
from bench.gate_validation.recording import FEWEST, MOST, Recording
from bench.gate_validation.records import Records


@pytest.fixture
def folder(tmp_path):
    made.write_lines(tmp_path, made.run_record({"quiet:0": 2}), made.comparison(number=1), made.comparison(number=2))
    return tmp_path


def changed(folder, line, **values):
    lines = (folder / "records.jsonl").read_text().splitlines()
    lines[line - 1] = json.dumps(json.loads(lines[line - 1]) | values)
    (folder / "records.jsonl").write_text("".join(f"{one}\n" for one in lines))


def test_records_are_read_as_they_were_written(folder):
    records = Records.read(folder)
    assert records.comparisons == [made.comparison(number=1), made.comparison(number=2)]
    assert records.complete


def test_a_last_line_that_was_cut_short_is_left_out(folder):
    path = folder / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-20])
    records = Records.read(folder)
    assert len(records.comparisons) == 1
    assert not records.complete


def test_a_comparison_that_stands_twice_is_refused_with_its_line(folder):
    with (folder / "records.jsonl").open("a") as file:
        file.write(made.comparison(number=1, verdict="fail").model_dump_json() + "\n")
    said = r"records\.jsonl:4: repeats the comparison record of line 2 \(scenario quiet:0, number 1\); remove one"
    with pytest.raises(UnusableError, match=said):
        Records.read(folder)


def test_a_session_may_ask_for_the_same_again(folder):
    with (folder / "records.jsonl").open("a") as file:
        file.write(made.run_record({"quiet:0": 3}).model_dump_json() + "\n")
    assert Records.read(folder).run.counts == made.run_record({"quiet:0": 3}).counts


def test_a_recorded_pair_that_stands_twice_is_refused_with_its_line(tmp_path):
    recording = made.recording(2, 0)
    made.write_recording(tmp_path, recording)
    with (tmp_path / "records.jsonl").open("a") as file:
        file.write((tmp_path / "records.jsonl").read_text().splitlines()[1] + "\n")
    with pytest.raises(UnusableError, match=r"records\.jsonl:4: repeats the pair record of line 2 \(state 'quiet'"):
        Recording.read(tmp_path)


@pytest.mark.parametrize(
    ("line", "values", "message"),
    [
        (1, {"schema_version": 2}, r"records\.jsonl:1: schema version 2; this version reads 1"),
        (1, {"plan": []}, r"records\.jsonl:1: plan"),
        (2, {"verdict": "maybe"}, r"records\.jsonl:2: verdict"),
        (2, {"scenario": "<script>:5"}, r"records\.jsonl:2: scenario: .*allowed: quiet, busy, changing"),
        (2, {"pairs": []}, r"records\.jsonl:2: pairs"),
        (2, {"setup_seconds": -1}, r"records\.jsonl:2: setup_seconds"),
        (3, {"pairs": [{}]}, r"records\.jsonl:3: pairs\.0"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(folder, line, values, message):
    changed(folder, line, **values)
    with pytest.raises(UnusableError, match=message):
        Records.read(folder)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"old_seconds": [0.0] * 4}, "greater than 0"),
        ({"new_seconds": [1e999] * 4}, "finite"),
        ({"new_seconds": [0.05] * 3}, "turns of the order"),
        ({"order": "ABBA"}, "turns of the order"),
        ({"old_elapsed": [0.05] * 4}, "as many turns went by"),
        ({"wall_seconds": "nan"}, "greater than 0|finite"),
        ({"cell": "x"}, "is not a known key"),
    ],
)
def test_seconds_without_a_logarithm_are_refused(folder, values, message):
    pair = json.loads(made.pair().model_dump_json()) | values
    changed(folder, 2, pairs=[pair])
    with pytest.raises(UnusableError, match=message):
        Records.read(folder)


def test_a_record_of_another_kind_of_run_is_refused(tmp_path):
    made.write_recording(tmp_path, made.recording(FEWEST, 0))
    with pytest.raises(UnusableError, match=r"records\.jsonl:1: "):
        Records.read(tmp_path)


def test_a_recording_keeps_each_pairs_state_and_no_planted_ones(tmp_path):
    run = made.run_record({"quiet:0": 1, "changing:0": 1, "quiet:20": 1})
    made_comparisons = [
        one.model_copy(update={"pairs": tuple(made.pair(wall=1.0 + place + number / 16) for number in range(9))})
        for place, one in enumerate(
            [
                made.comparison("quiet:0"),
                made.comparison("changing:0", load_from=4),
                made.comparison("quiet:20", verdict="fail"),
            ]
        )
    ]
    Recording.of(Records([run, *made_comparisons])).write(tmp_path / "pairs")
    again = Recording.read(tmp_path / "pairs")
    assert {state: len(pairs) for state, pairs in again.pairs.items()} == {"quiet": 12, "busy": 6}
    assert again.origin.cell == made.CELL


def test_a_recording_is_no_larger_than_it_need_be():
    comparisons = [made.comparison("busy:0", number, load_from=1, pairs=50) for number in range(1, 21)]
    recording = Recording.of(Records([made.run_record({"busy:0": 20}), *comparisons]))
    assert len(recording.pairs["busy"]) == MOST
    assert not recording.has("quiet")


HOSTILE = "<script>alert(1)</script> | `x` **b** \x1b[31m\n# h " + "x" * 1000


def test_hostile_text_is_literal_in_the_report(tmp_path):
    facts = {"cpu_model": HOSTILE, "usable_cores": 2, "warnings": [HOSTILE]}
    run = made.run_record({"quiet:0": 1}, environment=facts, cell=HOSTILE[:400], started=HOSTILE)
    report.write(Records([run, made.comparison()]), tmp_path)
    text = (tmp_path / "gate-validation.md").read_text()
    assert "<script>" not in text
    assert "\x1b" not in text
    assert not re.search(r"^# h", text, re.MULTILINE)
    assert max(map(len, text.splitlines())) < 2000


def test_the_report_of_nothing_compared_says_so(tmp_path):
    found = report.write(Records([made.run_record({"quiet:0": 200, "busy:5": 100})]), tmp_path)
    assert found.verdict.startswith("too few comparisons to say")
    assert "(0 of the 300 comparisons asked for were made)" in found.verdict
    assert "none compared" in (tmp_path / "gate-validation.md").read_text()


def test_the_figures_of_the_report_are_those_of_the_records(tmp_path):
    run = made.run({"quiet:0": {"pass": 197, "fail": 2, "undecided": 1}, "quiet:5": {"fail": 95, "pass": 5}})
    report.write(run, tmp_path)
    text = (tmp_path / "gate-validation.md").read_text()
    assert "| 0             | 0.0" in text
    assert "false alarms in 2 of 200, 1 % (0.1 to 3.6)" in text
    assert "a slowdown of 5 % found in 95 of 100, 95 % (88.7 to 98.4)" in text
    document = json.loads((tmp_path / "gate-validation.json").read_text())
    assert document["scenarios"][0]["undecided"]["count"] == 1
    (own, *others) = document["tools"]
    assert own["said_slower"][1]["count"] == 95
    assert [one["said_slower"][0]["of"] for one in others] == [200] * 5
    assert all(one["rule"] and one["source"] for one in others)


def test_the_measured_slowdown_is_told_beside_the_planted_one(tmp_path):
    pairs = tuple(made.pair(new=(0.0525,) * 4) for _ in range(9))
    slower = [made.comparison("quiet:5", n, "fail").model_copy(update={"pairs": pairs}) for n in range(1, 5)]
    found = report.write(Records([made.run_record({"quiet:5": 4}), *slower]), tmp_path)
    (outcome,) = found.outcomes.by_scenario.values()
    assert outcome.slowdown.median == pytest.approx(0.05)
    assert "5.0 (5.0 to 5.0)" in (tmp_path / "gate-validation.md").read_text()


def test_the_plot_has_a_panel_for_each_load_and_a_line_for_each_tool():
    found = Findings.of(made.run({"quiet:0": {"pass": 5}, "quiet:5": {"fail": 5}, "busy:5": {"fail": 5}}))
    drawn = figure(found)
    titles = [axes.get_title(loc="left") for axes in drawn.axes if axes.axison]
    assert [title.partition(":")[0] for title in titles] == ["quiet", "busy", "until a decision; dashed"]
    assert len({text.get_text() for text in drawn.legends[0].get_texts()} & set(found.tools)) == 6
