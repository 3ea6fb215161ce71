"""The noise floor: what is compared, how it is judged, and a small run of the real thing."""

import matplotlib
import numpy as np
import pytest
from click.testing import CliRunner

from bench.cli import main
from bench.noise import drift, report
from bench.noise.drift import KERAS, SCRATCHNET, Drift

STEPS = 1200


def drifts(scratchnet_over_keras, spread=0.1, seeds=8):
    """Drifts that grow to 1e-4 · e^N(0, spread), scratchnet's so many times Keras's."""
    rng, growth = np.random.default_rng(0), np.geomspace(1e-8, 1e-4, STEPS)
    return [
        Drift(activation, way, seed, growth * factor * np.exp(spread * rng.normal()), 1e-3, 0.9)
        for activation in ("relu", "tanh")
        for way, factor in [*((way, 1.0) for way in KERAS), *((way, scratchnet_over_keras) for way in SCRATCHNET)]
        for seed in range(seeds)
    ]


@pytest.mark.parametrize(
    ("factor", "spread", "seeds", "finding"),
    [
        *[(factor, 0.1, 8, "below") for factor in (0.1, 1.0, 1.5)],
        (3.0, 0.1, 8, "above"),
        (2.0, 0.1, 8, "undecided"),
        (1.0, 3.0, 3, "undecided"),
    ],
)
def test_the_finding_is_that_of_the_intervals(factor, spread, seeds, finding):
    found = drifts(factor, spread, seeds)
    assert report.finding(found) == finding
    assert report.verdict(found).startswith(report.SENTENCES[finding])


def test_the_table_has_the_largest_difference_up_to_each_mark():
    rows = report.table(drifts(1.0))
    assert (rows["to step 100"] < rows["to step 500"]).all()
    assert (rows["to step 1000"] < rows["whole epoch"]).all()
    np.testing.assert_allclose(rows["whole epoch"], [drift.differences[-1] for drift in drifts(1.0)])


def test_summary_and_plot_are_written(tmp_path):
    report.write(drifts(1.0), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["noise.csv", "noise.md", "noise.png", "noise.svg"]
    text = (tmp_path / "noise.md").read_text()
    assert all(f"| {way}" in text for way in (*KERAS, *SCRATCHNET))
    assert f"{STEPS:,} steps, 8 seeds" in text


def test_labels_of_the_axes_are_text_and_a_drift_of_0_is_said(tmp_path):
    still = [one._replace(differences=0 * one.differences) if one.way == KERAS[0] else one for one in drifts(1.0)]
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        report.write(still, tmp_path)
    text = (tmp_path / "noise.svg").read_text()
    assert "mathdefault" not in text
    assert f"{KERAS[0]} (no drift)" in text
    assert f"{KERAS[1]} (no drift)" not in text


@pytest.mark.weekly
def test_the_command_trains_every_way_in_a_process_of_its_own(tmp_path, monkeypatch):
    pytest.importorskip("tensorflow")
    for module in (drift, report):
        monkeypatch.setattr(module, "KERAS", KERAS[:1])
        monkeypatch.setattr(module, "SCRATCHNET", SCRATCHNET[:1])
    result = CliRunner().invoke(main, ["noise", "--out", str(tmp_path / "n"), "--seeds", "2", "--examples", "320"])
    assert result.exit_code in (0, 1, 3), result.output
    assert "training: scratchnet, 2 threads (2 of 3 ways done)" in result.stdout
    rows = (tmp_path / "n/noise.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * 2 * 2
    whole = [float(row.split(",")[-4]) for row in rows[1:]]
    assert max(whole) < 1e-5, "ten steps in float32 part by roundings alone"
