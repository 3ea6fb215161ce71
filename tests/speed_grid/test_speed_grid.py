"""`scratchbench speed` on planted seconds: which peer is the fastest, when is enough measured, and what is said."""

import json
import math
from types import SimpleNamespace

import pytest
from rich.console import Console

from bench import cli
from bench.backends import floors
from bench.backends.floors import arithmetic_seconds, operations
from bench.backends.registry import BACKENDS, FLOORS
from bench.core.errors import UnusableError
from bench.core.progress import Progress
from bench.data import load_dataset
from bench.history.files import read_speed
from bench.spec import DataSpec
from bench.speed import command, report, rounds
from bench.speed.grid import ACTIVATIONS, ARCHITECTURES, BATCH_SIZES, OPTIMIZERS, Grid, GridCell
from bench.speed.observations import Observation, Observed
from bench.speed.outcome import SpeedOutcome
from bench.workers import client
from scratchnet import engine

CELL = GridCell("784-30-10", 32)


def observation(backend, number, seconds, cell=CELL, costs=(0.4, 0.3), **more):
    turns = dict(enumerate(seconds, 1))
    values = {"round": number, **cell._asdict(), "backend": backend, "predict_seconds": turns} | more
    return Observation(**values, epoch_seconds=turns, costs=costs)


def outcome(*observations):
    observed = Observed(
        optimizer="sgd",
        dtype="float32",
        threads=2,
        environment={"warnings": ["planted warning"]},
        gemm_rates={1: 1e11, 2: 2e11},
        observations=observations,
    )
    return SpeedOutcome(observed, 60_000)


def planted(scatter=0.01, **factors):
    """Four rounds: scratchnet takes 1 s, the others that many seconds, each round a little more or less."""
    found = []
    for number in range(1, 5):
        found.append(observation("scratchnet", number, (1.0, 1.0)))
        for name, factor in factors.items():
            seconds = factor * math.exp(scatter * (-1) ** number)
            found.append(observation(name.replace("_", "-"), number, (seconds, seconds)))
    return outcome(*found)


def test_the_grid_is_every_architecture_at_every_batch_size():
    cells = Grid().cells
    assert len(cells) == len(set(cells)) == len(ARCHITECTURES) * len(BATCH_SIZES)
    for optimizer in OPTIMIZERS:
        specs = [Grid(optimizer=optimizer).spec(cell) for cell in cells]
        assert [spec.architecture.title for spec in specs] == [cell.architecture for cell in cells]
        assert [spec.batch_size for spec in specs] == [cell.batch_size for cell in cells]


def test_the_grid_has_every_activation_that_is_asked_for():
    grid = Grid(("784-128-10",), (128,), activations=ACTIVATIONS)
    assert [str(cell) for cell in grid.cells] == [
        "784-128-10 M=128",
        "784-128-10 sigmoid M=128",
        "784-128-10 tanh M=128",
        "784-128-10 gelu M=128",
        "784-128-10 silu M=128",
    ]
    for cell in grid.cells:
        activations = [layer.activation for layer in grid.spec(cell).architecture.layers]
        assert activations == [cell.activation, "softmax"]


def test_cells_of_two_activations_are_told_apart(tmp_path):
    gelu = GridCell(CELL.architecture, CELL.batch_size, "gelu")
    found = outcome(
        observation("scratchnet", 1, (1.0,)),
        observation("jax-scan", 1, (2.0,)),
        observation("scratchnet", 1, (1.0,), gelu),
        observation("jax-scan", 1, (4.0,), gelu),
    )
    assert list(report.summary(found)["cell"]) == ["784-30-10 M=32", "784-30-10 gelu M=32"]
    assert [cell.get("activation") for cell in report.as_json(found)] == [None, "gelu"]
    assert [cell["time_ratio"] for cell in report.as_json(found)] == [0.5, 0.25]
    assert [axes.get_title("left") for axes in report.plot(found).axes] == ["784-30-10 M=32", "784-30-10 gelu M=32"]
    found.observed.model_copy(update={"started": "2026-01-01T00:00:00+00:00"}).save(tmp_path)
    report.write(found, [], tmp_path)
    cells = [point.key.cell for point in read_speed(tmp_path / "speed.json")]
    assert cells == ["784-30-10 M=32 sgd float32", "784-30-10 gelu M=32 sgd float32"]


