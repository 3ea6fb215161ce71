"""What is made of the records: exponents, tables, plots, the sentence, and the rule of MLPerf."""

import math

import numpy as np
import pandas as pd
import planted
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.text import ratio_text
from bench.scaling import convergence, report
from bench.scaling.fits import fit, upper_half
from bench.scaling.plots import figure
from bench.scaling.points import AXES, values_of
from bench.scaling.tables import ARITHMETIC, PRODUCTS, beside_fastest, exponents_table, lines, points_table

ACCURACIES = [0.93, 0.955, 0.965, 0.972, 0.976, 0.981]
NOTHING = pd.DataFrame()


@given(st.floats(-2, 2), st.floats(1e-9, 1e3), st.sampled_from(sorted(AXES)))
def test_a_planted_exponent_is_found(exponent, factor, axis):
    values = values_of(axis, False, 8)
    found = fit({value: factor * value**exponent for value in values}, upper_half(values))
    assert found.exponent == pytest.approx(exponent, abs=1e-9)
    if len(found.values) > 2:
        assert found.low == pytest.approx(exponent, abs=1e-6)
        assert found.high == pytest.approx(exponent, abs=1e-6)


def sentence_of(records):
    points = points_table(records)
    return report.finding(points, exponents_table(points), NOTHING)


def test_the_interval_holds_the_true_exponent_19_times_of_20():
    rng, values = np.random.default_rng(0), (512, 1024, 2048, 4096)
    fits = [fit({value: value**0.9 * np.exp(0.1 * rng.normal()) for value in values}, values) for _ in range(1000)]
    held = sum(one.low <= 0.9 <= one.high for one in fits)
    assert 930 <= held <= 970


@pytest.mark.parametrize(
    ("axis", "fitted"),
    [
        ("width", (512, 1024, 2048, 4096)),
        ("depth", (8, 16, 32)),
        ("batch", (128, 512, 2048, 8192)),
        ("examples", (10_000, 100_000, 1_000_000)),
        ("threads", (1, 2)),
        ("dtype", (32, 64)),
    ],
)
def test_a_fit_is_over_the_upper_half_of_an_axis_but_three_values_at_least(axis, fitted):
    assert upper_half(values_of(axis, False, 2)) == fitted


def test_overhead_at_the_lower_half_leaves_the_exponent_alone():
    values = values_of("width", False, 2)
    seconds = {value: value**0.9 if value >= 512 else 1e3 for value in values}
    assert fit(seconds, upper_half(values)).exponent == pytest.approx(0.9)


@pytest.mark.parametrize("measured", [{}, {512: 1.0}, {64: 1.0, 128: 2.0}])
def test_too_few_values_have_no_exponent(measured):
    assert fit(measured, (512, 1024)) is None


def test_seconds_are_of_60000_examples_but_on_the_axis_of_examples():
    batch, examples = planted.point_record("batch", 1), planted.point_record("examples", 1000)
    table = points_table(planted.records(batch, examples))
    assert table["epoch_seconds"].tolist()[:2] == [0.5, 0.5]
    assert table["seconds"].tolist()[:2] == [0.5 * 60_000 / 2048, 0.5]


def test_the_floors_stand_beside_the_backends():
    own, products = planted.point_record("width", 64), planted.point_record("width", 64, PRODUCTS, seconds=0.25)
    table = points_table(planted.records(own, products, planted.rate(operations_per_second=1e9), planted.rate()))
    assert table.set_index("backend")["ratio_to_products"].drop(ARITHMETIC).to_dict() == {"scratchnet": 2, PRODUCTS: 1}
    arithmetic = table[table["backend"] == ARITHMETIC].iloc[0]
    assert arithmetic["epoch_seconds"] == own.operations / 1e11, "of two rates of one run the best is BLAS's best"
    assert arithmetic["peak_memory_bytes"] == own.number_bytes == 4 * (16_384 * 794 + 785 * 64 + 65 * 10)


def test_a_floor_is_below_whatever_was_measured():
    own = planted.point_record("width", 64, seconds=0.5)
    table = points_table(planted.records(own, planted.rate(operations_per_second=1e6)))
    arithmetic = table[table["backend"] == ARITHMETIC].iloc[0]
    assert arithmetic["epoch_seconds"] == min(own.epoch_seconds)


def test_one_that_failed_has_no_figures():
    table = points_table(planted.records(planted.point_record("width", 64, status="failed", reason="it raised")))
    row = table.iloc[0]
    assert (row["status"], row["reason"], row["epochs_timed"]) == ("failed", "it raised", 3)
    assert table[["seconds", "epoch_seconds", "warm_up_seconds", "peak_memory_bytes"]].iloc[0].isna().all()
    assert lines(table, "width", "seconds") == []


