"""summary.md and the terminal's table: what they say, and that no name can break them."""

import io
import re

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.core.text import bound, escaped, factor, is_missing, megabytes, one_line, percent, significant
from bench.records.run import Records
from bench.report.markdown import summary_markdown
from bench.report.tables import Tables
from bench.report.terminal import terminal_table

HOSTILE = [
    "a|b|c",
    "<script>alert(1)</script>",
    "two\nlines\r\n\n# and a heading",
    "[bold red]markup[/] [link](javascript:x)",
    "$\\frac{1}{$ `code` **bold** _x_",
    "\x1b[2J\x07\x00",
    "漢字 🚀 \u202eright to left",
    "x" * 10_000,
]


def rendered(records: Records, width: int = 80) -> str:
    """The terminal's table as a pipe would get it."""
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal_table(Tables(records)))
    return console.file.getvalue()


def hostile_run(name: str) -> Records:
    """A run whose backend, and whose reasons, are called that; as is its spec where a spec may be."""
    spec_name = re.sub(r"[^ -~]", "", name)[:80]
    one = builders.spec(name=spec_name, seeds=(0,), epochs=2)
    backends = ("scratchnet", "keras-fit", name)
    found = [builders.run_record([one], backends, suite_name=name, environment={"warnings": [name]})]
    found.append(builders.cell(one.name, 0))
    for backend in ("scratchnet", "keras-fit"):
        found += [builders.epoch(one.name, 0, backend, n) for n in (1, 2)]
        found.append(builders.result(one.name, 0, backend))
    found.append(builders.result(one.name, 0, name, "failed", name))
    return Records([*found, builders.cell_end(one.name, 0)])


def tables_of(markdown: str) -> list[list[str]]:
    """The lines of each table."""
    return [block.split("\n") for block in markdown.split("\n\n") if block.startswith("|")]


def cells_in(line: str) -> int:
    """Number of cells: bars that are not escaped, less one."""
    return len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) - 1


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_a_table_brings_markup_or_makes_the_verdict_long(name):
    run = Tables(hostile_run(name))
    text, of_terminal, sentence = summary_markdown(run), rendered(run.records), run.verdict
    tables = tables_of(text)
    assert len(tables) == 2  # the spec's, and what did not finish
    assert all({cells_in(line) for line in table} == {cells_in(table[0])} for table in tables)
    assert "<script" not in text
    assert all(character.isprintable() or character == "\n" for character in text)
    assert not re.search(r"(?<!\\)\[link\]\(", text)
    assert max(map(len, text.split("\n"))) < 6000
    assert len(of_terminal.rstrip("\n").split("\n")) == 7  # heading, rule, spec, three backends, caption
    assert "\x1b" not in of_terminal
    assert sentence.isprintable()
    assert len(sentence) < 400


@given(st.text())
def test_one_line_is_one_printable_line(text):
    assert one_line(text).isprintable()
    assert len(one_line(text, 20)) <= 20


@given(st.text())
def test_escaped_leaves_no_bare_bar_and_no_tag(text):
    assert cells_in(f"|{escaped(text)}|") == 1
    assert not set("<>") & set(escaped(text))


def test_words_with_inner_underscores_stay_readable():
    assert escaped("epoch_seconds of keras-fit") == "epoch_seconds of keras-fit"
    assert escaped("_x_ a_") == "\\_x\\_ a\\_"


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        (significant, {0.0757: "0.0757", 1.0: "1.00", 12.34: "12.3", 654_417.7: "654,418", None: "–", 1e-9: "1e-09"}),
        (bound, {3.2e-8: "<0.001", 0.0738: "0.0738", 3_632_044: ">1,000", float("inf"): ">1,000", None: "–"}),
        (factor, {1.074: "1.07", 8.12: "8.1", 19.24: "19.2", 123.4: "123"}),
        (percent, {0.97931: "97.93", float("nan"): "–"}),
        (megabytes, {250_400_000: "250", None: "–"}),
        (is_missing, {0: False, None: True}),
    ],
)
def test_numbers_as_they_are_written(written, texts):
    assert [written(value) for value in texts] == list(texts.values())


def test_the_verdict_comes_first(three_seeds):
    title, sentence = summary_markdown(Tables(three_seeds)).split("\n\n")[:2]
    assert (title, sentence) == ("# Synthetic", f"**{Tables(three_seeds).verdict}**")


