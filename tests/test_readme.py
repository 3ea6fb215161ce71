"""README.md and docs/results.md show what is committed: tables, sentences, commands and links are checked."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from bench import cli
from bench.core.text import percent, significant
from bench.noise.report import SENTENCES
from bench.parity.cells import ParityOutcome, all_cells
from bench.parity.report import verdict as parity_verdict
from bench.records.run import Records
from bench.report.tables import Tables, aggregate_table
from bench.spec import load_suite
from bench.speed import report as speed
from bench.speed.grid import Grid
from bench.speed.observations import Observed
from bench.speed.outcome import SpeedOutcome

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "results" / "reference"
PEERS = ("keras-fit", "keras-fit-tuned", "tf-graph", "tf-xla")
HEADLINE = "speed"
"""The run of `scratchbench speed` that the README's table shows; docs/results.md has all tables of `speed`."""


def page(name):
    return (ROOT / name).read_text(encoding="utf-8")


def readme():
    return page("README.md")


def results():
    return page("docs/results.md")


def aggregate(name):
    """(spec, backend) → row of the aggregate of a committed run."""
    table = aggregate_table(Records.read(REFERENCE / name))
    return {(row["spec"], row["backend"]): row for row in table.to_dict("records")}


def speed_outcome(name):
    return SpeedOutcome(Observed.read(REFERENCE / name), 60_000)


def standard_rows():
    """Test accuracy of both, then the time of scratchnet / the time of each way to train with TensorFlow."""
    rows = aggregate("standard")
    for spec in load_suite("standard").specs:
        ours, keras = rows[spec.name, "scratchnet"], rows[spec.name, "keras-fit"]
        interval = f"{significant(ours['time_ratio_low'])} to {significant(ours['time_ratio_high'])}"
        others = [significant(ours["time_ratio"] / rows[spec.name, peer]["time_ratio"], 2) for peer in PEERS[1:]]
        cells = (
            spec.name,
            percent(ours["test_accuracy"]),
            percent(keras["test_accuracy"]),
            f"**{significant(ours['time_ratio'])}** ({interval})",
            *others,
        )
        yield f"| {' | '.join(cells)} |"


def founding_rows():
    for (_, backend), row in aggregate("founding").items():
        accuracies = (percent(row["test_accuracy"]), percent(row["test_binary_accuracy"]))
        cost, seconds = significant(row["train_cost"], 4), significant(row["epoch_seconds"])
        yield f"| {' | '.join((backend, *accuracies, cost, seconds))} |"


def headline_rows():
    """Network, fastest peer, scratchnet / fastest peer: the first columns of the summary."""
    for row in speed.summary(speed_outcome(HEADLINE)).iloc[:, :3].itertuples(index=False):
        yield f"| {' | '.join(row)} |"


@pytest.mark.parametrize(
    ("rows", "shown"), [(headline_rows, readme), (standard_rows, results), (founding_rows, results)]
)
def test_the_tables_are_those_of_the_committed_runs(rows, shown):
    missing = [row for row in rows() if row not in shown()]
    assert not missing


@pytest.mark.parametrize(("name", "shown"), [("standard", readme), ("standard", results), ("founding", results)])
def test_the_verdicts_are_those_of_the_committed_runs(name, shown):
    assert Tables(Records.read(REFERENCE / name)).verdict in shown()


def test_the_readme_says_what_the_run_of_its_table_found():
    assert speed_outcome(HEADLINE).sentence.partition(";")[0] in readme()


def test_the_readme_shows_the_end_of_the_default_run():
    """Its shape: a line for each (spec, seed), a row for each backend, all with the training examples of MNIST."""
    suite, shown = load_suite("quick"), readme().partition("```text")[2].partition("```")[0]
    (spec,) = suite.specs
    assert [f"{spec.name} seed {seed}: {spec.epochs} epochs" in shown for seed in spec.seeds] == [True] * 3
    assert re.findall(r"^  (\S+) +3/3 ", shown, re.MULTILINE) == list(suite.backends)


def test_the_readme_fits_its_page():
    assert len(readme().splitlines()) <= 150


