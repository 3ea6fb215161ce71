"""`scratchbench site`: a table of all runs, the history of their ratios, a page for each; the bad ones are named."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from cluster_runs import FAST, SLOW, machine, write
from made_runs import day, run
from reading import Read

from bench.cli import main
from bench.report.write import write_report

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "results" / "reference"


def site(*arguments):
    """What the command printed, and how it ended."""
    return CliRunner().invoke(main, ["site", *map(str, arguments)])


@pytest.fixture
def made(tmp_path):
    """Three runs of one spec, one of another machine, and the site over them."""
    for number, ratio in enumerate((0.5, 0.25, 0.125)):
        run(tmp_path / "results" / f"run-{number}", ratio, day(number), seeds=(0, 1))
    other = {"cpu_model": "Another", "usable_cores": 4, "git_revision": None}
    run(tmp_path / "results" / "deeper" / "a run", 2.0, day(3), environment=other)
    result = site(tmp_path / "results", "--out", tmp_path / "site")
    assert result.exit_code == 0, result.output
    assert result.stdout == f"4 runs: {tmp_path}/site/index.html\n"
    return tmp_path / "site"


@pytest.fixture
def seen(made):
    """Its index, as it is read."""
    return Read((made / "index.html").read_text("utf-8"))


def rows(seen, find):
    """Attributes of the rows of runs, or of ratios."""
    return [each for each in seen.all("tbody") if ("data-suite" in each) == (find == "runs")]


def test_every_run_is_there_the_newest_first_with_a_link_to_its_page(made, seen):
    links = [each["href"] for each in seen.all("a")][:4]
    assert links == ["runs/deeper/a%20run/report.html", *(f"runs/run-{n}/report.html" for n in (2, 1, 0))]
    assert all((made / link.replace("%20", " ")).is_file() for link in links)
    found = [each["data-find"] for each in rows(seen, "runs") if "data-suite" in each]
    assert "another" in found[0]
    assert all(word in found[1] for word in ("run-2", "2026-01-04", "abc1234", "one", "keras-fit", "made up 9000"))
    assert seen.words.startswith("4 runs of scratchbench scratchbench site 4 runs, the newest of 2026-01-05")


def test_a_ratio_is_followed_over_the_runs_of_its_machine_only(seen):
    lines = [each for each in seen.all("tbody") if "data-row" in each]
    assert len(lines) == 2
    charts = [seen.data["rows"][int(each["data-row"])]["chart"] for each in lines]
    (own,) = [chart for chart in charts if len(chart["places"]) == 3]
    assert (own["unit"], own["labels"][0]) == ("run", "2026-01-02 03:04 (abc1234)")
    centre, low, high = (seen.data["series"][line["series"]]["time_ratio"][0] for line in own["lines"])
    assert centre == pytest.approx([0.5, 0.25, 0.125], rel=0.02)
    assert all(a < b < c for a, b, c in zip(low, centre, high, strict=True))


def test_nothing_is_loaded_from_elsewhere(seen):
    assert all(address == "data:," or address.startswith("runs/") for address in seen.loaded)
    assert [each for each in seen.all("meta") if "default-src 'none'" in each.get("content", "")]


def test_a_page_that_the_run_has_is_taken_unless_its_records_are_newer(tmp_path):
    folder = run(tmp_path / "results" / "one", 0.5, seeds=(0, 1))
    made = write_report(folder).page()
    (folder / "report.html").write_text("its own page")
    page, index = (tmp_path / "site" / name for name in ("runs/one/report.html", "index.html"))
    site(tmp_path / "results", "--out", tmp_path / "site")
    from_run_json = index.read_text("utf-8")
    assert page.read_text() == "its own page"
    os.utime(folder / "records.jsonl", (time.time() + 9, time.time() + 9))
    site(tmp_path / "results", "--out", tmp_path / "site")
    assert page.read_text("utf-8") == made
    assert index.read_text("utf-8") == from_run_json


@pytest.mark.parametrize("text", ["", "{", "[]", '{"verdict": "old", "complete": true, "runs": []}'])
def test_a_run_json_that_says_too_little_is_made_up_for_from_the_records(tmp_path, text):
    folder = run(tmp_path / "results" / "one", 0.5)
    (folder / "report.html").write_text("its own page")
    (folder / "run.json").write_text(text)
    assert site(tmp_path / "results", "--out", tmp_path / "site").exit_code == 0
    assert "identical test accuracy" in Read((tmp_path / "site" / "index.html").read_text("utf-8")).words


@pytest.mark.parametrize("reported", [True, False])
def test_a_run_on_two_kinds_of_machine_has_a_history_on_each(tmp_path, reported):
    write(tmp_path / "results" / "one", [machine("node1")] * 3 + [machine("node2", "B")] * 3, FAST + SLOW)
    write(tmp_path / "results" / "two", [None] * 6, FAST + FAST)
    if reported:
        for name in ("one", "two"):
            write_report(tmp_path / "results" / name)
    assert site(tmp_path / "results", "--out", tmp_path / "site").exit_code == 0
    seen = Read((tmp_path / "site" / "index.html").read_text("utf-8"))
    histories = [each for each in seen.all("tbody") if "data-row" in each]
    assert [each["data-machine"] for each in histories] == [f"{cpu}, 2 cores, 2 threads" for cpu in "AB"]
    places = [seen.data["rows"][int(each["data-row"])]["chart"]["places"] for each in histories]
    assert places == [[1, 2], [1]]
    (one, two) = [each for each in seen.all("tbody") if "data-suite" in each]
    assert [one["data-machine"], two["data-machine"]] == ["2 machines", "A, 2 cores, 2 threads"]
    assert "b, 2 cores, 2 threads" in one["data-find"]
    words = Read((tmp_path / "site" / "runs" / "one" / "report.html").read_text("utf-8")).words
    assert "Time ratios by machine" in words


def test_the_ratios_of_a_run_on_one_other_machine_are_not_those_of_where_it_began(tmp_path):
    """Its run.json alone does not say enough of that machine."""
    write_report(write(tmp_path / "results" / "one", [machine("node2", "B")] * 6, FAST + FAST))
    site(tmp_path / "results", "--out", tmp_path / "site")
    seen = Read((tmp_path / "site" / "index.html").read_text("utf-8"))
    (run_row,), (history,) = (
        [each for each in seen.all("tbody") if name in each] for name in ("data-suite", "data-row")
    )
    assert history["data-machine"] == "B, 2 cores, 2 threads"
    assert run_row["data-machine"] == "node2 (B, 2 cores, 2 threads)"


def test_the_page_of_a_run_on_machines_like_the_first_is_taken(tmp_path):
    folder = write(tmp_path / "results" / "one", [machine("node1")] * 3 + [machine("node2")] * 3, FAST + FAST)
    write_report(folder)
    (folder / "report.html").write_text("its own page")
    site(tmp_path / "results", "--out", tmp_path / "site")
    assert (tmp_path / "site" / "runs" / "one" / "report.html").read_text() == "its own page"
    (history,) = [
        each for each in Read((tmp_path / "site" / "index.html").read_text("utf-8")).all("tbody") if "data-row" in each
    ]
    assert history["data-machine"] == "A, 2 cores, 2 threads"


def test_a_run_that_cannot_be_read_is_named_and_the_others_are_shown(tmp_path):
    run(tmp_path / "results" / "good", 0.5)
    bad = run(tmp_path / "results" / "bad", 0.5)
    with (bad / "records.jsonl").open("a") as file:
        file.write('{"kind": "nonsense"}\n')
    result = site(tmp_path / "results", "--out", tmp_path / "site")
    assert result.exit_code == 0
    assert result.stdout.startswith("1 run: ")
    (line,) = result.stderr.strip().split("\n")
    assert line.startswith(f"warning: {bad}/records.jsonl:")


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda root: None, "results: no folder; name one with runs in it"),
        (lambda root: (root / "results").mkdir(), "results: no run in it or in a folder below it"),
        (
            lambda root: (run(root / "results" / "one", 0.5), (root / "site").mkdir(), (root / "site" / "x").touch()),
            "site: holds something that is no site; choose another --out",
        ),
        (
            lambda root: (root / "results").mkdir() or (root / "results" / "records.jsonl").write_text("nonsense\n"),
            "none of its 1 runs can be read",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(tmp_path, prepare, message):
    prepare(tmp_path)
    result = CliRunner().invoke(main, ["site", str(tmp_path / "results"), "--out", str(tmp_path / "site")])
    assert result.exit_code == 2
    assert message in result.stderr.strip().split("\n")[-1]


def test_a_site_is_written_again_over_an_earlier_one(made, tmp_path):
    run(tmp_path / "results" / "run-9", 0.1, day(9))
    assert site(tmp_path / "results", "--out", made).stdout.startswith("5 runs: ")
    assert (made / ".nojekyll").read_text() == ""


@pytest.mark.weekly
def test_memory_does_not_grow_with_the_number_of_runs(tmp_path):
    one = (REFERENCE / "standard" / "records.jsonl").read_bytes()

    def peak(count):
        for number in range(count):
            folder = tmp_path / f"of {count}" / f"run-{number}"
            folder.mkdir(parents=True)
            (folder / "records.jsonl").write_bytes(one)
        command = ["-m", "bench", "site", str(tmp_path / f"of {count}"), "--out", str(tmp_path / f"site of {count}")]
        subprocess.run([sys.executable, *command], check=True, cwd=ROOT, capture_output=True)
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024

    few = peak(5)
    assert peak(60) < few + 40, "MB: fifty-five more runs of 2 MB"
