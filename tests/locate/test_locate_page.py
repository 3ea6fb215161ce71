"""The numbers of docs/locate.md are those that docs/experiments/located.py measured, and they are good enough."""

import json
from pathlib import Path

import pytest
from plants import PLANTS
from unknown import CASES

from bench.locate.mistakes.library import ENTRIES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def measured():
    return json.loads((DOCS / "experiments/results/located.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def page():
    return " ".join((DOCS / "locate.md").read_text("utf-8").split())


def test_the_table_has_the_measured_numbers(measured, page):
    rows = {
        "planted": "planted by hand, everything is reported",
        "steps": "planted by hand, only steps are reported",
        "unknown": "not in the library",
    }
    for part, name in rows.items():
        of = measured[part]
        cause = of.get("cause", f"{of.get('wrong_cause')} wrong ones claimed")
        cells = (name, of["mistakes"], of["detected"], of["equation"], of["layer"], cause)
        assert f"| {' | '.join(map(str, cells))} |" in page


def test_what_is_told_of_the_library_is_measured(measured, page):
    of = measured["library"]
    assert f"{of['entries']} entries" in page
    assert f"{of['named_alone']} are named alone" in page
    assert f"{of['named_in_a_set']} in a set" in page
    assert f"at most {of['largest_set']}" in page
    right = measured["right"]
    assert f"{right['networks']} right networks" in page


def test_the_measurement_is_of_the_mistakes_of_today(measured):
    assert measured["planted"]["mistakes"] == len(PLANTS)
    assert measured["unknown"]["mistakes"] == len(CASES)
    assert measured["library"]["entries"] == len(ENTRIES)


def test_what_is_promised_holds(measured):
    planted, unknown, library = measured["planted"], measured["unknown"], measured["library"]
    assert planted["detected"] == planted["mistakes"]
    assert planted["equation"] >= 0.98 * planted["mistakes"]
    assert planted["layer"] >= 0.98 * planted["mistakes"]
    assert planted["cause"] >= 0.9 * planted["mistakes"]
    assert unknown["mistakes"] >= 40
    assert unknown["equation"] >= 0.9 * unknown["mistakes"]
    assert unknown["wrong_cause"] == 0
    assert measured["right"]["false_alarms"] == 0
    assert library["not_named"] == []
