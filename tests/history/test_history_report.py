"""What is said of the lines: the sentence, table, JSON, Markdown and picture; hostile names; and the exit codes."""

import json

import made_runs as made
import numpy as np
import pytest
from click.testing import CliRunner

from bench.cli import main
from bench.history import plot, report
from bench.history.outcome import traced
from bench.history.sources import find
from bench.history.steps import FEWEST
from bench.report.style import plot_settings

HOSTILE = '<script>alert(1)</script> | $x$ _a_ ../\n\x1b[31m" ' + "x" * 10_000


def invoke(*arguments):
    return CliRunner().invoke(main, ["history", *map(str, arguments)])


def slower(folder, factor=1.1, at=12, count=24, **names):
    """Gates of a ratio about 1 with a step; the same each time."""
    noise = np.exp(np.random.default_rng(1).normal(0, 0.01, count))
    for number, each in enumerate(noise):
        ratio = float(each) * (factor if number >= at else 1)
        cell = {"cell": names.get("cell", "784-128-10 M=32"), "ratio": ratio, "low": ratio / 1.02, "high": ratio * 1.02}
        new = {"revision": f"{number:07d}aa", "dirty": False}
        made.gate(folder / str(number) / "gate.json", ratio, made.day(number), cells=[cell], new=new)
    return folder


@pytest.fixture
def history(tmp_path):
    return traced(find(slower(tmp_path / "runs")))


def test_the_sentence_says_from_what_to_what_at_which_run(history):
    assert history.sentence.startswith(
        "1 step in 1 line (24 runs); the last: 784-128-10 M=32, new / old revision: from "
    )
    assert history.sentence.endswith("at run 2026-01-14 03:04 (revision 0000012)")
    (text,) = history.lines[0].texts
    before, after = (float(word) for word in text.split()[1:4:2])
    assert before == pytest.approx(1, abs=0.02)
    assert after == pytest.approx(1.1, abs=0.02)


def test_no_step_and_too_few_runs_are_said_to_be_that(tmp_path):
    slower(tmp_path, factor=1.0)
    assert traced(find(tmp_path)).sentence == "no step in 1 line (24 runs)"
    made.gate(tmp_path / "other" / "gate.json", 1.0, cells=[{"cell": "other", "ratio": 1.0}])
    wanted = f"no step in 1 of 2 lines (25 runs; the others have fewer than {FEWEST} runs)"
    assert traced(find(tmp_path)).sentence == wanted


def test_of_few_runs_nothing_is_claimed(tmp_path):
    for number, ratio in enumerate((1.0, 1.0, 1.0, 2.0)):
        made.gate(tmp_path / str(number) / "gate.json", ratio, made.day(number))
    wanted = f"too few runs to look for steps ({FEWEST} are needed): the longest of 1 line has 4"
    result = invoke("--folder", tmp_path)
    assert result.exit_code == 0
    assert wanted in " ".join(result.stdout.split())
    assert "too few runs |" in invoke("--folder", tmp_path, "--format", "markdown").stdout


def test_a_step_beside_another_peer_names_both(tmp_path):
    for number in range(20):
        peer, ratio = ("tf-xla", 0.8) if number < 10 else ("torch-compile", 1.2)
        made.speed(tmp_path / str(number), ratio, peer, started=made.day(number))
    outcome = traced(find(tmp_path, ["fastest_peer"]))
    assert outcome.sentence.endswith("; the fastest peer was tf-xla before, torch-compile after")


def test_two_kinds_of_work_of_one_name_are_told_apart(tmp_path):
    made.run(tmp_path / "a", 0.25)
    made.run(tmp_path / "b", 0.3, training={"dtype": "float64"})
    names = [one.name for one in traced(find(tmp_path)).lines]
    assert len(set(names)) == 2
    assert all(name.startswith("one (work ") for name in names)


def test_json_has_every_point_step_and_reason(tmp_path):
    slower(tmp_path)
    made.benchmarks(tmp_path / "b.json", {"one": 0.002})
    document = json.loads(invoke("--folder", tmp_path, "--format", "json").stdout)
    assert (document["kind"], document["schema_version"], document["runs"]) == ("history", 1, 25)
    few, searched = document["lines"]
    assert (few["first_median_seconds"], few["not_searched"][:5], few["noise"]) == (0.002, "1 run", None)
    assert (searched["not_searched"], searched["steps"][0]["run"], len(searched["points"])) == (None, 12, 24)
    assert searched["points"][3]["revision"] == "0000003aa"
    assert searched["levels"][1]["ratio"] == searched["steps"][0]["after"]


