"""The run command from the outside: what it writes, what it refuses, how it is stopped, and how it goes on."""

import base64
import json
import resource
import shutil
import signal
import subprocess
import sys
import time
import zlib
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd
import psutil
import pytest
from covering import weekly

from bench import cli
from bench.data import load_dataset
from bench.records.log import RECORDS_NAME
from bench.records.run import Records
from bench.report.tables import summary_table

PROMISED = {
    *("spec", "backend", "seed", "status", "test_accuracy", "train_cost"),
    *("epoch_seconds", "samples_per_second", "time_ratio"),
}
DETERMINISTIC = ["spec", "backend", "seed", "status", "test_accuracy", "train_cost", "parameters_fingerprint"]


def start(*arguments, **options):
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def heed_ctrl_c():
    """A shell starts its background jobs deaf to it, tests among them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def bench_in_a_process(*arguments, **options):
    return finish(start(*arguments, **options))


def bench(*arguments):
    """The command in this process, which has imported what it needs: its exit code, stdout and stderr."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as ended:
        cli.main([*map(str, arguments)])
    return ended.value.code, out.getvalue(), err.getvalue()


def figures(folder):
    """What another run with the same seeds must reproduce."""
    table = summary_table(Records.read(folder))
    return table[DETERMINISTIC].sort_values(["spec", "backend", "seed"]).reset_index(drop=True)


def wait_for_lines(folder, count):
    deadline = time.monotonic() + 60
    path = folder / RECORDS_NAME
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < deadline, f"fewer than {count} records in {path}"
        time.sleep(0.005)


def wait_until_gone(processes):
    gone, alive = psutil.wait_procs(processes, timeout=20)
    assert not alive, f"still running: {alive}"
    return gone


@pytest.fixture(scope="session")
def whole(made_once, suite_text):
    """Folder and output of a run that nothing disturbed."""

    def fill(folder):
        (folder / "small.toml").write_text(suite_text)
        code, out, err = bench_in_a_process("run", folder / "small.toml", "--out", folder / "run")
        assert code == 0, err
        (folder / "out.txt").write_text(out)

    folder = made_once("whole run", fill)
    return folder / "run", (folder / "out.txt").read_text()


@pytest.fixture
def copied(whole, tmp_path):
    """The folder of the same run, to be changed."""
    return shutil.copytree(whole[0], tmp_path / "copied", ignore=shutil.ignore_patterns(".lock"))


def test_a_run_leaves_records_tables_and_plots_and_nothing_else(whole):
    folder, _ = whole
    names = ("cost_curves", "accuracy_curves", "epoch_seconds", "time_ratio")
    plots = {f"{name}.{kind}" for name in names for kind in ("png", "svg")}
    tables = {"records.jsonl", "run.json", "epochs.csv", "summary.csv", "summary.md", "report.html"}
    assert {path.name for path in folder.iterdir()} - {".lock"} == plots | tables


def test_the_tables_hold_what_was_promised(whole):
    folder, _ = whole
    summary = pd.read_csv(folder / "summary.csv")
    assert set(summary.columns) >= PROMISED
    assert list(summary["seed"]) == [0, 1]
    assert set(summary["status"]) == {"ok"}
    epochs = pd.read_csv(folder / "epochs.csv")
    assert list(epochs["epoch"]) == [1, 2, 3, 1, 2, 3]
    assert list(epochs["warm_up"]) == [True, False, False] * 2
    run = json.loads((folder / "run.json").read_text())
    assert "warnings" in json.dumps(run)


def test_stdout_that_is_no_terminal_gets_plain_lines(whole):
    _, out = whole
    assert "\x1b" not in out
    assert "small seed 0: 3 epochs (0 of 6 turns done)" in out


def test_every_record_of_an_epoch_has_the_fingerprint_it_should(whole):
    records = Records.read(whole[0])
    assert len(records.epochs) == 6
    lines = map(json.loads, (whole[0] / RECORDS_NAME).read_text().splitlines())
    written = [line for line in lines if line["kind"] == "epoch"]
    assert all(epoch["batches_fingerprint"] == epoch["expected_batches_fingerprint"] for epoch in written)
    assert records.epochs["batches_fingerprint"].nunique() == 6, "each epoch has an order of its own"
    starts = {worker.parameters_fingerprint for worker in records.workers}
    assert len(starts) == 2, "each seed has parameters of its own"


def test_report_makes_the_same_tables_again(copied):
    tables = {name: (copied / name).read_bytes() for name in ("epochs.csv", "summary.csv", "summary.md", "run.json")}
    for name in tables:
        (copied / name).unlink()
    code, _, err = bench("report", copied)
    assert code == 0, err
    assert {name: (copied / name).read_bytes() for name in tables} == tables