def test_a_record_without_an_activation_is_of_relu(tmp_path):
    observed = planted(jax_scan=1.25).observed
    content = json.loads(observed.model_dump_json())
    for one in content["observations"]:
        del one["activation"]
    (tmp_path / "observations.json").write_text(json.dumps(content))
    assert Observed.read(tmp_path) == observed


def test_the_fastest_peer_is_the_one_beside_which_scratchnet_looks_worst():
    (cell,) = planted(jax_scan=1.25, keras_fit=10.0, products=0.8).cells
    assert cell.fastest.name == "jax-scan"
    assert cell.fastest.ratio.centre == pytest.approx(0.8, rel=0.02)
    assert cell.product_floor.ratio.centre == pytest.approx(1.25, rel=0.02)
    assert [peer.name for peer in cell.peers] == ["keras-fit", "jax-scan"]


@pytest.mark.parametrize(("scatter", "decided"), [(0.005, True), (0.2, False)])
def test_a_cell_is_decided_where_the_interval_over_processes_is_narrow(scatter, decided):
    (cell,) = planted(scatter, jax_scan=1.25).cells
    assert cell.is_decided == decided


def test_many_epochs_of_one_process_decide_nothing():
    once = outcome(observation("scratchnet", 1, (1.0,) * 50), observation("jax-scan", 1, (2.0,) * 50))
    assert not once.cells[0].is_decided
    assert once.cells[0].fastest.ratio.low is None


def test_only_peers_near_the_fastest_are_measured_on():
    (cell,) = planted(jax_scan=1.25, tf_xla=1.4, keras_fit=10.0).cells
    names = ["scratchnet", "keras-fit", "tf-xla", "jax-scan", "products"]
    assert cell.contenders(names) == ["scratchnet", "tf-xla", "jax-scan", "products"]


def test_a_peer_that_does_not_learn_the_same_has_no_figure():
    seen = [observation("scratchnet", 1, (1.0,)), observation("jax-scan", 1, (0.5,), costs=(0.4, 0.35))]
    (cell,) = outcome(*seen, observation("tf-xla", 1, (2.0,))).cells
    assert cell.fastest.name == "tf-xla"
    assert "costs are not those of scratchnet" in next(p.reason for p in cell.peers if p.name == "jax-scan")


def test_a_lost_peer_is_named_with_its_reason():
    lost = observation("torch-compile", 1, (), status="skipped", reason="no C++ compiler")
    found = outcome(observation("scratchnet", 1, (1.0,)), observation("jax-scan", 1, (2.0,)), lost)
    assert report.reasons(found) == ["torch-compile: skipped: no C++ compiler"]
    assert "skipped: no C++ compiler" in report.markdown(found, [])


def test_the_first_sentence_names_the_worst_cell_and_the_geometric_mean():
    other = GridCell("784-128-10", 128)
    seen = [
        observation("scratchnet", 1, (1.0,)),
        observation("jax-scan", 1, (4.0,)),
        observation("scratchnet", 1, (1.0,), other),
        observation("tf-xla", 1, (1.0,), other),
    ]
    sentence = outcome(*seen).sentence
    assert "1.00 times the seconds of the fastest peer in the worst cell (784-128-10 M=128, tf-xla)" in sentence
    assert "0.50 times in the geometric mean of 2 cells" in sentence
    assert "too noisy or too few rounds (1) for ±3%" in sentence


