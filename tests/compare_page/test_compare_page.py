"""The page holds all it shows, shows every row, and takes no text for markup, whatever the names are."""

import base64
import math
import re
from io import BytesIO

import documents
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.image import imread
from reading import OnPaper, Read

from bench.compare.page import page
from bench.compare.page_filters import equivalence, p_value, relative, state
from bench.page.axis import around, ratios, spanning
from bench.page.drawn import MOST_NUMBERS, A, Drawing, Line
from bench.page.facts import fact_lines
from bench.page.filters import block
from bench.page.pictures import data_uri, pictures
from bench.report.scores import SCORES


def read(*rows: documents.Document, pictures: dict | None = None, **changes: object) -> Read:
    return Read(page(documents.document(rows, **changes), pictures or {}))


def test_the_verdict_stands_first():
    text = read(documents.row(), verdict="B is worse").text.split()
    assert text.index("worse") < text.index("A")
    assert "<h1>B is worse</h1>" in page(documents.document(verdict="B is worse"), {})


def test_paper_does_not_say_what_to_press():
    whole = page(documents.document([documents.row(), documents.row("other")]), {})
    assert re.search("A row opens on a tap", Read(whole).text)
    shown = OnPaper(whole).text
    assert "How to read this" in shown
    assert "Thick lines are means over the seeds" in shown
    assert re.findall(r"\b(?:click|tap|drag|press|slider)\w*", shown, re.IGNORECASE) == []


def test_nothing_is_loaded_from_elsewhere():
    seen = read(documents.row(), documents.bare("x"))
    assert seen.loaded == ["data:,"]