@pytest.mark.parametrize("lines", [9, *weekly(0, 1, 2, 3, 5, 7, 13)])
def test_a_run_killed_at_any_moment_resumes_to_the_same_figures(whole, suite_path, tmp_path, lines):
    folder = tmp_path / "run"
    process = start("run", suite_path, "--out", folder)
    wait_for_lines(folder, lines)
    process.kill()
    process.communicate()
    before = (folder / RECORDS_NAME).read_bytes() if (folder / RECORDS_NAME).exists() else b""
    suite = [] if before.count(b"\n") else [suite_path]  # nothing is on disk yet that says which suite it was
    code, _, err = bench("run", *suite, "--out", folder, "--resume")
    assert code == 0, err
    after = (folder / RECORDS_NAME).read_bytes()
    assert after.startswith(before[: before.rfind(b"\n") + 1]), "a record, once written, is never changed"
    pd.testing.assert_frame_equal(figures(folder), figures(whole[0]))


def test_a_line_cut_short_is_no_record(whole, suite_path, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    content = (whole[0] / RECORDS_NAME).read_bytes()
    (folder / RECORDS_NAME).write_bytes(content[: len(content) * 2 // 3])
    assert bench("report", folder)[0] == 0
    code, _, err = bench("run", "--out", folder, "--resume")
    assert code == 0, err
    pd.testing.assert_frame_equal(figures(folder), figures(whole[0]))


def test_resuming_a_finished_run_trains_nothing(copied):
    epochs = len(Records.read(copied).epochs)
    code, _, err = bench("run", "--out", copied, "--resume")
    assert code == 0, err
    assert len(Records.read(copied).epochs) == epochs


@pytest.mark.parametrize("stop", [signal.SIGINT, *weekly(signal.SIGTERM)])
def test_an_interrupted_run_keeps_what_is_finished_and_leaves_nothing_running(suite_path, tmp_path, stop):
    folder = tmp_path / "run"
    process = start("run", suite_path, "--epochs", "2000", "--out", folder, preexec_fn=heed_ctrl_c)
    wait_for_lines(folder, 8)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(stop)
    code, _, err = finish(process)
    assert workers, "a worker was training"
    wait_until_gone(workers)
    assert code == 130
    assert f"go on with: scratchbench run --out {folder} --resume" in err
    assert "Traceback" not in err
    assert (folder / "summary.csv").exists()
    assert not (folder / ".data").exists()


def test_no_other_run_can_write_to_its_folder_and_its_workers_end_where_it_is_killed(suite_path, tmp_path):
    folder = tmp_path / "run"
    first = start("run", suite_path, "--epochs", "2000", "--out", folder)
    wait_for_lines(folder, 5)
    for arguments, message in (([], "holds something already"), (["--resume"], "another run is writing here")):
        code, out, err = bench("run", suite_path, "--epochs", "2000", "--out", folder, *arguments)
        assert (code, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1
    workers = psutil.Process(first.pid).children(recursive=True)
    assert workers
    first.kill()
    first.communicate()
    wait_until_gone(workers)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch"], "nosuch: not a suite"),
        (["--backends", "scratchnet,tensorflow"], "backend 'tensorflow' is not known; allowed: scratchnet, keras-fit"),
        (
            ["--backends", "scratchnet,scratchnet"],
            "--backends: duplicate backend 'scratchnet'; backends must be distinct",
        ),
        *(
            (["--epochs", epochs], f"--epochs: {epochs!r}; allowed: a whole number from 1 to 10000\n")
            for epochs in ("0", "-1", "10001", "1.5", "many")
        ),
        *(
            (
                ["--seeds", seeds],
                f"--seeds: {seeds!r}; allowed: 1 to 1000 distinct whole numbers from 0 to 9223372036854775807",
            )
            for seeds in ("1,x", "1,1", "-1", "", "1,", "9223372036854775808")
        ),
        (["--resume"], "--resume needs --out DIR"),
        (["--out", "/proc/nowhere/run"], "/proc/nowhere/run: cannot be made"),
        (["--nosuch"], "No such option"),
    ],
)
def test_unusable_arguments_get_one_line_and_exit_code_2(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = bench("run", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert not list(tmp_path.iterdir()), "nothing is left behind"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("inputs = 16", "inputs = 17", "has 16 features; architecture.inputs is 17"),
        ("units = 3", "units = 4", "has 3 classes; the output layer has 4 units; the data have '0', '1', '2'"),
        ("idx:", "idx:/nosuch", "/nosuch"),
        ("[[specs]]", "[[specs]]\nvalidation_fraction = 0.999", "leaves none of 60 examples"),
    ],
)
def test_a_spec_that_does_not_fit_its_data_is_refused(suite_path, tmp_path, old, new, message):
    suite_path.write_text(suite_path.read_text().replace(old, new, 1))
    code, out, err = bench("run", suite_path, "--out", tmp_path / "run")
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert out == ""
    assert not (tmp_path / "run").exists()


def test_a_resume_of_another_suite_is_refused(copied, suite_path):
    code, _, err = bench("run", suite_path, "--epochs", "5", "--out", copied, "--resume")
    assert code == 2
    assert "holds a run of another suite" in err


def test_a_full_disk_gets_a_line_and_what_was_finished_is_whole(suite_path, tmp_path):
    folder, limit = tmp_path / "run", 8_000

    def small_files_only():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    arguments = ("run", suite_path, "--epochs", "30", "--out", folder)
    code, _, err = bench_in_a_process(*arguments, preexec_fn=small_files_only)
    assert code == 2
    assert "records.jsonl: cannot be written (File too large); what was finished is kept" in err
    assert err.count("\n") == 1
    content = (folder / RECORDS_NAME).read_bytes()
    assert len(content) <= limit
    assert content.endswith(b"}\n")
    assert len(content.splitlines()) > 3


def test_a_disk_without_room_for_the_data_says_so(suite_path, tmp_path):
    def tiny_files_only():
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

    arguments = ("run", suite_path, "--out", tmp_path / "run")
    code, _, err = bench_in_a_process(*arguments, preexec_fn=tiny_files_only)
    assert (code, err.count("\n")) == (2, 1)
    assert "cannot be written (File too large)" in err


def test_validation_examples_are_held_out_of_training(suite_path, tmp_path):
    suite_path.write_text(suite_path.read_text().replace("[[specs]]", "[[specs]]\nvalidation_fraction = 0.25"))
    code, _, err = bench("run", suite_path, "--seeds", "0", "--out", tmp_path / "run")
    assert code == 0, err
    epochs = pd.read_csv(tmp_path / "run" / "epochs.csv")
    assert epochs["validation_accuracy"].between(0, 1).all()
    trained = (epochs["samples_per_second"] * epochs["epoch_seconds"]).round().astype(int)
    assert set(trained) == {45}


@pytest.mark.parametrize("restore", ["true", "false"])
def test_early_stopping_ends_a_backend_and_can_keep_its_best_epoch(tmp_path, suite_text, restore):
    """No epoch improves on the first by 9: with a patience of 2 the third is the last."""
    stopping = f'{{ monitor = "train_cost", patience = 2, min_delta = 9.0, restore_best = {restore} }}'
    text = suite_text.replace("epochs = 3", f"epochs = 8\nearly_stopping = {stopping}").replace("[0, 1]", "[0]")
    (tmp_path / "stopping.toml").write_text(text)
    code, _, err = bench("run", tmp_path / "stopping.toml", "--out", tmp_path / "run")
    assert code == 0, err
    records = Records.read(tmp_path / "run")
    assert [(one.epoch, one.stopped) for one in records.epochs.itertuples()] == [(1, False), (2, False), (3, True)]
    kept = 1 if restore == "true" else 3
    assert [result.final_epoch for result in records.results] == [kept]
    of_epochs = [one.test_accuracy for one in records.epochs.itertuples() if one.epoch == kept]
    assert summary_table(records)["test_accuracy"].tolist() == of_epochs
    assert [accuracy_of(result, tmp_path / "run") for result in records.results] == of_epochs


def accuracy_of(result, folder):
    """Accuracy of the predictions that the result record holds, against the labels of the data set."""
    source = Records.read(folder).run.suite.specs[0].data
    predicted = np.frombuffer(zlib.decompress(base64.b64decode(result.test_predictions)), "<u2")
    return float(np.mean(predicted == load_dataset(source).y_test))


def test_a_resume_is_refused_where_any_of_several_data_has_changed(suite_text, idx_folder, tmp_path):
    folder = tmp_path / "data"
    shutil.copytree(idx_folder, folder)
    one = suite_text.replace(str(idx_folder), str(folder)).replace("[0, 1]", "[0]")
    spec = one[one.index("[[specs]]") :].replace('"small"', '"part"')
    part = spec.replace(f'"idx:{folder}"', f'{{ source = "idx:{folder}", train_examples = 20 }}')
    (tmp_path / "two.toml").write_text(one + part)
    assert bench("run", tmp_path / "two.toml", "--out", tmp_path / "run")[0] == 0
    images = folder / "train-images-idx3-ubyte"
    content = images.read_bytes()
    images.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # the last example is in the first spec's data only
    code, _, err = bench("run", "--out", tmp_path / "run", "--resume")
    assert (code, err.count("\n")) == (2, 1)
    assert "not those that this run began with; start a new run" in err
    run = Records.read(tmp_path / "run").run
    assert len({run.fingerprint_of(each.data) for each in run.suite.specs} - {None}) == 2


@pytest.mark.parametrize("how", ["removed", "replaced", *weekly("moved")])
def test_a_run_folder_that_goes_away_is_noticed_at_the_next_record(how, suite_path, tmp_path):
    folder = tmp_path / "run"
    process = start("run", suite_path, "--epochs", "10000", "--out", folder)
    wait_for_lines(folder, 5)
    workers = psutil.Process(process.pid).children(recursive=True)
    if how == "removed":
        (folder / RECORDS_NAME).unlink()
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.rename(tmp_path / "elsewhere")
    if how == "replaced":
        shutil.copytree(tmp_path / "elsewhere", folder)
    code, _, err = finish(process)
    assert (code, err.count("\n")) == (2, 1)
    assert f"{folder / RECORDS_NAME}: was removed or replaced during the run" in err
    wait_until_gone(workers)
