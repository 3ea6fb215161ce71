"""How a run goes: made data, who takes which turn, who is left out, what a resumed run trains, hostile records."""

import json
from types import SimpleNamespace

import numpy as np
import planted
import pytest
from click.testing import CliRunner

from bench.cli import main
from bench.core.errors import UnusableError
from bench.data import Dataset
from bench.records.log import RECORDS_NAME
from bench.scaling import command, measure, memmap, memory, options, points, synthetic_data, time_to_accuracy, turns
from bench.scaling.memmap_worker import drop_from_cache
from bench.scaling.options import PARTS, ScalingOptions
from bench.scaling.points import AXES, point, values_of
from bench.scaling.records import ScalingRecords
from bench.scaling.tables import PRODUCTS
from bench.workers import client
from bench.workers.process import WorkerLostError

TINY_EXAMPLES = 64
FAST = turns.Timing(rounds=2, rest=0.0, limit=60.0)


@pytest.fixture
def small():
    """30 random images of 784 pixels."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 784), dtype=np.uint8)
    labels = np.arange(40) % 10
    return Dataset(x[:30], labels[:30], x[30:], labels[30:], (28, 28, 1), tuple("0123456789"))


@pytest.fixture
def pieces(monkeypatch):
    monkeypatch.setattr(synthetic_data, "ROWS", 16)


def made(dataset, examples, folder):
    folder.mkdir()
    synthetic_data.write(dataset, examples, folder)
    return Dataset.open(folder)


def test_made_data_begins_with_the_rows_that_there_are(small, tmp_path, pieces):
    data = made(small, 100, tmp_path / "a")
    assert data.x_train.shape == (100, 784)
    np.testing.assert_array_equal(data.x_train[:30], small.x_train)
    np.testing.assert_array_equal(data.y_train, np.arange(100) % 30 % 10)
    np.testing.assert_array_equal(data.x_test, small.x_test)


def test_repeated_rows_are_the_same_with_noise(small, tmp_path, pieces):
    data = made(small, 90, tmp_path / "a")
    first, again, third = (np.asarray(data.x_train[start : start + 30], int) for start in (0, 30, 60))
    assert ((again != first).mean(axis=1) > 0.5).all()
    assert (again != third).any(axis=1).all()
    inside = (first > 100) & (first < 156)
    assert np.std((again - first)[inside]) == pytest.approx(synthetic_data.NOISE, rel=0.1)
    assert np.mean((again - first)[inside]) == pytest.approx(0, abs=1)


def test_a_row_is_the_same_however_many_there_are(small, tmp_path, pieces):
    fewer, more = (made(small, examples, tmp_path / str(examples)).x_train for examples in (50, 99))
    np.testing.assert_array_equal(fewer, more[:50])


def test_one_folder_of_made_data_is_there_at_a_time_and_none_at_the_end(small, tmp_path):
    data = synthetic_data.MadeData(small, tmp_path / "data")
    first = data.folder(10, 1)
    assert data.folder(10, 1) == first
    assert Dataset.open(data.folder(20, 2)).y_test.size == 2
    assert not first.exists()
    data.close()
    assert not (tmp_path / "data").exists()


def test_a_full_disk_is_said_in_one_line(small, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(synthetic_data, "write", full)
    with pytest.raises(UnusableError, match="No space left on device"):
        synthetic_data.MadeData(small, tmp_path / "data").folder(10, 1)


@pytest.mark.parametrize("axis", AXES)
def test_every_batch_of_a_point_is_whole_but_where_examples_are_the_axis(axis):
    for value in values_of(axis, False, 3):
        one = point(axis, value, 3)
        assert one.examples % one.spec.batch_size == 0 or axis == "examples"
        assert one.threads == (value if axis == "threads" else 3)


def test_the_axes_are_those_of_the_issue():
    values = {axis: sorted(values_of(axis, False, 6)) for axis in AXES}
    assert (values["width"][0], values["width"][-1]) == (64, 4096)
    assert (values["depth"][0], values["depth"][-1]) == (1, 32)
    assert (values["batch"][0], values["batch"][-1]) == (1, 8192)
    assert (values["examples"][0], values["examples"][-1]) == (1_000, 1_000_000)
    assert (values["threads"], values["dtype"]) == ([1, 2, 4, 6], [32, 64])
    assert len(point("depth", 32, 1).spec.architecture.layers) == 33


@pytest.fixture
def workers(monkeypatch):
    """Workers that never run."""
    state = planted.Workers()
    monkeypatch.setattr(client, "WorkerProcess", state.process)
    for module in (turns, time_to_accuracy):
        monkeypatch.setattr(module, "job_of", lambda name, *_: SimpleNamespace(target=name))
    return state


def measured(tmp_path, names, at=("width", 64), timing=None):
    given = turns.Turns(point(*at, 2), tmp_path, tmp_path, timing or turns.Timing(rounds=5, rest=0.0))
    return {record.backend: record for record in given.measure(names)}


def test_backends_take_turns_round_by_round(workers, tmp_path):
    found = measured(tmp_path, ["a", "b", "c"])
    rounds = [workers.trained[start : start + 3] for start in range(0, 15, 3)]
    assert [{epoch for _, epoch in one} for one in rounds] == [{1}, {2}, {3}, {4}, {5}]
    assert len({tuple(name for name, _ in one) for one in rounds}) > 1, "in random order"
    assert found["a"].warm_up_seconds == 0.5
    assert found["a"].epoch_seconds == (0.5,) * 4
    assert found["a"].peak_memory_bytes == 10**8


@pytest.mark.parametrize(("gigabytes", "together"), [(34, True), (32, False)])
def test_where_memory_is_short_they_are_measured_one_after_another(workers, tmp_path, monkeypatch, gigabytes, together):
    monkeypatch.setattr(memory, "available_bytes", lambda: gigabytes * 10**9)
    found = measured(tmp_path, ["a", "b"], ("examples", 1_000_000))
    names = [name for name, _ in workers.trained]
    assert (names == ["a"] * 5 + ["b"] * 5) != together
    assert [record.together for record in found.values()] == [together] * 2


def test_a_point_that_does_not_fit_in_memory_is_left_out(workers, quiet, tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 10**9 // 5)
    records, _ = run(tmp_path / "run", ("dtype",))
    assert {one.reason for one in records.points} == {"left out: it takes up to 0.5 GB of memory; 0.2 GB are available"}
    assert workers.trained == []


def test_a_slow_backend_takes_fewer_turns(workers, tmp_path):
    workers.seconds["slow"] = 9.0
    found = measured(tmp_path, ["slow", "fast"])
    assert (len(found["slow"].epoch_seconds), len(found["fast"].epoch_seconds)) == (2, 4)


@pytest.mark.parametrize(("epoch", "timed"), [(0, 0), (1, 0), (3, 1)])
def test_one_that_is_lost_does_not_stop_the_others(workers, tmp_path, epoch, timed):
    workers.lost["a", epoch] = WorkerLostError("killed", "killed by SIGKILL")
    found = measured(tmp_path, ["a", "b"])
    assert (found["a"].status, found["a"].reason) == ("killed", "killed by SIGKILL")
    assert len(found["a"].epoch_seconds) == timed
    assert (found["b"].status, len(found["b"].epoch_seconds)) == ("ok", 4)
    assert workers.closed == ["b", "a"]


def test_a_cost_that_is_not_finite_is_said(workers, tmp_path):
    workers.cost = None
    assert measured(tmp_path, ["a"])["a"].status == "diverged"


@pytest.mark.parametrize(
    ("axis", "cheap", "dear"), [("width", 2048, 4096), ("batch", 32, 1), ("examples", 10_000, 1_000_000)]
)
def test_one_that_was_slow_is_left_out_at_dearer_points_of_the_axis(axis, cheap, dear):
    slow = planted.point_record(axis, cheap, "sklearn", seconds=9.0)
    told = turns.too_slow([slow], point(axis, dear, 2), "sklearn", 4.0)
    assert told == f"left out: an epoch took 9.0 s at {AXES[axis].tick(cheap)}; limit 4 s"
    assert turns.too_slow([slow], point(axis, dear, 2), "scratchnet", 4.0) == ""
    assert turns.too_slow([slow], point("dtype", 64, 2), "sklearn", 4.0) == ""
    assert turns.too_slow([slow], point(axis, dear, 2), "sklearn", 10.0) == ""
    order = values_of(axis, False, 2)
    assert order.index(cheap) < order.index(dear), "an axis is measured from cheap to dear"


def test_one_that_had_no_memory_is_not_asked_for_more():
    killed = planted.point_record("examples", 100_000, status="killed", reason="killed by SIGKILL", epoch_seconds=())
    told = turns.too_slow([killed], point("examples", 1_000_000, 2), "scratchnet", 4.0)
    assert told == "left out: killed by SIGKILL at 100,000"


def test_a_race_ends_for_whoever_has_reached_the_last_target(workers, tmp_path):
    (spec,) = time_to_accuracy.networks(quick=True)
    (record,) = time_to_accuracy.Race(spec, 0, 2, tmp_path, tmp_path, FAST).run(["a"])
    assert record.test_accuracies == (0.9, 0.96, 0.975, 0.985)
    assert len(record.epoch_seconds) == 4 < spec.epochs


class Log(list):
    def expect(self, units):
        self.units = units

    def stage(self, what):
        self.append(what)

    note = stage

    def done(self, count=1):
        pass


@pytest.fixture
def quiet(monkeypatch, small):
    """No rate of BLAS, no MNIST."""
    monkeypatch.setattr(measure.Measurement, "_rate", lambda *_: None)
    monkeypatch.setattr(measure, "load_dataset", lambda _: small)
    monkeypatch.setattr(measure, "environment", SimpleNamespace(describe=dict))
    monkeypatch.setitem(points.BASE, "examples", TINY_EXAMPLES)
    monkeypatch.setattr(options, "QUICK_TIMING", turns.Timing(rounds=4, rest=0.0))


def run(folder, parts=("dtype", "threads"), names=("scratchnet",), earlier=None):
    folder.mkdir(exist_ok=True)
    log = Log()
    measure.measure(ScalingOptions.new(True, parts, names, 2), folder, log, earlier)
    return ScalingRecords.read(folder), log


def test_a_work_of_two_axes_is_measured_once(workers, quiet, tmp_path):
    records, _ = run(tmp_path / "run")
    assert {(one.axis, one.value) for one in records.points} == {
        *(("dtype", 32), ("dtype", 64), ("threads", 2), ("threads", 1))
    }
    assert sum(name == "scratchnet" for name, _ in workers.trained) == 3 * 4
    assert not (tmp_path / "run/.data").exists()


def test_a_resumed_run_measures_only_what_is_missing(workers, quiet, tmp_path):
    whole, _ = run(tmp_path / "whole")
    cut = tmp_path / "cut"
    cut.mkdir()
    lines = (tmp_path / "whole" / RECORDS_NAME).read_bytes().splitlines(keepends=True)
    (cut / RECORDS_NAME).write_bytes(b"".join(lines[:4]) + lines[4][:25])
    workers.trained.clear()
    records, log = run(cut, earlier=ScalingRecords.read(cut))
    assert [(one.axis, one.value, one.backend) for one in records.points] == [
        (one.axis, one.value, one.backend) for one in whole.points
    ]
    assert set(workers.trained) >= {(PRODUCTS, 1)}
    assert log[0] == "dtype float64"
    assert log.units == 3


def test_a_finished_run_has_nothing_left(workers, quiet, tmp_path):
    records, _ = run(tmp_path / "run", ("dtype", "accuracy"))
    again, log = run(tmp_path / "run", ("dtype", "accuracy"), earlier=records)
    assert len(again.points) == len(records.points)
    assert len(again.accuracies) == 1
    assert (log, log.units) == ([], 0)


def test_one_that_cannot_run_here_is_recorded_with_its_remedy(workers, quiet, tmp_path, monkeypatch):
    monkeypatch.setattr(measure.registry, "missing", lambda name: "pip install it" if name == "sklearn" else None)
    records, log = run(tmp_path / "run", ("dtype", "accuracy"), ("scratchnet", "sklearn"))
    skipped = [one for one in (*records.points, *records.accuracies) if one.backend == "sklearn"]
    assert [(one.status, one.reason) for one in skipped] == [("skipped", "pip install it")] * 3
    assert "dtype 32: sklearn skipped: pip install it" in log


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"nonsense\n", ":2: record: "),
        (b"\xff\xfe\n", ":2: record: "),
        (b"[1, 2]\n", ":2: record: "),
        (b'{"kind": "point", "axis": "height"}\n', ":2: axis: "),
        (b'{"kind": "virus"}\n', ":2: record: "),
        (b'{"kind": "rate", "threads": 1, "dtype": "float32", "operations_per_second": -1}\n', "operations_per_second"),
        (
            b'{"kind": "rate", "threads": 1, "dtype": "float32", "operations_per_second": 1e999}\n',
            "operations_per_second",
        ),
        (b"[" * 100_000 + b"\n", ":2: record: "),
    ],
)
def test_a_hostile_record_is_one_line(tmp_path, line, said):
    (tmp_path / RECORDS_NAME).write_bytes(planted.run_record().model_dump_json().encode() + b"\n" + line)
    result = CliRunner().invoke(main, ["scaling", "--out", str(tmp_path), "--resume"])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr


TWICE = [
    (planted.point_record("width", 64), "axis 'width', value 64, backend 'scratchnet'"),
    (planted.memmap("in memory"), "way 'in memory'"),
    (planted.race("jax-scan", [0.9]), "network '784-128-10 M=32', seed 0, backend 'jax-scan'"),
    (planted.run_record(("dtype",)), "kind 'scaling'"),
]


@pytest.mark.parametrize(("record", "told"), TWICE, ids=lambda one: getattr(one, "kind", None))
def test_a_record_that_stands_twice_is_one_line_and_exit_code_2(tmp_path, record, told):
    lines = [
        planted.run_record(),
        planted.rate(),
        planted.rate(),
        *([record] if record.kind != "scaling" else []),
        record,
    ]
    (tmp_path / RECORDS_NAME).write_text("".join(f"{one.model_dump_json()}\n" for one in lines))
    result = CliRunner().invoke(main, ["scaling", "--out", str(tmp_path), "--resume"])
    first = 1 if record.kind == "scaling" else 4
    said = (
        f"{tmp_path / RECORDS_NAME}:{len(lines)}: repeats the {record.kind} record of line {first} ({told}); remove one"
    )
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert said in result.stderr


def test_a_last_line_cut_short_is_left_out(tmp_path):
    text = planted.run_record().model_dump_json() + "\n" + planted.rate().model_dump_json()
    (tmp_path / RECORDS_NAME).write_text(text[:-9])
    assert ScalingRecords.read(tmp_path).rates == []


def test_records_of_another_kind_of_run_are_refused(tmp_path):
    (tmp_path / RECORDS_NAME).write_text(json.dumps({"kind": "run", "suite_name": "quick"}) + "\n")
    with pytest.raises(UnusableError, match=f"{RECORDS_NAME}:1: "):
        ScalingRecords.read(tmp_path)
    (tmp_path / RECORDS_NAME).write_text(planted.rate().model_dump_json() + "\n")
    with pytest.raises(UnusableError, match="does not start with the record of a scaling"):
        ScalingRecords.read(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--axes", "width,height"], f"axis 'height' is not known; allowed: {', '.join(PARTS)}"),
        (["--backends", "keras"], "backend 'keras' is not known; allowed: scratchnet"),
        (["--resume"], "--resume needs --out DIR"),
        (["--out", __file__], "cannot be made"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, said):
    result = CliRunner().invoke(main, ["scaling", *arguments])
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr


def test_a_quick_run_has_two_peers_that_are_installed(monkeypatch):
    monkeypatch.setattr(options.registry, "missing", lambda name: "gone" if name == "torch-eager" else None)
    assert ScalingOptions.new(True, None, None, 2).backends == ("scratchnet", "jax-scan", "tf-xla")
    assert len(ScalingOptions.new(False, None, None, 2).backends) >= 9


def test_a_run_is_resumed_with_the_options_it_was_begun_with(tmp_path):
    (tmp_path / RECORDS_NAME).write_text(planted.run_record(("dtype",)).model_dump_json() + "\n")
    result = CliRunner().invoke(main, ["scaling", "--out", str(tmp_path), "--resume", "--axes", "width"])
    assert result.exit_code == 2
    assert "was begun with other options" in result.stderr


def test_an_interrupted_run_reports_what_is_finished(tmp_path, monkeypatch):
    def interrupted(options, folder, watch, earlier):
        lines = [planted.run_record(), *planted.growing("width", 1.0, {"scratchnet": 1.0})]
        (folder / RECORDS_NAME).write_text("".join(line.model_dump_json() + "\n" for line in lines))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "measure", interrupted)
    result = CliRunner().invoke(main, ["scaling", "--out", str(tmp_path / "run")])
    assert result.exit_code == 130
    assert "scratchnet's seconds grow as width^1.00" in result.stdout
    assert f"go on with: scratchbench scaling --out {tmp_path / 'run'} --resume" in result.stderr


def test_a_failed_backend_is_exit_code_1(tmp_path, monkeypatch):
    def failed(options, folder, watch, earlier):
        lines = [planted.run_record(), planted.point_record("width", 64, status="failed", epoch_seconds=())]
        (folder / RECORDS_NAME).write_text("".join(line.model_dump_json() + "\n" for line in lines))

    monkeypatch.setattr(command, "measure", failed)
    assert CliRunner().invoke(main, ["scaling", "--out", str(tmp_path / "run")]).exit_code == 1


def test_training_from_a_file_reads_it_both_ways(small, tmp_path):
    made(small, 300, tmp_path / "data")
    found = list(memmap.measure(tmp_path / "data", 1, tmp_path / "log"))
    assert [(one.way, one.status, one.examples) for one in found] == [
        *(("in memory", "ok", 300), ("memory-mapped", "ok", 300))
    ]
    assert all(len(one.epoch_seconds) == 3 and one.peak_memory_bytes > 10**7 for one in found)
    assert not (tmp_path / "data/scaled.npy").exists()


def test_scaled_pixels_are_those_of_the_inputs(small, tmp_path, monkeypatch):
    monkeypatch.setattr(memmap, "ROWS", 7)
    memmap.write_scaled(small, tmp_path / "x.npy")
    drop_from_cache(tmp_path / "x.npy")
    scaled = np.load(tmp_path / "x.npy")
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled, np.divide(small.x_train, 255, dtype=np.float32))


def test_a_process_that_dies_is_a_record(small, tmp_path, monkeypatch):
    made(small, 20, tmp_path / "data")
    monkeypatch.setattr(memmap, "train", planted.dies)
    found = list(memmap.measure(tmp_path / "data", 1, tmp_path / "log"))
    assert [one.status for one in found] == ["failed"] * 2
    assert "process" in found[0].reason


def test_scratchnet_alone_from_end_to_end(small, tmp_path, monkeypatch):
    for name, value in {"width": 4, "batch_size": 16, "examples": TINY_EXAMPLES}.items():
        monkeypatch.setitem(points.BASE, name, value)
    monkeypatch.setattr(measure, "load_dataset", lambda _: small)
    monkeypatch.setattr(options, "QUICK_TIMING", FAST)
    monkeypatch.setattr(time_to_accuracy, "QUICK", {**time_to_accuracy.QUICK, "hidden": (4,), "epochs": 2})
    out = tmp_path / "run"
    arguments = ["--quick", "--backends", "scratchnet", "--axes", "dtype,accuracy", "--out", str(out)]
    result = CliRunner().invoke(main, ["scaling", *arguments])
    assert result.exit_code == 0, result.output
    records = ScalingRecords.read(out)
    assert [(one.value, one.backend, one.status) for one in records.points] == [
        (value, name, "ok") for value in (32, 64) for name in ("scratchnet", PRODUCTS)
    ]
    assert {(rate.dtype, rate.operations_per_second > 0) for rate in records.rates} == {
        *(("float32", True), ("float64", True))
    }
    assert len(records.accuracies[0].test_accuracies) == 2
    assert {"scaling-dtype.png", "scaling.md", "points.csv"} <= {path.name for path in out.iterdir()}
    assert not list(out.glob("*.log")), "nobody had anything to say"