def test_the_json_has_what_a_gate_reads():
    (cell,) = report.as_json(planted(jax_scan=1.25, products=0.8))
    assert cell["architecture"] == "784-30-10"
    assert (cell["batch_size"], cell["fastest_peer"]) == (32, "jax-scan")
    assert cell["time_ratio_low"] < cell["time_ratio"] < cell["time_ratio_high"]
    assert cell["product_floor_ratio"] == pytest.approx(1.25, rel=0.02)
    assert cell["arithmetic_floor_seconds"] == pytest.approx(arithmetic_seconds(Grid().spec(CELL), 60_000, 2e11))


def test_operations_are_those_of_the_products():
    products = [(30, 785), (30, 785), (10, 31), (10, 31), (10, 31)]  # two of the first layer, three of the second
    assert operations(Grid().spec(CELL), 7) == 2 * 7 * sum(n * k for n, k in products)


def test_the_rate_is_that_of_the_faster_product(monkeypatch):
    asked = []

    def planted_way(rate):
        return lambda *given: asked.append(given) or rate

    monkeypatch.setattr(floors, "WAYS", {"blas": planted_way(98e9), "tile": planted_way(107e9)})
    assert floors.product_rate("float64", 2, 0.1) == (107e9, "tile")
    monkeypatch.setattr(floors, "WAYS", {"blas": planted_way(98e9), "tile": planted_way(72e9)})
    assert floors.product_rate("float64", 2, 0.1) == (98e9, "blas")
    assert asked == [("float64", 2, 0.1)] * 4


def test_the_engines_product_has_a_rate_where_numba_is_installed():
    assert ("tile" in floors.WAYS) == ("numba" in engine.installed())


@pytest.mark.parametrize("way", floors.WAYS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_rate_is_operations_over_the_seconds_of_the_products_that_were_done(way, dtype, monkeypatch):
    """The clock is planted: the fastest run of all takes 0.5 s."""
    work = {"blas": 2 * 1024**3, "tile": 2 * 128 * 256 * 768 * floors.TILE_TIMES * 2}
    ticks = iter([0.0, 0.0, 2.0, 2.0, 2.5, 2.5, 4.0, 9.0])
    monkeypatch.setattr(floors, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    assert floors.WAYS[way](dtype, 2, 3.0) == work[way] / 0.5


def test_the_record_says_which_product_the_floor_is_from():
    found = planted(jax_scan=1.25).observed.model_copy(update={"rate_products": {1: "blas", 2: "tile"}})
    assert "at the best rate of scratchnet's own product in this run" in report.markdown(
        SpeedOutcome(found, 60_000), []
    )
    assert "at the best rate of BLAS in this run" in report.markdown(planted(jax_scan=1.25), [])


def test_what_was_observed_is_read_back(tmp_path):
    observed = planted(jax_scan=1.25).observed
    observed.save(tmp_path)
    assert Observed.read(tmp_path) == observed


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"{", "not valid JSON"), (b"{}", "is missing"), (b'{"schema_version": 2}', "schema_version")],
)
def test_a_file_of_observations_that_cannot_be_read_is_named(tmp_path, content, message):
    (tmp_path / "observations.json").write_bytes(content)
    with pytest.raises(UnusableError, match=rf"observations\.json: .*{message}"):
        Observed.read(tmp_path)


