"""A backend that goes wrong is recorded as what it is, the others finish, and the run says so."""

import re

import pytest

from bench import backend as backends
from bench import cli
from bench.backend import Entry
from bench.records import Records

FAULTS = {
    "Raises": ("failed", r"ArithmeticError: planted failure in epoch 2; see .*\.log", 1),
    "Killed": ("killed", r"killed by SIGKILL in epoch 2", 1),
    "Exits": ("failed", r"ended with exit code 3 in epoch 2", 1),
    "Hangs": ("timeout", r"no answer within 15 s in epoch 2", 1),
    "Diverges": ("diverged", r"the cost is not finite after epoch 2", 2),
    "CannotStart": ("failed", r"MemoryError: planted while it started", 0),
    "OneWeightOff": ("not_comparable", r"it does not start from the plan's parameters", 0),
    "SwappedExamples": ("not_comparable", r"it did not consume the plan's batches in epoch 2", 2),
}


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(["run", *map(str, arguments)])
    return ended.value.code


@pytest.fixture
def planted(monkeypatch, request):
    """Backends from `planted_backends`, known to the registry by their class names."""
    monkeypatch.setenv("PYTHONPATH", str(request.path.parent))
    entries = {name: Entry(f"planted_backends:{name}", "numpy", "", ("numpy",)) for name in FAULTS}
    monkeypatch.setattr(backends, "BACKENDS", backends.BACKENDS | entries)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("planted")
def test_a_fault_is_recorded_and_the_others_finish(fault, suite_path, tmp_path, capsys):
    status, reason, epochs = FAULTS[fault]
    if fault == "Hangs":
        suite_path.write_text(suite_path.read_text().replace("60.0", "15.0"))
    code = run(suite_path, "--backends", f"{fault},scratchnet", "--seeds", "0", "--out", tmp_path / "run")
    records = Records.read(tmp_path / "run")
    results = {result.backend: result for result in records.results}
    assert code == 1
    assert results[fault].status == status
    assert re.search(reason, results[fault].reason)
    assert (records.epochs["backend"] == fault).sum() == epochs
    assert results["scratchnet"].status == "ok"
    assert (records.epochs["backend"] == "scratchnet").sum() == 3
    assert records.complete
    printed = capsys.readouterr()
    assert status.replace("_", " ") in printed.out
    assert "--resume does not train it again: start a new run" in printed.err


@pytest.mark.usefixtures("planted")
def test_the_log_of_a_worker_that_failed_is_kept_and_of_one_that_did_well_is_not(suite_path, tmp_path):
    run(suite_path, "--backends", "Raises,scratchnet", "--seeds", "0", "--out", tmp_path / "run")
    logs = {path.name: path.read_text() for path in (tmp_path / "run").glob("*.log")}
    assert list(logs) == ["0-seed0-Raises.log"]
    assert "ArithmeticError: planted" in logs["0-seed0-Raises.log"]


def test_a_missing_framework_is_a_skip_with_the_command_that_installs_it(monkeypatch, suite_path, tmp_path, capsys):
    absent = Entry("nowhere:Nothing", "no_such_framework", "pip install no-such-framework", ())
    monkeypatch.setattr(backends, "BACKENDS", backends.BACKENDS | {"absent": absent})
    code = run(suite_path, "--backends", "absent,scratchnet", "--out", tmp_path / "run")
    results = [result for result in Records.read(tmp_path / "run").results if result.backend == "absent"]
    assert code == 0
    assert {result.status for result in results} == {"skipped"}
    assert results[0].reason == "no_such_framework is not installed; pip install no-such-framework"
    assert "absent skipped: no_such_framework is not installed" in capsys.readouterr().out
