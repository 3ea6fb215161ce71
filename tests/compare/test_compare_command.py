"""The command: every exit code, every format, and what it does on bad days; each complaint is one line."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import builders
import made_answers as made
import pytest

from bench import cli

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
ROOT = HERE.parents[1]
STEADY = [0.950, 0.951, 0.949, 0.950]


def invoke(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(["compare", *map(str, arguments)])
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture
def baseline(tmp_path):
    return made.with_accuracies(tmp_path / "a", STEADY)


def shifted(folder, by, **changes):
    """Accuracies beside the baseline's, with a wobble of their own."""
    wobble = (0.0001, -0.0002, 0.0001, 0.0)
    return made.with_accuracies(folder, [a + by + w for a, w in zip(STEADY, wobble, strict=True)], **changes)


def test_as_a_process_of_its_own_the_reference_runs_are_identical_with_themselves():
    command = [sys.executable, "-m", "bench", "compare", "results/reference", "results/reference/founding"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("B is identical to A in all 5 rows: every cost, accuracy and prediction, bit by\n")


@pytest.mark.parametrize(
    ("by", "code", "words"),
    [
        (0.0, 0, "B is within tolerance: 'scratchnet' on 'one': test accuracy 0.00 points"),
        (0.02, 0, "test accuracy +2.00 points"),
        (-0.02, 1, "B is worse: 'scratchnet' on 'one': test accuracy −2.00 points, 95 % interval −2.02 to −1.98"),
        (-0.005, 3, "not decidable: 'scratchnet' on 'one': test accuracy −0.50 points"),
    ],
)
def test_exit_codes_of_accuracy(capsys, baseline, tmp_path, by, code, words):
    found, out, err = invoke(capsys, baseline, shifted(tmp_path / "b", by))
    assert (found, err) == (code, "")
    assert words in " ".join(out.split())


def test_what_is_not_decidable_says_how_many_seeds_would_decide_it(capsys, baseline, tmp_path):
    b = made.with_accuracies(tmp_path / "b", [0.956, 0.944, 0.951, 0.948])
    code, out, _ = invoke(capsys, baseline, b, "--format", "json")
    document = json.loads(out)
    assert (code, document["decision"]) == (3, "undecided")
    assert document["seeds_needed"] == document["rows"][0]["equivalence"]["seeds_needed"] > 4
    assert f"; {document['seeds_needed']} seeds on each side would decide it" in document["verdict"]


def test_the_tolerance_decides(capsys, baseline, tmp_path):
    b = shifted(tmp_path / "b", -0.008)
    codes = [invoke(capsys, baseline, b, "--tolerance", f"accuracy={points}")[0] for points in (0.5, 2)]
    assert codes == [1, 0]


def test_only_what_may_fail_does(capsys, baseline, tmp_path):
    b = shifted(tmp_path / "b", -0.02)
    names = ("accuracy", "cost", "cost,accuracy")
    assert [invoke(capsys, baseline, b, "--fail-on", name)[0] for name in names] == [1, 0, 1]


def test_what_is_worse_and_may_not_fail_is_said_all_the_same(capsys, baseline, tmp_path):
    out = invoke(capsys, baseline, shifted(tmp_path / "b", -0.02), "--fail-on", "cost")[1]
    assert "; its accuracy is worse in 1 of 1 row" in " ".join(out.split())


def test_one_seed_is_not_decidable_unless_all_is_the_same(capsys, tmp_path):
    one, same, other = (made.with_accuracies(tmp_path / n, [x]) for n, x in (("a", 0.95), ("b", 0.95), ("c", 0.9501)))
    assert invoke(capsys, one, same)[0] == 0
    code, out, _ = invoke(capsys, one, other)
    assert code == 3
    assert "one seed shows no spread: run more, with --seeds 0,1,2" in " ".join(out.split())


def test_divergence_in_every_seed_is_worse(capsys, baseline, tmp_path):
    b = made.run(tmp_path / "b", {("scratchnet", seed): {"status": "diverged"} for seed in range(4)})
    code, out, _ = invoke(capsys, baseline, b)
    assert code == 1
    assert "B is worse: 'scratchnet' on 'one' diverged in each of its 4 seeds, in none of A's" in " ".join(out.split())


def test_a_spec_that_could_not_be_compared_leaves_it_undecided(capsys, tmp_path):
    folders = []
    for name, batch_size in (("a", 32), ("b", 64)):
        specs = [builders.spec(name="same", seeds=(0,)), builders.spec(name="other", seeds=(0,), batch_size=batch_size)]
        folders.append(made.write(tmp_path / name, builders.realistic(specs, ["scratchnet"])))
    code, out, _ = invoke(capsys, *folders)
    assert code == 3
    assert "what A and B share could not all be compared" in " ".join(out.split())
    assert "batch_size is 32 in A, 64 in B" in out


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_each_format_can_be_written_to_a_file(capsys, baseline, tmp_path, form):
    printed = invoke(capsys, baseline, baseline, "--format", form)[1]
    code, out, _ = invoke(capsys, baseline, baseline, "--format", form, "--out", tmp_path / "out")
    assert code == 0
    assert (tmp_path / "out").read_text() == printed
    assert out == f"B is identical to A: every cost and accuracy, bit by bit\nwritten: {tmp_path / 'out'}\n"


def test_the_document_is_the_one_that_is_promised(capsys, baseline, tmp_path):
    document = json.loads(invoke(capsys, baseline, shifted(tmp_path / "b", 0.001), "--format", "json")[1])
    assert list(document) == [
        *("schema_version", "verdict", "decision", "seeds_needed", "margins", "fail_on", "a", "b", "differences"),
        "rows",
    ]
    (row,) = document["rows"]
    assert {"spec", "backend", "seeds_a", "seeds_b", "paired", "accuracy_a", "accuracy_b", "difference", "equivalence",
            "mcnemar", "confusion", "only_one_right", "curves", "cost_parts_at", "cost_decision", "speed",
            "speed_decision", "score", "r2_a", "r2_b", "errors"} == set(row)  # fmt: skip
    assert (row["score"], row["r2_a"], row["r2_b"], row["errors"]) == ("accuracy", None, None, {})
    assert row["difference"]["centre"] == pytest.approx(0.001)
    assert row["curves"]["cost"]["a"]["0"] == [0.5, 0.3]
    assert document["a"]["environment"]["cpu_model"] == "made up"


@pytest.mark.parametrize("form", ["table", "markdown"])
def test_a_table_is_80_columns_wide_and_begins_with_the_verdict(capsys, form):
    # Another engine on another machine.
    _, out, _ = invoke(capsys, ROOT / "results/reference/founding", GOLDEN / "schema-1", "--format", form)
    assert out.lstrip("*").startswith("B is within tolerance in all 2 rows")
    assert form == "markdown" or max(map(len, out.splitlines())) <= 80


def test_records_of_the_first_schema_are_read(capsys):
    code, out, _ = invoke(capsys, GOLDEN / "schema-1", GOLDEN / "schema-1" / "records.jsonl")
    assert code == 0
    assert out.startswith("B is identical to A in all 2 rows")


def test_two_data_of_one_source_in_the_first_schema_are_read(capsys):
    """It kept a fingerprint of the last one only: the labels of the other cannot be believed, and that is said."""
    folder = GOLDEN / "schema-1-two-data"
    code, out, _ = invoke(capsys, folder, folder)
    assert code == 0
    assert out.startswith("B is identical to A in all 2 rows")
    assert "no fingerprint of these examples in A" in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument 'A'"),
        (["/nosuch", "/nosuch"], "/nosuch: cannot be read (No such file or directory); allowed: a run folder"),
        (["x" * 10_000, "y"], "x…: cannot be read (File name too long)"),
        (["pyproject.toml", "."], "pyproject.toml: is not one of these: a run folder"),
        (["docs", "docs"], "docs: no run that finished anything, here or one folder deeper"),
        (["results/reference/founding/run.json", "."], "give its folder, results/reference/founding"),
        (["results/reference/scaling", "."], "results/reference/scaling/records.jsonl:1: record"),
        (["results/reference", "results/reference", "--fail-on", "luck"], "'luck'; allowed: accuracy, r2, cost, mae"),
        (["a", "b", "--tolerance", "accuracy"], "--tolerance 'accuracy'; allowed: accuracy=0.5 (points"),
        (["a", "b", "--tolerance", "luck=1"], "--tolerance 'luck=1'; allowed"),
        (["a", "b", "--tolerance", "cost=2"], "'cost=2'; allowed: accuracy=0.5 (points, up to 100), cost=2%"),
        (["a", "b", "--tolerance", "speed=nan%"], "--tolerance 'speed=nan%'; allowed"),
        (["a", "b", "--tolerance", "accuracy=-1"], "--tolerance 'accuracy=-1'; allowed"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_gets_one_line_and_exit_code_2(capsys, monkeypatch, arguments, message):
    monkeypatch.chdir(ROOT)
    code, out, err = invoke(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert len(err) < 1000


def test_records_cut_short_are_those_that_were_finished(capsys, tmp_path):
    whole = (GOLDEN / "schema-1" / "records.jsonl").read_bytes()
    end_of_seed_0 = whole.index(b'"kind":"cell_end"')
    in_the_line_after = whole.index(b"\n", end_of_seed_0) + 30
    (tmp_path / "records.jsonl").write_bytes(whole[:in_the_line_after])
    code, out, _ = invoke(capsys, GOLDEN / "schema-1", tmp_path)
    assert code == 0
    assert "of the seeds they share, bit by bit" in " ".join(out.split())
    assert "seeds '1', '2' not finished in B" in " ".join(out.split())


def test_a_run_that_finished_nothing_has_a_remedy(capsys, baseline, tmp_path):
    b = made.run(tmp_path / "b", {})
    code, _, err = invoke(capsys, baseline, b)
    assert code == 2
    assert f"no pair of spec and seed was finished; finish one with: scratchbench run --out {b} --resume" in err


def test_zero_finished_epochs_are_no_accuracy(capsys, baseline, tmp_path):
    b = made.run(tmp_path / "b", {("scratchnet", seed): {"costs": ()} for seed in range(4)})
    code, _, err = invoke(capsys, baseline, b)
    assert code == 2
    assert "nothing can be compared: 'one', 'scratchnet', seed 0: no epoch was finished in B" in err


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_figures_that_are_no_numbers_are_missing(capsys, baseline, tmp_path, value):
    b = made.with_accuracies(tmp_path / "b", STEADY)
    path = b / "records.jsonl"
    path.write_text(path.read_text().replace('"test_accuracy":0.949', f'"test_accuracy":{value}'))
    code, out, err = invoke(capsys, baseline, b, "--format", "json")
    assert (code, err) == (3, "")
    document = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert document["rows"][0]["seeds_b"] == [0, 1, 3]
    assert "'one', 'scratchnet', seed 2: the final test accuracy is no number in B" in document["differences"]


def test_a_broken_line_is_named_with_its_place(capsys, baseline, tmp_path):
    b = shutil.copytree(baseline, tmp_path / "b")
    with (b / "records.jsonl").open("a") as file:
        file.write('{"kind":"epoch"}\n')
    code, _, err = invoke(capsys, baseline, b)
    assert code == 2
    assert f"{b}/records.jsonl:" in err
    assert "is missing" in err


HOSTILE = ["<script>alert(1)</script>", "../../etc/passwd", "a|b`c`*d*", "[red]x[/red]", "=1+1", "x" * 80]


@pytest.mark.parametrize("form", ["table", "markdown", "json"])
def test_hostile_names_are_text(capsys, tmp_path, form):
    long = [name * (10_000 // len(name)) for name in HOSTILE]
    cells = {(name, seed): {"accuracy": 0.9 + seed / 100} for name in long for seed in range(2)}
    a, b = (made.run(tmp_path / n, cells, spec={"name": HOSTILE[0]}, suite_name=long[1]) for n in ("a", "b"))
    code, out, err = invoke(capsys, a, b, "--format", form)
    assert (code, err) == (0, "")
    assert form == "json" or len(out) < 8000 * len(HOSTILE)
    assert form != "markdown" or ("<script>" not in out and "\\|" in out)
    assert form != "table" or max(map(len, out.splitlines())) <= 80


def test_a_file_of_pytest_benchmark_is_refused_with_the_way_to_go(capsys, baseline, tmp_path):
    path = tmp_path / "b.json"
    path.write_text('{"machine_info": {}, "benchmarks": [{"fullname": "x", "stats": {"median": 1.0}}]}')
    refused = (
        f"error: {path}: is a file of pytest-benchmark; `pytest-benchmark compare A B` compares two of these, "
        "`scratchbench gate` decides about speed\n"
    )
    for sides in ((baseline, path), (path, baseline), (path, path)):
        assert invoke(capsys, *sides) == (2, "", refused)


def test_an_output_that_cannot_be_written(capsys, baseline):
    code, _, err = invoke(capsys, baseline, baseline, "--out", "/proc/nowhere/x")
    assert code == 2
    assert err.startswith("error: /proc/nowhere/x: cannot be written")


def test_the_same_answer_every_time(capsys, baseline, tmp_path):
    b = shifted(tmp_path / "b", -0.002)
    assert invoke(capsys, baseline, b, "--format", "json") == invoke(capsys, baseline, b, "--format", "json")