def test_the_first_prediction_of_a_process_is_no_time_of_predict():
    ours = observation("scratchnet", 1, (1.0, 1.0, 1.0), predict_seconds={1: 9.0, 2: 1.0, 3: 1.0})
    peer = observation("jax-scan", 1, (2.0, 2.0, 2.0), predict_seconds={1: 3.0, 2: 4.0, 3: 4.0})
    left_early = observation("sklearn", 1, (5.0,), predict_seconds={1: 0.1})
    peers = {found.name: found for found in outcome(ours, peer, left_early).cells[0].peers}
    assert peers["jax-scan"].predict_ratio.centre == pytest.approx(0.25)
    assert peers["sklearn"].predict_ratio is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"epoch_seconds": {"1": math.nan}}, r"observations\.1\.epoch_seconds\.1: must be a finite number, not nan"),
        ({"predict_seconds": {"2": -1.0}}, r"observations\.1\.predict_seconds\.2: must be greater than 0, not -1\.0"),
        ({"backend": "scratchnet"}, r"duplicate observation \(1, '784-30-10 M=32', 'scratchnet'\); remove"),
    ],
)
def test_what_cannot_have_been_observed_is_refused_with_its_place(tmp_path, changes, said):
    planted(jax_scan=1.25).observed.save(tmp_path)
    path = tmp_path / "observations.json"
    content = json.loads(path.read_text())
    content["observations"][1] |= changes
    path.write_text(json.dumps(content))
    with pytest.raises(UnusableError, match=said):
        Observed.read(tmp_path)


def test_a_report_is_written_whole(tmp_path):
    found = planted(jax_scan=1.25, keras_fit=10.0, products=0.8)
    report.write(found, ["torch: not installed; pip install torch"], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"speed.json", "speed.md", "speed.png", "speed.svg"}
    text = (tmp_path / "speed.md").read_text()
    for part in (found.sentence, "jax-scan", "planted warning", "pip install torch", "0.80 (0.7"):
        assert part in text
    assert json.loads((tmp_path / "speed.json").read_text()) == report.as_json(found)


class PlantedProcess:
    """Answers as a worker does; `jax-scan` starts from other parameters, `tf-xla` is lost in its first turn."""

    def __init__(self, job, log, limit):
        self._target = job.target
        parameters = rounds.Plan(job.spec, job.seed).initial_parameters()
        self._fingerprint = rounds.parameters_fingerprint(parameters)

    def ready(self):
        return {"parameters_fingerprint": "other" if "jax" in self._target else self._fingerprint}

    def time(self, epoch):
        if "tf_epoch:TfXla" in self._target and epoch > 1:
            raise client.WorkerLostError("killed", "killed by SIGKILL")
        return {"epoch_seconds": 1.0, "train_cost": 0.5}

    def ask(self, request, when):
        return getattr(self, request.method)(request.epoch)

    def predict(self, _):
        return {"predict_seconds": 0.1}

    def close(self):
        pass


def test_a_process_trains_predicts_and_shows_its_batches(tmp_path):
    load_dataset(DataSpec()).save(tmp_path)
    job = client.job_of("scratchnet", Grid().spec(CELL), 0, tmp_path, 1)
    with client.WorkerClient("scratchnet", job, tmp_path / "log", 60.0) as one:
        assert one.ready() is not None
        one.time(1)
        one.predict()
        one.check_batches("not these")
    assert (len(one.epochs), len(one.predictions)) == (1, 1)
    assert one.lost == ("not_comparable", "it did not consume the plan's batches")


@pytest.mark.parametrize(("consumed", "lost"), [("the plan's", None), ("others", "not_comparable")])
def test_a_backend_that_consumes_other_batches_has_no_ratio(tmp_path, monkeypatch, consumed, lost):
    monkeypatch.setattr(client, "WorkerProcess", PlantedProcess)
    monkeypatch.setattr(
        PlantedProcess, "fingerprint", lambda self, epoch: {"batches_fingerprint": consumed}, raising=False
    )
    job = client.job_of("tf-graph", Grid().spec(Grid().cells[0]), 0, tmp_path, 2)
    one = client.WorkerClient("tf-graph", job, tmp_path / "log", 1.0)
    one.check_batches("the plan's")
    assert (one.lost and one.lost[0]) == lost