def test_an_axis_on_which_all_failed_has_a_report(tmp_path):
    report.write(planted.records(planted.point_record("width", 64, status="failed", reason="it raised")), tmp_path)
    assert "failed: it raised" in (tmp_path / "scaling.md").read_text()
    assert (tmp_path / "scaling-width.png").exists()


def test_without_a_rate_there_is_no_arithmetic_floor():
    table = points_table(planted.records(planted.point_record("width", 64)))
    assert [line.backend for line in lines(table, "width", "seconds")] == ["scratchnet"]


def test_the_fastest_peer_is_found_and_a_shared_point_counts_once():
    records = [
        planted.point_record(axis, value, name, seconds)
        for axis, value in (("width", 128), ("depth", 1), ("depth", 2))
        for name, seconds in (("scratchnet", 1.0), ("tf-xla", 0.5 * value if axis == "depth" else 0.5), ("sklearn", 3))
    ]
    beside = beside_fastest(points_table(planted.records(*records)))
    assert beside["peer"].tolist() == ["tf-xla", "tf-xla"]
    assert beside["ratio"].tolist() == pytest.approx([2.0, 1.0])


ROUNDS = {
    "faster": [(1.0, 1.5), (1.1, 1.6), (1.0, 1.4)],
    "slower": [(1.5, 1.0), (1.6, 1.1), (1.4, 1.0)],
    "either": [(1.0, 1.3), (1.2, 1.0), (1.0, 1.2)],
    "one epoch": [(1.0, 9.0)],
}


@pytest.mark.parametrize(
    ("peers", "decided"),
    [
        (["faster"], "fastest"),
        (["slower"], "slower"),
        (["either"], "undecided"),
        (["one epoch"], "undecided"),
        (["faster", "either"], "undecided"),
        (["either", "slower"], "slower"),
    ],
)
def test_a_point_counts_where_the_interval_of_every_ratio_lies_below_1(peers, decided):
    own = planted.point_record("width", 64, epoch_seconds=(1.0, 1.0, 1.0))
    records = [own]
    for name, peer in zip(("tf-xla", "jax-scan"), peers, strict=False):
        seconds = tuple(theirs / mine for mine, theirs in ROUNDS[peer])
        records.append(planted.point_record("width", 64, name, epoch_seconds=seconds))
    assert beside_fastest(points_table(planted.records(*records)))["decided"].tolist() == [decided]


def test_a_peer_that_did_not_end_well_decides_nothing():
    own = planted.point_record("width", 64)
    lost = planted.point_record("width", 64, "tf-xla", seconds=0.1, status="diverged", reason="the cost is not finite")
    assert beside_fastest(points_table(planted.records(own, lost))).empty
    table = points_table(planted.records(own, lost, planted.point_record("width", 64, "jax-scan", seconds=0.6)))
    assert beside_fastest(table)["decided"].tolist() == ["fastest"]


def test_the_sentence_says_how_many_points_are_undecided():
    own = [planted.point_record("width", value, epoch_seconds=(1.0, 1.1, 1.0)) for value in (64, 128, 256, 512)]
    theirs = {64: (2.0, 2.1, 2.0), 128: (0.9, 1.2, 1.1), 256: (0.5, 0.5, 0.5), 512: (1.2, 0.9, 1.0)}
    peers = [planted.point_record("width", at, "jax-scan", epoch_seconds=seconds) for at, seconds in theirs.items()]
    sentence = sentence_of(planted.records(*own, *peers))
    assert (
        "it is the fastest at 1 of 4 points, slower than a peer at 1, undecided at 2; it stands worst at width 256, "
        in (sentence)
    )
    assert sentence.endswith("times the seconds of jax-scan")


def test_the_sentence_says_exponent_and_worst_place():
    records = [
        record
        for record in planted.growing("width", 1.0, {"scratchnet": 1.0, "jax-scan": 1.5})
        if (record.value, record.backend) != (64, "jax-scan")
    ]
    faster = planted.point_record("width", 64, "jax-scan", seconds=0.0064 / 1.3)
    sentence = sentence_of(planted.records(*records, faster))
    assert sentence == (
        "scratchnet's seconds grow as width^1.00 (1.00 to 1.00); it is the fastest at 6 of 7 points, "
        "slower than a peer at 1; it stands worst at width 64, 1.30 (1.30 to 1.30) times the seconds of jax-scan"
    )


