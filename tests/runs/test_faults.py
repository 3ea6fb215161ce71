"""A backend that goes wrong is recorded as what it is, the others finish, and the run says so."""

import re
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from bench import cli
from bench.backends import registry
from bench.backends.registry import Entry
from bench.records.run import Records
from scratchnet import engine

FAULTS = {
    "Raises": ("failed", r"ArithmeticError: planted failure in epoch 2; see .*\.log", 1),
    "Killed": ("killed", r"killed by SIGKILL in epoch 2", 1),
    "Exits": ("failed", r"ended with exit code 3 in epoch 2", 1),
    "Hangs": ("timeout", r"no answer within 5 s in epoch 2", 1),
    "Diverges": ("diverged", r"the cost is not finite after epoch 2", 2),
    "CannotStart": ("failed", r"MemoryError: planted while it started", 0),
    "OneWeightOff": ("not_comparable", r"it does not start from the plan's parameters", 0),
    "SwappedExamples": ("not_comparable", r"it did not consume the plan's batches in epoch 2", 2),
}
AT_ONCE = [name for name in FAULTS if name != "Hangs"]


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", *map(str, arguments)])
    return ended.value.code


class Run(NamedTuple):
    """A run that has ended: exit code, folder, its records, and what it printed."""

    code: int
    folder: Path
    records: Records
    out: str
    err: str


def run_with(faults, folder, suite_text):
    """Backends from `planted_backends`, known to the registry by their class names, and scratchnet."""
    (folder / "small.toml").write_text(suite_text)
    entries = {name: Entry(f"planted_backends:{name}", "numpy", "", ("numpy",)) for name in faults}
    names, out, err = ",".join([*faults, "scratchnet"]), StringIO(), StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setattr(registry, "BACKENDS", registry.BACKENDS | entries)
        code = run(folder / "small.toml", "--backends", names, "--seeds", "0", "--out", folder / "run")
    return Run(code, folder / "run", Records.read(folder / "run"), out.getvalue(), err.getvalue())


def assert_recorded_and_told(fault, of):
    status, reason, epochs = FAULTS[fault]
    (result,) = [one for one in of.records.results if one.backend == fault]
    assert result.status == status
    assert re.search(reason, result.reason)
    assert (of.records.epochs["backend"] == fault).sum() == epochs
    (row,) = [line for line in of.out.splitlines() if line.split()[:1] == [fault]]
    assert status in row
    assert status.replace("_", " ") in of.out


def assert_scratchnet_finished(of):
    (result,) = [one for one in of.records.results if one.backend == "scratchnet"]
    assert result.status == "ok"
    assert (of.records.epochs["backend"] == "scratchnet").sum() == 3
    assert of.records.complete
    assert of.code == 1
    assert "--resume does not train it again: start a new run" in of.err


def test_each_fault_is_recorded_and_told_its_log_is_kept_and_the_others_finish(tmp_path, suite_text):
    """All in one run, but for the one that takes a whole time limit."""
    run_of_all = run_with(AT_ONCE, tmp_path, suite_text)
    for fault in AT_ONCE:
        assert_recorded_and_told(fault, run_of_all)
    assert_scratchnet_finished(run_of_all)
    logs = {path.name: path.read_text() for path in run_of_all.folder.glob("*.log")}
    assert set(logs) == {f"0-seed0-{fault}.log" for fault in AT_ONCE}
    assert "ArithmeticError: planted" in logs["0-seed0-Raises.log"]


def test_a_backend_that_hangs_is_recorded_and_the_other_finishes(tmp_path, suite_text, monkeypatch):
    monkeypatch.setenv(engine.VARIABLE, "numpy")  # to compile the steps may take longer than the limit
    of = run_with(["Hangs"], tmp_path, suite_text.replace("60.0", "5.0"))
    assert_recorded_and_told("Hangs", of)
    assert_scratchnet_finished(of)


def test_a_missing_framework_is_a_skip_with_the_command_that_installs_it(monkeypatch, suite_path, tmp_path, capsys):
    absent = Entry("nowhere:Nothing", "no_such_framework", "pip install no-such-framework", ())
    monkeypatch.setattr(registry, "BACKENDS", registry.BACKENDS | {"absent": absent})
    code = run(
        suite_path, "--backends", "absent,scratchnet", "--epochs", "1", "--seeds", "0", "--out", tmp_path / "run"
    )
    results = [result for result in Records.read(tmp_path / "run").results if result.backend == "absent"]
    assert code == 0
    assert {result.status for result in results} == {"skipped"}
    assert results[0].reason == "no_such_framework is not installed; pip install no-such-framework"
    assert "absent skipped: no_such_framework is not installed" in capsys.readouterr().out
