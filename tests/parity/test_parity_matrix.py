"""The parity matrix: which cells it has, that it finds what differs, and that nothing of it is left out in silence."""

import json
import math
from contextlib import suppress
from itertools import combinations, product

import pytest
from click.testing import CliRunner
from covering import weekly

from bench.cli import main
from bench.core.errors import UnusableError
from bench.parity import matrix
from bench.parity.cells import (
    AXES,
    OPTIMIZERS,
    ParityCell,
    ParityOutcome,
    all_cells,
    covering_cells,
    extra_cells,
    groups,
    spec_of,
)
from bench.parity.extras import EXTRAS
from bench.parity.report import verdict, write_tables
from scratchnet import optimizers
from scratchnet.activations import ACTIVATIONS
from scratchnet.initializers import INITIALIZERS
from scratchnet.losses import LOSSES
from scratchnet.schedules import SCHEDULES

SOME = [
    ParityCell("adam", "huber", "gelu", "l1_l2", "shorter", "orthogonal"),
    ParityCell("nesterov", "sparse_categorical_crossentropy", "softmax", "l2", "full", "he_normal"),
    ParityCell(extra="dropout and weights"),
]


def test_every_name_of_scratchnet_stands_on_an_axis():
    assert AXES["loss"] == tuple(LOSSES)
    assert AXES["activation"] == tuple(ACTIVATIONS)
    assert AXES["initializer"] == tuple(INITIALIZERS)
    assert {rule.get("name", "sgd") for rule in OPTIMIZERS.values()} == set(optimizers.OPTIMIZERS)
    rates = [one["optimizer"]["learning_rate"] for one in EXTRAS.values() if "optimizer" in one]
    assert {rate["name"] for rate in rates if isinstance(rate, dict)} == set(SCHEDULES)


def test_the_whole_matrix_is_the_product_and_the_extras():
    cells = all_cells()
    assert len(cells) == len(set(cells)) == len(list(product(*AXES.values()))) + len(EXTRAS)


def test_in_the_selection_every_pair_of_values_meets():
    met = {pair for cell in covering_cells() if not cell.extra for pair in combinations(enumerate(cell[:6]), 2)}
    values = [[(place, value) for value in names] for place, names in enumerate(AXES.values())]
    wanted = {pair for first, second in combinations(values, 2) for pair in product(first, second)}
    assert met == wanted
    assert len(covering_cells()) < 200
    assert set(extra_cells()) <= set(covering_cells())


def test_a_group_shares_its_graph_and_no_cell_is_lost():
    cells = all_cells()
    assert [cell for group in groups(cells) for cell in group] == cells
    for group in list(groups(cells))[::500]:
        specs = [spec_of(cell).model_dump(exclude={"architecture"}) for cell in group]
        assert all(spec == specs[0] for spec in specs)