def test_every_line_has_its_exponent():
    table = points_table(planted.records(planted.rate(), *planted.growing("width", 0.9)))
    exponents = exponents_table(table)
    seconds = exponents[exponents["quantity"] == "seconds"].set_index("backend")["exponent"]
    assert set(seconds.index) == {*planted.FACTORS, ARITHMETIC}
    assert seconds.drop(ARITHMETIC).tolist() == pytest.approx([0.9] * len(planted.FACTORS))


def test_both_panels_are_logarithmic_and_say_the_exponent():
    left, right = figure(points_table(planted.records(planted.rate(), *planted.growing("width", 0.9))), "width").axes
    assert {axes.get_xscale() for axes in (left, right)} == {axes.get_yscale() for axes in (left, right)} == {"log"}
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert "scratchnet  (0.90, 0.90 to 0.90)" in labels
    assert any(label.startswith("floor: matrix products") for label in labels)
    widths = {line.get_label().split(" ")[0]: line.get_linewidth() for line in left.get_lines()}
    assert widths["scratchnet"] == max(widths.values())
    assert not any("matrix products" in text.get_text() for text in right.get_legend().get_texts())


def test_a_line_with_one_point_is_drawn_and_says_so():
    left, _ = figure(points_table(planted.records(planted.point_record("width", 64))), "width").axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["scratchnet  (too few points)"]


