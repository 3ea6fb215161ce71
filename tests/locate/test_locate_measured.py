"""The numbers of docs/locate.md are those that docs/experiments/located.py measured, and they are good enough."""

import json
from pathlib import Path

import pytest
from plants import PLANTS
from unknown import CASES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def measured():
    return json.loads((DOCS / "experiments/results/located.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def page():
    return " ".join((DOCS / "locate.md").read_text("utf-8").split())


ROWS = {
    "single": ("one, everything is reported", "{cause} reproduced"),
    "steps": ("one, only steps are reported", "{cause} reproduced"),
    "unknown": ("one that the library does not hold", "{wrong_cause} wrong ones claimed"),
}


@pytest.mark.parametrize("part", ROWS)
def test_the_table_has_the_measured_numbers(measured, page, part):
    (name, cause), of = ROWS[part], measured[part]
    cells = (name, of["mistakes"], of["detected"], of["equation"], of["layer"], cause.format(**of))
    assert f"| {' | '.join(map(str, cells))} |" in page


def test_the_sentences_have_the_measured_numbers(measured, page):
    single, two = measured["single"], measured["pairs"]
    assert f"{len(single['change_nothing'])} more change nothing and {single['repeat_another']} repeat" in page
    assert f"{single['cause_alone']} of {single['mistakes']} are named alone" in page
    assert f"names in {two['one']} of {two['pairs']} pairs one of the two" in page
    assert f"it names in {two['then_the_other']} the other one" in page


def test_the_sentence_about_a_programs_mistakes_has_the_measured_numbers(measured, page):
    source = measured["source"]
    assert f"Of {source['mistakes']} such edits, {source['detected']} are detected" in page
    assert f"names the right equation for {source['equation']}, alone for {source['equation_alone']}" in page
    assert f"{source['wrong_cause']} wrong causes are claimed" in page


def test_the_sentences_about_right_networks_have_the_measured_numbers(measured, page):
    right, parity = measured["right"], measured["parity"]
    hand, compiled, numpy = (parity[name] for name in ("by_hand", "scratchnet_numba", "scratchnet_numpy"))
    assert f"{right['networks']} right networks" in page
    assert f"or only steps, give {right['false_alarms']} false alarms" in page
    networks = f"All {hand['networks']} networks of the [parity matrix](parity.md)"
    assert f"{networks}, written by hand, give {hand['false_alarms']}." in page
    alarms = f"give {compiled['false_alarms']} with compiled steps and {numpy['false_alarms']} with those of NumPy"
    assert f"own networks, {compiled['networks']} that hold every pair of values of the matrix, {alarms}" in page


def test_the_measurement_is_of_the_mistakes_of_today(measured):
    assert measured["single"]["mistakes"] > len(PLANTS)
    assert measured["unknown"]["mistakes"] == len(CASES)


def test_single_mistakes_are_found_as_promised(measured):
    single = measured["single"]
    assert single["mistakes"] >= 300
    assert set(single["layers"]) == {"all or none", "1", "2", "3", "4"}
    assert len(single["layouts"]) == 4
    assert single["detected"] == single["mistakes"]
    assert single["equation"] >= 0.98 * single["mistakes"]
    assert single["layer"] >= 0.98 * single["mistakes"]
    assert single["cause"] >= 0.9 * single["mistakes"]


def test_unknown_mistakes_and_pairs_are_found_as_promised(measured):
    unknown, two = measured["unknown"], measured["pairs"]
    assert unknown["mistakes"] >= 40
    assert unknown["equation"] >= 0.9 * unknown["mistakes"]
    assert unknown["wrong_cause"] == 0
    assert two["pairs"] >= 60
    assert two["one"] >= 0.95 * two["pairs"]
    assert two["then_the_other"] >= 0.95 * two["pairs"]


def test_mistakes_that_a_program_makes_are_found_as_promised(measured):
    source = measured["source"]
    assert source["mistakes"] >= 300
    assert source["detected"] == source["mistakes"]
    assert source["equation"] >= 0.95 * source["mistakes"]
    assert source["wrong_cause"] == 0


def test_right_networks_give_no_alarm(measured):
    assert measured["right"]["false_alarms"] == 0
    assert measured["right"]["told"] == []
    parity = measured["parity"]
    for subject in ("by_hand", "scratchnet_numba", "scratchnet_numpy"):
        assert (parity[subject]["false_alarms"], parity[subject]["told"]) == (0, [])
    assert parity["by_hand"]["networks"] == parity["that_differ_for_locate"]
