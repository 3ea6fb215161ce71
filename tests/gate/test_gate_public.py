"""The committed comparisons of public projects: the table is that of the records, and the page counts them right."""

import statistics
import sys
from pathlib import Path

import pytest

from bench.gate.decision import Rule, decide

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "results" / "reference" / "gate-public"
PAGE = (ROOT / "docs" / "gate-your-project.md").read_text("utf-8")


@pytest.fixture(scope="module")
def experiment():
    sys.path.insert(0, str(ROOT / "docs" / "experiments"))
    try:
        import gate_public
    finally:
        sys.path.pop(0)
    return gate_public


@pytest.fixture(scope="module")
def records(experiment):
    return experiment.read(FOLDER)


def test_the_table_is_that_of_the_records(experiment, records):
    assert (FOLDER / "gate-public.md").read_text("utf-8") == experiment.table(records)


def test_each_comparison_of_the_list_is_made(experiment, records):
    wanted = experiment.tomllib.loads((experiment.HERE / "gate_public.toml").read_text("utf-8"))["comparison"]
    kept = [{name: record[name] for name in one} for one, record in zip(wanted, records, strict=True)]
    assert kept == wanted
    assert len({record["repository"] for record in records}) == 7


def test_each_verdict_is_that_of_its_pairs(records):
    for record in records:
        gate = record["gate"]
        assert len(gate["log_ratios"]) == gate["pairs"]
        assert decide(gate["log_ratios"], Rule()) == gate["verdict"], record["name"]


@pytest.mark.parametrize("expected", ["slower", "not slower"])
def test_the_page_counts_them(experiment, records, expected):
    answers = [experiment.judged(record) for record in records if record["expected"] == expected]
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {expected}: "))
    counts = [len(answers), *(answers.count(answer) for answer in ("right", "undecided", "WRONG"))]
    assert row.split(" | ")[1:] == [*map(str, counts[:-1]), f"{counts[-1]} |"]
    assert f"The median decision took {statistics.median(one['gate']['seconds'] for one in records):.0f} s" in PAGE


def test_what_pyperf_said_of_documentation(records):
    of = [record["pyperf"] for record in records if record["name"].endswith("documentation")]
    significant = [one for one in of if one["significant"]]
    assert f"pyperf called {len(significant)} of the {len(of)} commits of documentation significant" in PAGE
    assert all(f"{one['ratio']:.2f}" in PAGE for one in significant)