def everything():
    """A run in which something of everything happened."""
    left_out = planted.point_record(
        "width", 4096, "sklearn", status="skipped", reason="left out: slow", epoch_seconds=(), peak_memory_bytes=None
    )
    missing = planted.point_record(
        "width", 64, "torch-eager", status="skipped", reason="torch | gone", epoch_seconds=(), peak_memory_bytes=None
    )
    races = [planted.race(name, ACCURACIES) for name in ("keras-fit", "scratchnet")]
    growing = planted.growing("width", 0.9, {"scratchnet": 1.0, "jax-scan": 1.2})
    memmaps = [planted.memmap("in memory"), planted.memmap()]
    return planted.records(*growing, planted.rate(), left_out, missing, *races, *memmaps)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a report of everything, and its sentence."""
    folder = tmp_path_factory.mktemp("everything")
    return folder, report.write(everything(), folder)


def test_tables_summary_and_plots_are_written(written):
    folder, sentence = written
    text = (folder / "scaling.md").read_text()
    assert text.splitlines()[2] == f"**{sentence}.**"
    assert {path.name for path in folder.iterdir()} == {
        *("points.csv", "exponents.csv", "accuracy.csv", "scaling.md", "scaling-width.png", "scaling-width.svg")
    }
    assert len(pd.read_csv(folder / "points.csv")) == 7 * 3 + 2
    assert (folder / "scaling-width.svg").read_text().startswith("<?xml")
    rows = [line for line in text.splitlines() if line.startswith(("| sk", "| torch"))]
    assert [[cell.strip() for cell in row.strip("| ").split(" | ")][1:] for row in rows] == [
        ["width", "4,096", "left out: slow"],
        ["width", "64", r"torch \| gone"],
    ]
    of_files = [line for line in text.splitlines() if "memor" in line and "5,000" in line]
    assert len(of_files) == 2, "the throughput is that of the median epoch"


def test_the_same_records_make_the_same_files(written, tmp_path):
    report.write(everything(), tmp_path)
    for path in written[0].iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name


def test_a_run_of_which_nothing_was_measured_has_a_report(tmp_path):
    sentence = report.write(planted.records(), tmp_path)
    assert sentence == "nothing was measured that says how scratchnet grows"


def row_of(table, backend, target):
    return table[(table["backend"] == backend) & (table["target"] == target)].iloc[0]


def test_seconds_to_a_target_are_those_of_the_epochs_up_to_it():
    races = [planted.race(name, ACCURACIES, seed) for name in ("keras-fit", "scratchnet") for seed in range(3)]
    row = row_of(convergence.table(races), "scratchnet", 0.97)
    assert (row["epochs"], row["finding"], row["seconds"]) == (4, "converges", 4 + 3)
    assert (row["first_epoch_extra"], row["startup_seconds"], row["reference"]) == (3, 2, "keras-fit")


@pytest.mark.parametrize(
    ("late", "finding"), [(-2, "convergence differs"), (-1, "converges"), (1, "converges"), (2, "convergence differs")]
)
def test_a_backend_whose_convergence_differs_has_no_speed(late, finding):
    reference = [0.1] * 3 + [0.96] * 4
    other = [0.1] * (3 + late) + [0.96] * 4
    table = convergence.table([planted.race("keras-fit", reference), planted.race("jax-scan", other)])
    row = row_of(table, "jax-scan", 0.95)
    assert row["finding"] == finding
    assert math.isnan(row["seconds"]) == (finding != "converges")


def test_the_mean_over_the_seeds_is_what_is_compared():
    early, late = [0.96, 0.96, 0.96], [0.1, 0.1, 0.96]
    races = [planted.race("keras-fit", one, seed) for seed, one in enumerate((early, late))]
    races += [planted.race("tf-xla", one, seed) for seed, one in enumerate((late, early))]
    assert row_of(convergence.table(races), "tf-xla", 0.95)["finding"] == "converges"


def test_a_target_that_one_seed_never_reaches_is_not_reached():
    races = [planted.race("keras-fit", ACCURACIES, 0), planted.race("keras-fit", ACCURACIES[:5], 1)]
    row = row_of(convergence.table(races), "keras-fit", 0.98)
    assert row["finding"] == "not reached"
    assert pd.isna(row["epochs"])


def test_one_that_gets_there_where_the_reference_does_not_differs():
    races = [planted.race("keras-fit", ACCURACIES[:5]), planted.race("sklearn", ACCURACIES)]
    assert row_of(convergence.table(races), "sklearn", 0.98)["finding"] == "convergence differs"


def test_without_keras_the_reference_is_scratchnet():
    missing = planted.race("keras-fit", [], status="skipped", reason="tensorflow is not installed")
    table = convergence.table([missing, planted.race("scratchnet", ACCURACIES), planted.race("jax-scan", ACCURACIES)])
    assert set(table["reference"]) == {"scratchnet"}
    assert row_of(table, "keras-fit", 0.95)["finding"] == "skipped: tensorflow is not installed"
    assert row_of(table, "jax-scan", 0.95)["finding"] == "converges"


def test_without_any_reference_nothing_has_a_speed():
    table = convergence.table([planted.race("jax-scan", ACCURACIES)])
    assert set(table["finding"]) == {"no reference: keras-fit and scratchnet were not trained"}
    assert "seconds" not in table


NO_POINTS = points_table(planted.records())


def test_a_fast_backend_that_does_not_converge_is_not_in_the_sentence():
    races = [planted.race("keras-fit", ACCURACIES, seconds=2.0), planted.race("scratchnet", ACCURACIES, seconds=0.5)]
    cheat = planted.race("sklearn", [0.99], seconds=1e-6)
    sentence = report.finding(NO_POINTS, exponents_table(NO_POINTS), convergence.table([*races, cheat]))
    assert sentence == (
        "scratchnet reaches 98% test accuracy (784-128-10 M=32) after 6.00 s of training, keras-fit after 15.0 s: "
        "time ratio 0.400 (one seed: no interval)"
    )


def test_the_seconds_to_an_accuracy_are_compared_with_an_interval_over_the_seeds():
    races = [
        planted.race(name, ACCURACIES, seed, seconds)
        for name, each in {"keras-fit": (2.0, 2.2, 1.9), "scratchnet": (0.5, 0.7, 0.4)}.items()
        for seed, seconds in enumerate(each)
    ]
    table = convergence.table([*races, planted.race("jax-scan", ACCURACIES[:5], 0)])
    row = row_of(table, "keras-fit", 0.98)
    ratios = [(6 * ours + 3) / (6 * theirs + 3) for ours, theirs in ((0.5, 2.0), (0.7, 2.2), (0.4, 1.9))]
    assert row["time_ratio"] == pytest.approx(sorted(ratios)[1])
    assert row["time_ratio_low"] < min(ratios) < max(ratios) < row["time_ratio_high"] < 1
    assert math.isnan(row_of(table, "jax-scan", 0.98)["time_ratio"])
    assert math.isnan(row_of(table, "scratchnet", 0.98)["time_ratio"])
    sentence = report.finding(NO_POINTS, exponents_table(NO_POINTS), table)
    assert sentence.endswith(f", keras-fit after 15.0 s: time ratio {ratio_text(row.to_dict())}")


def test_no_reason_in_a_csv_starts_a_formula(tmp_path):
    failed = planted.point_record("width", 64, status="failed", reason="=cmd|'/C calc'!A0")
    report.write(planted.records(failed), tmp_path)
    assert pd.read_csv(tmp_path / "points.csv")["reason"].tolist()[0] == "'=cmd|'/C calc'!A0"