def test_a_row_of_the_spec_table():
    text = summary_markdown(Tables(builders.small_run({"scratchnet": [1.0, 1.0], "keras-fit": [4.0, 4.0]})))
    row = next(line for line in text.split("\n") if line.startswith("| scratchnet"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    ratio = "0.250 (one seed: no interval)"
    assert cells == ["scratchnet", "1 of 1", "94.00", "0.5000", "1.00", "60,000", ratio, "250"]
    assert "| reference " in text


def test_lost_backends_stand_with_status_reason_and_seeds(with_losses):
    text = summary_markdown(Tables(with_losses))
    row = next(line for line in text.split("\n") if "made up: diverged" in line)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells == ["784-128-10 M=32", "tf-xla", "diverged", "made up: diverged after 2 epochs", "0, 1, 2"]


def test_nothing_lost_has_no_such_section(three_seeds):
    assert "did not finish\n" not in summary_markdown(Tables(three_seeds))
    assert "## Warnings" not in summary_markdown(Tables(three_seeds))
    without = Records([builders.run_record([builders.spec()], environment={})])
    assert "## Warnings" not in summary_markdown(Tables(without))


def test_warnings_of_every_resume_stand_there_once():
    environments = ({"warnings": ["OPENBLAS_CORETYPE is set"]}, {"warnings": ["OPENBLAS_CORETYPE is set", "busy"]})
    runs = [builders.run_record([builders.spec()], environment=each) for each in environments]
    assert "## Warnings\n\n- OPENBLAS_CORETYPE is set\n- busy\n" in summary_markdown(Tables(Records(runs)))


def test_an_unstable_ratio_is_warned_of():
    run = builders.timed({"one": [{"scratchnet": seconds, "keras-fit": 4.0} for seconds in (1.0, 1.5)]})
    assert "- one, scratchnet: the time ratio is unstable, 0.306 (" in summary_markdown(Tables(Records(run)))


def test_both_accuracies_in_founding_runs_only():
    seconds = {"scratchnet": [1.0, 1.0], "keras-fit": [4.0, 4.0]}
    text = summary_markdown(Tables(builders.small_run(seconds, suite_name="founding")))
    section = text.split("## Two figures of accuracy")[1].split("\n## ")[0]
    assert "nine true negatives" in section
    assert re.search(r"\| one +\| scratchnet +\| +94\.00 +\| +99\.00 +\|", section)
    assert "Two figures" not in summary_markdown(Tables(builders.small_run(seconds, suite_name="quick")))


def test_how_to_read_names_numerator_and_denominator():
    text = summary_markdown(Tables(builders.small_run({"a": [1.0, 1.0], "tf-xla": [1.0, 1.0]}, reference="tf-xla")))
    assert "Time ratio = epoch seconds of the backend / epoch seconds of tf-xla" in text


def test_terminal_table_fits_eighty_columns_uncut(nine_specs):
    lines = rendered(nine_specs).split("\n")
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert sum("scratchnet" in line for line in lines) == 9


def test_a_long_name_gives_way_so_that_no_figure_is_cut():
    one = builders.spec(name="a name that takes all of the room", seeds=(0, 1), epochs=2)
    found = [builders.run_record([one], ("scratchnet", "keras-fit"))]
    for seed in one.seeds:
        found.append(builders.cell(one.name, seed))
        for name, seconds in (("scratchnet", 0.00123 * (seed + 1)), ("keras-fit", 0.2)):
            found += [builders.epoch(one.name, seed, name, n, seconds, test_accuracy=1.0 - seed) for n in (1, 2)]
            found.append(builders.result(one.name, seed, name))
        found.append(builders.cell_end(one.name, seed))
    lines = rendered(Records(found)).split("\n")
    assert max(map(len, lines)) <= 80
    (ours,) = (line for line in lines if line.startswith("  scratchnet"))
    assert "…" not in ours
    assert "50.00 ±635.31" in ours
    assert any(line.startswith("a name that") and line.rstrip().endswith("…") for line in lines)


def test_terminal_table_shows_what_was_lost(with_losses):
    line = next(line for line in rendered(with_losses).split("\n") if "tf-xla" in line)
    assert line.split() == ["tf-xla", "0/3", "diverged"]


def test_terminal_table_of_nothing_is_a_heading():
    assert rendered(Records([builders.run_record([builders.spec()])])).startswith("spec, backend")