def test_the_policy_allows_the_pages_own_script_and_no_request():
    (policy,) = [each["content"] for each in read().all("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy


def test_every_row_is_there_with_its_details():
    rows = [documents.row(f"spec {n}", backend) for n in range(60) for backend in ("scratchnet", "keras-fit")]
    seen = read(*rows)
    bodies = [each for each in seen.all("tbody") if "data-row" in each]
    assert [each["data-find"] for each in bodies] == [f"{row['spec']} {row['backend']}" for row in rows]
    assert len(seen.data["rows"]) == len(rows)
    assert sum(each.get("class") == "details" for each in seen.all("tr")) == len(rows)


def test_heads_say_what_they_head():
    seen = read(documents.row())
    assert {each.get("scope") for each in seen.all("th")} == {"col", "row"}
    assert {each["aria-sort"] for each in seen.all("th") if "aria-sort" in each} == {"none"}


def test_an_opening_button_names_what_it_opens():
    seen = read(documents.row(), documents.row("other"))
    ids = {each["id"] for _, each in seen.tags if "id" in each}
    controls = [each["aria-controls"] for each in seen.all("button") if "aria-controls" in each]
    assert len(set(controls)) == 2
    assert set(controls) <= ids


def test_hostile_names_are_text():
    seen = Read(page(documents.hostile(), {}))
    assert len(seen.scripts) == 2
    assert seen.all("img") == []
    assert seen.all("b") == [{}] * len(seen.all("b"))
    assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)
    assert "<script>alert(1)</script>" in seen.text
    assert "{{ 7 * 7 }}" in seen.text
    assert seen.data["rows"][2]["confusion"]["classes"] == ["<script>alert(1)</script>", "</script>"]


def test_a_page_with_hostile_names_can_be_written():
    assert page(documents.hostile(), {}).encode("utf-8")


def test_a_long_name_is_cut_where_it_is_shown():
    assert max(len(word) for word in read(documents.row("x" * 10_000)).text.split()) <= 400


@settings(deadline=None, max_examples=50)
@given(st.text(), st.text())
def test_any_name_is_text(spec, backend):
    plain = Read(page(documents.document([documents.row()]), {}))
    seen = Read(page(documents.document([documents.row(spec, backend)]), {}))
    assert [tag for tag, _ in seen.tags] == [tag for tag, _ in plain.tags]


def test_numbers_that_json_lacks_are_missing():
    seen = Read(page(documents.hostile(), {}))
    assert curves(seen, 0, "cost") == [[[0.5, None, None, 0.2]], [[None, None, None, None]]]
    assert "nan" not in seen.text.lower()
    assert "no finite interval" in seen.text


def test_one_seed_has_no_interval_and_says_so():
    seen = read(documents.bare("x"))
    assert "96.00 (one seed: no interval)" in seen.text
    assert "About 5 seeds would decide it." in seen.text
    assert "Not compared: A ran on 2 threads, B on 4" in seen.text


def test_curves_that_are_not_there_are_not_said_to_agree():
    assert "never part" not in read(documents.bare("x")).text
    never = {"epoch": None, "relative": None, "largest_relative": 0.001}
    assert "never part by more than 2.0 %; the largest difference is 0.10 %." in " ".join(
        read(documents.row(cost_parts_at=never)).text.split()
    )


def test_the_first_epoch_at_which_costs_part_is_said():
    text = " ".join(read(documents.row()).text.split())
    assert "The mean cost curves part at epoch 2, where B is 2.5 % above A; the largest difference is 5.0 %." in text


def test_a_spec_on_one_side_only_is_named():
    assert "spec 'x' is in A only" in read(documents.row(), differences=["spec 'x' is in A only"]).text


def test_what_differs_in_the_environment_is_marked_by_more_than_colour():
    seen = read(documents.row())
    assert [each["aria-label"] for each in seen.all("span") if each.get("class") == "sign"] == ["differs"]
    assert "Values that differ: 1 of 2" in seen.text


def test_environments_are_set_side_by_side():
    a = {"cpu": "x", "packages": {"numpy": "1", "scipy": "2"}, "load": [0.5, None], "variables": {}}
    b = {"cpu": "x", "packages": {"numpy": "1", "scipy": "3"}, "load": [0.5, None], "gpu": "y"}
    lines = [(line.name, *line.values, line.differs) for line in fact_lines(a, b)]
    assert lines == [
        ("packages: scipy", "2", "3", True),
        ("variables", "none", "–", True),
        ("gpu", "–", "y", True),
        ("cpu", "x", "x", False),
        ("packages: numpy", "1", "1", False),
        ("load", "0.5, –", "0.5, –", False),
    ]


def curves(seen: Read, row: int, measure: str) -> list:
    """The curves of each line of a row."""
    return [seen.data["series"][line["series"]].get(measure) for line in seen.data["rows"][row]["chart"]["lines"]]


def test_of_very_many_epochs_a_selection_is_drawn_and_the_last_is_in_it():
    long = {"cost": [[1 / epoch for epoch in range(1, MOST_NUMBERS + 100)]]}
    drawing = Drawing([long])
    chart = drawing.chart([Line(A, long)])
    assert len(chart["places"]) < MOST_NUMBERS * 0.6
    assert chart["places"][:2] == [1, 3]
    assert chart["places"][-1] == MOST_NUMBERS + 99
    (drawn,) = drawing.data["series"][0]["cost"]
    assert drawn[1] == pytest.approx(1 / 3, rel=1e-5)
    assert len(drawn) == len(chart["places"])


def test_a_series_of_several_rows_is_held_once():
    series, other = {"cost": [[1.0, 0.5]]}, {"cost": [[1.0, 0.5]]}
    drawing = Drawing([series, other])
    charts = [drawing.chart([Line(A, each) for each in lines]) for lines in ([series], [series, other], [other])]
    assert [[line["series"] for line in chart["lines"]] for chart in charts] == [[0], [0, 1], [1]]
    assert len(drawing.data["series"]) == 2


def test_a_block_keeps_its_lines_and_is_no_markup():
    assert str(block("a\n\tb <b>\x1b[31m\udcff")) == "a\n    b &lt;b&gt;?[31m?"


def test_nothing_to_compare_is_said():
    assert "A and B share nothing that could be compared." in read().text


def test_a_picture_of_several_specs_is_held_once():
    uri = "data:image/png;base64,AAAA"
    seen = read(documents.row("x"), documents.row("y"), pictures={"x": {"115": uri}, "y": {"115": uri}})
    assert seen.data["pictures"] == [uri]
    examples = [[example["picture"] for example in row["examples"]] for row in seen.data["rows"]]
    assert examples == [[0, None], [0, None]]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_has_the_pixels_of_its_example(channels):
    rows = np.random.default_rng(0).integers(0, 256, (5, 6 * 4 * channels), dtype=np.uint8)
    made = pictures(rows, (6, 4, channels), [3])
    assert list(made) == ["3"]
    kind, _, code = made["3"].partition(",")
    assert kind == "data:image/png;base64"
    pixels = np.rint(255 * imread(BytesIO(base64.b64decode(code)))).astype(np.uint8)
    assert np.array_equal(pixels[:, :, :3], np.broadcast_to(rows[3].reshape(6, 4, channels), (6, 4, 3)))


def test_a_dark_picture_stays_dark():
    code = data_uri(np.full((2, 2, 1), 9, dtype=np.uint8)).partition(",")[2]
    assert np.rint(255 * imread(BytesIO(base64.b64decode(code))))[0, 0, 0] == 9


@settings(deadline=None)
@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0, 0.1))
def test_an_axis_holds_reference_margin_and_centre(centre, half, margin):
    interval = documents.interval(centre, half)
    axis = around(0, margin, [interval, None])
    places = [axis.place(value) for value in sorted([-margin, 0, margin, centre])]
    assert places == sorted(places)
    assert not any(map(axis.beyond, (-margin, 0, margin, centre)))
    assert axis.place(0) == 50


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1), st.floats(0, 1))
def test_an_axis_spans_every_interval(centres, half):
    axis = spanning([documents.interval(centre, half) for centre in centres])
    assert not any(axis.beyond(centre + end) for centre in centres for end in (-half, half))
    assert all(3 <= axis.place(tick) <= 97 for tick in axis.ticks)


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1), st.floats(1, 1e6))
def test_an_axis_of_ratios_holds_one_and_every_centre(centres, factor):
    shown = [{"centre": centre, "low": centre / factor, "high": centre * factor} for centre in centres]
    axis = ratios([*shown, {"centre": 1.0, "low": 0.0, "high": math.inf}, None])
    assert not any(map(axis.beyond, [1.0, *centres]))
    places = [axis.place(value) for value in [0.0, *sorted(centres), math.inf]]
    assert places == sorted(places)
    assert all(3 <= axis.place(tick) <= 97 for tick in axis.ticks)