def test_markdown_has_the_sentence_first_and_a_table_a_machine(history):
    text = report.markdown(history)
    assert text.startswith("# History\n\n**1 step in 1 line (24 runs)")
    assert "\n## machine not recorded\n\n| line " in text
    assert "- `gate`: the gate: seconds of the new revision" in text


def test_out_has_the_history_in_all_forms_and_may_be_written_again(tmp_path):
    folder, out = slower(tmp_path / "runs"), tmp_path / "runs" / "history"
    assert invoke("--folder", folder, "--out", out).exit_code == 0
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(first) == {"history.json", "history.md", "history.png", "history.svg"}
    assert b"![every line](history.png)" in first["history.md"]
    assert invoke("--folder", folder, "--out", out).exit_code == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_hostile_names_are_only_text(tmp_path):
    slower(tmp_path / "runs", cell=HOSTILE)
    (tmp_path / "runs" / "<b>\x1b[31m.json").write_text("{")
    out = tmp_path / "out"
    results = [invoke("--folder", tmp_path / "runs", "--format", form) for form in ("table", "markdown")]
    assert invoke("--folder", tmp_path / "runs", "--out", out).exit_code == 0
    for result in results:
        assert result.exit_code == 0
        assert "\x1b" not in result.output
        assert result.stderr.count("\n") == 1
    markdown = results[1].stdout
    assert "<script>" not in markdown
    assert max(map(len, markdown.splitlines())) < 3000
    assert "<script>" not in (out / "history.svg").read_text()


def test_the_picture_has_a_panel_a_work_and_a_line_a_machine_with_its_steps(tmp_path):
    slower(tmp_path)
    for number, environment in enumerate(({}, {"cpu_model": "Other"})):
        cells = [{"cell": "784-128-10 M=32", "ratio": 1.2}, {"cell": "other", "ratio": 0.1}]
        there = made.ENVIRONMENT | environment
        made.gate(tmp_path / f"e{number}" / "gate.json", 1, made.day(number), environment=there, cells=cells)
    with plot_settings():
        figure = plot.draw(traced(find(tmp_path)))
        stepped, other = figure.axes
        assert (stepped.get_title("left"), other.get_title("left")) == ("784-128-10 M=32", "other")
        joined = [line for line in stepped.lines if line.get_marker() == "o"]
        assert sorted(len(line.get_xdata()) for line in joined) == [1, 1, 24]
        assert [text.get_text()[:3] for text in stepped.texts] == ["×1."]
        assert stepped.get_yscale() == "log"
        assert len({line.get_color() for line in joined}) == 3


def test_of_very_many_lines_those_with_steps_are_drawn(tmp_path):
    slower(tmp_path)
    made.benchmarks(tmp_path / "b.json", {f"b{number}": 0.002 for number in range(80)})
    with plot_settings():
        figure = plot.draw(traced(find(tmp_path)))
        assert figure.axes[0].get_title("left") == "784-128-10 M=32"
        assert f"{plot.MOST_PANELS} of 81 panels, those with steps first" in figure.get_suptitle()


def test_a_broken_file_is_a_warning_on_stderr_and_in_the_report(tmp_path):
    made.gate(tmp_path / "gate.json", 1.0)
    (tmp_path / "cut.json").write_text("{")
    result = invoke("--folder", tmp_path, "--format", "markdown")
    assert result.exit_code == 0
    assert result.stderr.startswith(f"warning: {tmp_path}/cut.json: no JSON, cut short perhaps")
    assert "## Not read" in result.stdout


def test_where_nothing_can_be_read_the_exit_code_is_2(tmp_path):
    (tmp_path / "cut.json").write_text("{")
    result = invoke("--folder", tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    warning, error = result.stderr.splitlines()
    assert warning.startswith("warning: ")
    assert error.startswith(f"error: {tmp_path}: no run that can be read; `scratchbench run`")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--folder", "/nosuch"], "/nosuch: no folder; name one with runs in it: --folder results"),
        (["--metric", "nosuch"], "'nosuch'; allowed: time_ratio, fastest_peer, product_floor, gate, benchmark"),
        (["--folder", "FOLDER", "--metric", "gate"], "no run with gate that can be read"),
        (["--folder", "FOLDER", "--out", "/proc/nowhere"], "/proc/nowhere: cannot be made"),
        (["--format", "yaml"], "'yaml' is not one of"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(tmp_path, arguments, message):
    made.benchmarks(tmp_path / "b.json", {"one": 0.002})
    result = invoke(*(str(tmp_path) if argument == "FOLDER" else argument for argument in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