def test_a_round_goes_on_where_a_process_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "WorkerProcess", PlantedProcess)
    monkeypatch.setattr(rounds, "REST_SECONDS", 0)
    grid = Grid(("784-30-10",), (32, 128))
    setting = rounds.Setting(grid, 2, tmp_path, None, tmp_path, Progress(Console(quiet=True)))
    every = ("scratchnet", "jax-scan", "tf-xla", "tf-graph", "products")
    names = dict.fromkeys(grid.cells, every)
    seen = list(rounds.round_of(setting, 2, names))
    assert len(seen) == 10
    assert {o.backend for o in seen if o.status == "killed"} == {"tf-xla"}
    of_first = {o.backend: o for o in seen[:5]}
    assert of_first["tf-graph"].epoch_seconds == {1: 1.0, 2: 1.0, 3: 1.0}
    assert of_first["jax-scan"].status == "not_comparable"
    assert (of_first["tf-xla"].status, of_first["tf-xla"].reason) == ("killed", "killed by SIGKILL")
    assert {o.backend for o in seen[5:] if o.status == "ok"} == {"scratchnet", "tf-graph", "products"}


class Clock:
    """Stands where nothing moves it; a planted process takes 2 s to start and 5 s for its first epoch."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now

    def sleep(self, seconds):
        self.now += 1000.0  # a rest is nobody's time


@pytest.mark.parametrize("lost", [False, True])
def test_the_first_epoch_is_timed_from_the_start_of_a_process_that_has_the_machine_to_itself(
    tmp_path, monkeypatch, lost
):
    clock, said = Clock(), []

    class Clocked(PlantedProcess):
        def __init__(self, job, log, limit):
            super().__init__(job, log, limit)
            said.append(("started", job.target))

        def ready(self):
            clock.now += 2.0
            return super().ready()

        def time(self, epoch):
            clock.now += 5.0
            said.append((f"epoch {epoch}", self._target))
            if lost:
                raise client.WorkerLostError("killed", "killed by SIGKILL")
            return super().time(epoch)

    monkeypatch.setattr(client, "WorkerProcess", Clocked)
    monkeypatch.setattr(rounds, "time", clock)
    grid = Grid(("784-30-10",), (32, 128))
    setting = rounds.Setting(grid, 2, tmp_path, None, tmp_path, Progress(Console(quiet=True)))
    seen = list(rounds.round_of(setting, 2, dict.fromkeys(grid.cells, ("scratchnet", "tf-graph"))))
    assert [o.first_epoch_seconds for o in seen] == ([None] * 4 if lost else [7.0] * 4)
    for cell in range(2):
        first = said[: len(said) // 2] if cell == 0 else said[len(said) // 2 :]
        assert [what for what, _ in first[:4]] == ["started", "epoch 1"] * 2
        assert first[0][1] == first[1][1] != first[2][1] == first[3][1]


def waited(name, number, seconds):
    return observation(name, number, (1.0,), first_epoch_seconds=seconds)


def test_the_wait_for_a_first_epoch_is_that_of_rounds_with_warm_caches():
    found = outcome(
        *(waited("scratchnet", number, seconds) for number, seconds in ((1, 50.0), (2, 1.0), (3, 2.0), (4, 6.0))),
        *(waited("jax-scan", number, seconds) for number, seconds in ((1, 90.0), (2, 4.0))),
        *(waited("tf-xla", number, seconds) for number, seconds in ((1, 95.0), (2, 9.0))),
        waited("products", 2, 0.5),
    )
    (cell,) = found.cells
    assert cell.first_epoch_seconds == 2.0
    assert {peer.name: peer.first_epoch_seconds for peer in cell.peers} == {"tf-xla": 9.0, "jax-scan": 4.0}
    (row,) = report.summary(found).to_dict("records")
    assert row["first epoch, s"] == "2.0, jax-scan 4.0"
    (waits,) = report.first_epochs(found).to_dict("records")
    assert waits == {"cell": "784-30-10 M=32", "scratchnet": "2.0", "tf-xla": "9.0", "jax-scan": "4.0"}
    (written,) = report.as_json(found)
    assert written["first_epoch_seconds"] == 2.0
    assert written["peers"]["jax-scan"]["first_epoch_seconds"] == 4.0
    text = report.markdown(found, [])
    assert report.first_epochs(found).to_markdown(index=False, disable_numparse=True) in text
    assert len(report.terminal_tables(found)) == 3


def test_a_run_without_warm_rounds_or_of_an_older_version_has_no_wait():
    for found in (outcome(waited("scratchnet", 1, 50.0), waited("jax-scan", 1, 90.0)), planted(jax_scan=1.25)):
        assert found.cells[0].first_epoch_seconds is None
        assert "first epoch, s" not in report.summary(found)
        assert "first_epoch_seconds" not in report.as_json(found)[0]
        assert "process start" not in report.markdown(found, [])
        assert len(report.terminal_tables(found)) == 2


def test_a_slow_backend_takes_one_timed_turn_only(tmp_path, monkeypatch):
    class Slow(PlantedProcess):
        def time(self, epoch):
            return {"epoch_seconds": 5.0 if "KerasFit" in self._target else 1.0, "train_cost": 0.5}

    monkeypatch.setattr(client, "WorkerProcess", Slow)
    monkeypatch.setattr(rounds, "REST_SECONDS", 0)
    grid = Grid(("784-30-10",), (32,))
    setting = rounds.Setting(grid, 2, tmp_path, None, tmp_path, Progress(Console(quiet=True)))
    seen = rounds.round_of(setting, 2, {grid.cells[0]: ["scratchnet", "keras-fit", "tf-graph"]})
    assert {o.backend: len(o.epoch_seconds) for o in seen} == {"scratchnet": 3, "keras-fit": 1, "tf-graph": 3}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--backends", "nonsense"], f"'nonsense'; allowed: {', '.join(BACKENDS)}"),
        (["--architectures", "784-10"], f"'784-10'; allowed: {', '.join(ARCHITECTURES)}"),
        (["--batch-sizes", "64"], "'64'; allowed: 32, 128, 512"),
        (["--activations", "gelu,mish"], f"'mish'; allowed: {', '.join(ACTIVATIONS)}"),
        (["--optimizer", "lion"], "'lion' is not one of"),
    ],
)
def test_options_that_cannot_be_used_are_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["speed", *arguments])
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "grid"),
    [
        ([], Grid()),
        (["--dtype", "float64"], Grid(dtype="float64")),
        (
            [
                "--activations",
                "tanh,gelu",
                "--architectures",
                "784-128-10",
                "--batch-sizes",
                "128,512",
                "--optimizer",
                "adam",
            ],
            Grid(("784-128-10",), (128, 512), optimizer="adam", activations=("tanh", "gelu")),
        ),
    ],
)
def test_the_options_say_which_grid_is_timed(arguments, grid, monkeypatch):
    timed = []
    monkeypatch.setattr(command, "speed", lambda *given: timed.append(given) or 0)
    monkeypatch.setattr("signal.signal", lambda *given: None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["speed", *arguments])
    assert ended.value.code == 0
    assert timed == [(grid, None, False, False, None)]


@pytest.mark.parametrize(("scatter", "quick", "code"), [(0.005, False, 0), (0.3, False, 3), (0.3, True, 0)])
def test_the_exit_code_says_whether_the_machine_was_quiet_enough(scatter, quick, code):
    assert command._exit_code(planted(scatter, jax_scan=1.25), quick) == code


def test_floors_are_no_backends():
    assert not FLOORS.keys() & BACKENDS.keys()


def test_a_hostile_reason_brings_no_markup():
    reason = "<script>x</script>|[bold](javascript:x)"
    text = report.markdown(planted(a=2.0), [f"a: {reason}"])
    assert "<script" not in text
    assert "\\[bold\\](javascript" in text