def test_the_tables_of_speed_are_those_of_the_committed_run():
    outcome = speed_outcome("speed")
    assert outcome.sentence in results()
    for table in (speed.summary(outcome), speed.by_peer(outcome)):
        assert table.to_markdown(index=False, disable_numparse=True) in results()
    assert json.loads((REFERENCE / "speed/speed.json").read_text()) == speed.as_json(outcome)
    assert {cell.cell for cell in outcome.cells} == set(Grid().cells)


# At most so many times the time of keras-fit. In the one cell set apart, the step's matrix products and the gather
# alone, without element-wise work, took 0.27 times the time of keras-fit on the machine of the reference run.
LARGEST_TIME_RATIO = {32: 0.25, 128: 0.6, 512: 0.6}
LARGEST_TIME_RATIO_OF = {"784-512-512-10 M=32": 0.3}


def test_what_the_project_promises_of_its_reference_run_holds():
    records = Records.read(REFERENCE / "standard")
    assert records.complete
    assert {result.status for result in records.results} == {"ok"}
    rows = aggregate("standard")
    for spec in load_suite("standard").specs:
        ours, keras = rows[spec.name, "scratchnet"], rows[spec.name, "keras-fit"]
        assert ours["seeds_ok"] == keras["seeds_ok"] == 3
        assert abs(ours["test_accuracy"] - keras["test_accuracy"]) < 0.003
        assert ours["time_ratio"] <= LARGEST_TIME_RATIO_OF.get(spec.name, LARGEST_TIME_RATIO[spec.batch_size])
        if spec.architecture.title == "784-128-10":
            assert ours["test_accuracy"] > 0.975


PAGES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts)


def links(name):
    return [link for link in re.findall(r"\]\(([^)#]+)", page(name)) if "://" not in link]


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_links_lead_somewhere(name):
    folder = (ROOT / name).parent
    assert [link for link in links(name) if not (folder / link).exists()] == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", *PAGES])
def test_named_files_exist(name):
    """`tests/test_tests.py` is autograd's, `tests/benchmarks` a folder of the reader."""
    named = set(re.findall(r"`((?:scratchnet|bench|reference_tf|tests|docs|examples)/[\w./-]+)`", page(name)))
    assert [path for path in named - {"tests/test_tests.py", "tests/benchmarks"} if not (ROOT / path).exists()] == []


def test_the_readme_leads_to_the_architecture_in_its_first_screen():
    assert "](docs/architecture.md)" in readme().partition("## Run it")[0]
    assert len(links("README.md")) > 15


@pytest.mark.parametrize("name", ["README.md", *PAGES])
def test_commands_exist(name):
    commands = set(re.findall(r"^(?:\$ )?scratchbench ([\w-]+)", page(name), re.MULTILINE))
    assert commands <= set(cli.main.commands)


def test_one_page_lists_all_commands():
    listed = re.findall(r"^scratchbench ([\w-]+)", page("docs/running.md"), re.MULTILINE)
    assert set(cli.main.commands) - set(listed) <= {"baseline", "gate-validate"}


def committed_outcomes():
    rows = pd.read_csv(REFERENCE / "parity/parity.csv.gz", keep_default_na=False, na_values={"difference": [""]})
    return [ParityOutcome.from_row(row) for row in rows.to_dict("records")]


def test_the_committed_parity_matrix_is_whole_and_no_cell_of_it_fails():
    outcomes = committed_outcomes()
    assert {outcome.cell for outcome in outcomes} == set(all_cells())
    assert len(outcomes) == len(all_cells())
    assert {outcome.status for outcome in outcomes} <= {"agrees", "ill_conditioned"}
    assert all(outcome.difference < 1e-10 for outcome in outcomes if outcome.status == "agrees")
    assert all(one.reason.startswith("single steps from equal weights differ by") for one in outcomes if one.reason)


def test_the_parity_that_is_told_is_that_of_the_committed_matrix():
    assert parity_verdict(committed_outcomes(), len(all_cells())) in results()


def test_the_noise_floor_that_is_told_is_the_committed_one():
    text = (REFERENCE / "noise/noise.md").read_text("utf-8")
    told = next(line for line in text.splitlines() if "95 % interval" in line)
    assert told.startswith(SENTENCES["below"])
    assert told.rstrip(".") in results()