@pytest.mark.parametrize(
    "cell", [*(ParityCell(last_batch=name) for name in AXES["last_batch"]), *extra_cells()], ids=str
)
def test_every_cell_takes_200_steps_in_float64(cell):
    spec = spec_of(cell)
    steps = spec.epochs * -(-spec.data.train_examples // spec.batch_size)
    assert steps >= 200
    assert spec.dtype == "float64"


@pytest.fixture
def worker():
    pytest.importorskip("tensorflow")
    return pytest.importorskip("bench.parity.worker")


@pytest.fixture(autouse=True)
def _two_threads(monkeypatch):
    """TensorFlow takes one thread budget for the life of a process: it is the same wherever a test trains with it."""
    with suppress(ImportError):
        monkeypatch.setattr("bench.parity.worker.THREADS", 2)


def test_cells_agree(worker):
    for cell in SOME:
        (outcome,) = worker.run([cell])
        assert outcome.status == "agrees", outcome
        assert outcome.difference < 1e-11
        assert outcome.steps >= 200


def test_a_bias_correction_without_its_power_differs(worker, monkeypatch):
    monkeypatch.setattr(optimizers.Adam, "corrected_rate", lambda self, rate, t: rate)
    (outcome,) = worker.run([ParityCell("adam")])
    assert outcome.status == "differs"
    assert outcome.difference > 1e-3
    assert "two Keras runs differ by" in outcome.reason


def test_a_sign_that_is_decided_by_rounding_is_told_as_such(worker):
    """All weights start at 0, and l1's slope is the sign of what is left of a sum that should be 0."""
    cell = ParityCell("sgd", "categorical_crossentropy", "softmax", "l1", "full", "zeros")
    (outcome,) = worker.run([cell])
    assert outcome.status == "ill_conditioned"
    assert 1e-10 < outcome.difference < 1e-4


@pytest.mark.parametrize(
    "cell",
    [
        ParityCell("momentum", "mean_absolute_error", "softplus", "l1", "full", "zeros"),
        *weekly((ParityCell("adam", "summed_binary_crossentropy", "softmax", "none", "full", "zeros"),)),
    ],
    ids=str,
)
def test_where_roundings_grow_a_slip_is_found_all_the_same(worker, monkeypatch, cell):
    (outcome,) = worker.run([cell])
    assert outcome.status == "ill_conditioned", outcome
    made = worker._made

    def slipped(kind, spec, parameters):
        rate = spec.optimizer.learning_rate * (1.00001 if kind is worker.Scratchnet else 1.0)
        return made(
            kind,
            spec.model_copy(update={"optimizer": spec.optimizer.model_copy(update={"learning_rate": rate})}),
            parameters,
        )

    monkeypatch.setattr(worker, "_made", slipped)
    (outcome,) = worker.run([cell])
    assert outcome.status == "differs"
    assert "differ by 1.0e-05" in outcome.reason


def test_a_fault_is_told_and_the_others_go_on(worker, monkeypatch):
    made = worker._made
    monkeypatch.setattr(worker, "_made", lambda *given: 1 / 0 if given[1].loss == "huber" else made(*given))
    first, second = worker.run([SOME[0], ParityCell()])
    assert (first.status, first.reason) == ("failed", "ZeroDivisionError: division by zero")
    assert second.status == "agrees"


OUTCOMES = [
    ParityOutcome(ParityCell(), "agrees", 3e-14, 7, 202),
    ParityOutcome(
        ParityCell("adam", initializer="zeros"), "ill_conditioned", 2e-7, 4, 200, "Keras parts from itself by 3e-7"
    ),
    ParityOutcome(ParityCell(extra="dropout | <b>"), "differs", 0.5, 1, 200, "it `does`"),
]


def test_tables_say_all_there_is(tmp_path):
    sentence = write_tables(OUTCOMES, 5, tmp_path)
    assert sentence == (
        "1 of 5 cells agree, their costs to 3.0e-14 or better in every step;"
        " 1 ill conditioned; 1 differs; 2 not trained"
    )
    text = (tmp_path / "parity.md").read_text()
    assert "## Cells that do not agree: 2" in text
    assert "dropout \\| &lt;b&gt;" in text
    assert json.loads((tmp_path / "parity.json").read_text())["status"] == {
        "agrees": 1,
        "ill_conditioned": 1,
        "differs": 1,
    }
    first = (tmp_path / "parity.csv.gz").read_bytes()
    write_tables(OUTCOMES[::-1], 5, tmp_path)
    assert (tmp_path / "parity.csv.gz").read_bytes() == first


def test_a_verdict_without_any_agreement():
    assert verdict(OUTCOMES[1:2], 1).startswith("0 of 1 cells agree")


def test_a_matrix_goes_on_where_it_was_cut_short(tmp_path, monkeypatch):
    trained = []

    def outcomes(some_groups, jobs, log):
        for group in some_groups:
            trained.extend(group)
            yield [ParityOutcome(cell, "agrees", 1e-15, 1, 200) for cell in group]

    monkeypatch.setattr(matrix, "_outcomes", outcomes)
    cells, heard = extra_cells()[:6], []
    matrix.train(cells[:4], tmp_path, 1, heard.append)
    with (tmp_path / matrix.LOG_NAME).open("a") as log:
        log.write('{"optimizer": "sg')
    assert len(matrix.read_log(tmp_path)) == 4
    matrix.train(cells, tmp_path, 1, heard.append)
    assert trained == cells
    assert [outcome.cell for outcome in matrix.read_log(tmp_path)] == cells


def test_a_log_of_something_else_is_named(tmp_path):
    (tmp_path / matrix.LOG_NAME).write_text('{"spec": 1}\n')
    with pytest.raises(UnusableError, match=r"cells\.jsonl:1: not an outcome of the parity matrix"):
        matrix.read_log(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "repeats the outcome record of line 1"),
        ({"optimizer": "adam", "difference": math.nan}, "difference: must be a finite number, not nan"),
        ({"optimizer": "adam", "difference": -1.0}, "difference: must be greater than or equal to 0, not -1.0"),
        ({"optimizer": "adam", "status": "well"}, "status: must be 'agrees'"),
    ],
)
def test_a_line_of_the_log_that_cannot_be_is_refused_with_its_place(tmp_path, changes, said):
    row = ParityOutcome(ParityCell(), "agrees", 1e-15, 1, 200).row
    (tmp_path / matrix.LOG_NAME).write_text(f"{json.dumps(row)}\n{json.dumps(row | changes)}\n")
    with pytest.raises(UnusableError, match=r"cells\.jsonl:2: ") as raised:
        matrix.read_log(tmp_path)
    assert said in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1


def test_the_command_ends_with_1_where_a_cell_differs(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.parity.command.covering_cells", lambda: tuple(outcome.cell for outcome in OUTCOMES))
    monkeypatch.setattr(matrix, "_outcomes", lambda some_groups, jobs, log: iter([OUTCOMES]))
    result = CliRunner().invoke(main, ["parity", "--out", str(tmp_path / "new")])
    assert result.exit_code == 1
    assert "1 of 3 cells agree" in result.stdout
    again = CliRunner().invoke(main, ["parity", "--out", str(tmp_path / "new")])
    assert again.exit_code == 2
    assert "holds something already" in again.output


def test_a_whole_command_in_processes_of_its_own(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow")
    monkeypatch.setattr(
        "bench.parity.command.covering_cells", lambda: (ParityCell(), ParityCell(initializer="lecun_normal"))
    )
    result = CliRunner().invoke(main, ["parity", "--out", str(tmp_path / "new"), "--jobs", "1"])
    assert result.exit_code == 0, result.output
    assert "2 of 2 cells agree" in result.stdout