def test_equal_factors_are_equally_far_on_an_axis_of_ratios():
    axis = ratios([documents.interval(centre) for centre in (0.25, 4.0)])
    places = [axis.place(value) for value in (0.25, 0.5, 1, 2, 4)]
    assert np.diff(places) == pytest.approx([places[1] - places[0]] * 4, abs=0.01)
    assert [axis.label(tick, 1) for tick in axis.ticks] == ["0.2", "0.5", "1", "2", "5"]


def test_a_very_wide_interval_leaves_room_for_the_others():
    axis = around(0, 0.005, [documents.interval(0, 0.2), documents.interval(0.001, 0.002)])
    assert axis.beyond(0.2)
    assert axis.place(0.003) - axis.place(-0.001) > 5


@pytest.mark.parametrize(
    ("decisions", "gravest"),
    [
        (("equivalent", "within_tolerance", None), "fine"),
        (("undecided", "better", "within_tolerance"), "undecided"),
        (("equivalent", "undecided", "worse"), "worse"),
    ],
)
def test_a_row_is_found_by_its_gravest_decision(decisions, gravest):
    accuracy, cost, speed = decisions
    verdict = {"decision": accuracy, "margin": 0.005, "p": None, "seeds_needed": None}
    assert state(documents.row(equivalence=verdict, cost_decision=cost, speed_decision=speed)) == gravest


def test_a_ratio_that_is_weak_evidence_says_why():
    text = read(documents.row(speed={"ratio": documents.interval(1.1), "reason": "one seed"})).text
    assert "one seed" in text.split("Time, B / A")[-1]
    assert "Not compared: one seed" not in text


def test_words():
    assert [relative(x) for x in (0.025, -0.5, None)] == ["2.5 % above A", "50 % below A", "–"]
    accuracy, r2 = SCORES["accuracy"], SCORES["r2"]
    assert [accuracy.difference(x) for x in (-0.0004, 0.0123, -0.00001, None)] == ["−0.04", "+1.23", "0.00", "–"]
    assert [r2.difference(x) for x in (-0.0004, 0.0123, -0.00001, None)] == ["−0.0004", "+0.0123", "0.0000", "–"]
    assert [r2.value(x) for x in (0.5, -3.2, None)] == ["0.5000", "-3.2000", "–"]
    assert [p_value(p) for p in (0.3412, 0.00004, None)] == ["p = 0.34", "p < 0.001", "–"]


def test_equivalence_in_words():
    verdict = {"decision": "equivalent", "margin": 0.005, "p": 0.003, "seeds_needed": None}
    first = "Equivalent: A and B differ by less than the margin of 0.50 points."
    assert equivalence(verdict, SCORES["accuracy"]) == f"{first} Two one-sided tests: p = 0.0030."
    first = "Equivalent: A and B differ by less than the margin of 0.0050."
    assert equivalence(verdict, SCORES["r2"]) == f"{first} Two one-sided tests: p = 0.0030."
