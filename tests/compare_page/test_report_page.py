"""report.html holds all of a run, loads nothing, and takes no text for markup, whatever the names are."""

import builders
import page_runs
import pytest
from cluster_runs import FAST, SLOW, machine, write
from hypothesis import given, settings
from hypothesis import strategies as st
from reading import OnPaper, Read

from bench.core.text import bound
from bench.records.run import Records
from bench.report.failures import LAST_BYTES, log_end
from bench.report.page import FEWEST_EXAMPLES, MOST_PICTURES, page
from bench.report.tables import Tables

LOG = "first line\n" + "noise\n" * 100 + "Traceback <b>most recent</b>:\n    boom()\nValueError: \x1b[31mbad\n"


@pytest.fixture(scope="module")
def losses() -> Records:
    """See `page_runs.with_losses`."""
    return Records(page_runs.with_losses())


@pytest.fixture(scope="module")
def folder(losses, tmp_path_factory):
    """Its folder, with a log."""
    made = tmp_path_factory.mktemp("run")
    page_runs.write_log(made, losses, LOG)
    return made


@pytest.fixture(scope="module")
def whole(losses, folder) -> str:
    """Its page."""
    return page(Tables(losses), folder)


@pytest.fixture(scope="module")
def seen(whole) -> Read:
    """The page as it is read."""
    return Read(whole)


def row_of(seen, spec, backend):
    """What the page draws of a row."""
    bodies = [each for each in seen.all("tbody") if "data-row" in each]
    (number,) = [int(each["data-row"]) for each in bodies if each["data-find"] == f"{spec} {backend}".lower()]
    return seen.data["rows"][number]


def test_the_verdict_stands_first(whole, seen, losses):
    verdict = Tables(losses).verdict
    assert f"<h1>{verdict}</h1>" in whole
    assert seen.words.index(verdict) < seen.words.index("Warnings") < seen.words.index("What did not finish")


def test_nothing_is_loaded_and_only_the_pages_own_script_may_run(seen):
    assert seen.loaded == ["data:,"]
    (policy,) = [each["content"] for each in seen.all("meta") if "http-equiv" in each]
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert not [attributes for _, attributes in seen.tags if "style" in attributes]


def test_every_row_is_there_and_is_found_by_status_and_speed(seen, losses):
    bodies = [each for each in seen.all("tbody") if "data-row" in each]
    assert len(bodies) == len(Tables(losses).aggregate) == 10
    states = {each["data-backend"]: each["data-state"] for each in bodies if each["data-find"].startswith("784-128")}
    lost = {"keras-fit-tuned": "lost", "tf-graph": "lost"}
    assert states == dict.fromkeys(builders.BACKENDS, "ok") | lost
    speeds = {each["data-backend"]: each["data-speed"] for each in bodies}
    assert speeds["scratchnet"] == "faster"
    assert speeds["keras-fit"] == "reference"
    assert speeds["keras-fit-tuned"] == ""


def test_figures_of_a_row_are_those_of_the_tables(seen, losses):
    aggregate = Tables(losses).aggregate.set_index(["spec", "backend"])
    row = aggregate.loc[("784-128-10 M=128", "scratchnet")]
    assert "{} ({} to {})".format(*(bound(row[f"time_ratio{end}"]) for end in ("", "_low", "_high"))) in seen.words
    assert f"{100 * row['test_accuracy']:.2f} (" in seen.words


def test_a_failure_shows_the_end_of_its_log_as_text(seen):
    start = seen.words.index("What did not finish")
    told = seen.words[start : seen.words.index("Results", start)]
    assert "tf-xla failed made up: failed after 1 epochs 784-30-10 M=32, seed 0: end of its log" in told
    assert "Traceback <b>most recent</b>: boom() ValueError: ?[31mbad" in told
    assert "first line" not in told
    assert "tf-graph diverged made up: diverged after 2 epochs In 784-128-10 M=128, seed 1; no log of it lies" in told
    assert "keras-fit-tuned skipped" in told
    assert "and 5 more." in told


def test_the_end_of_a_log_is_bounded_and_a_link_is_not_followed(tmp_path):
    path = tmp_path / "long.log"
    path.write_text("".join(f"line {number}\n" for number in range(100_000)))
    told = log_end(path).splitlines()
    assert told[0] == "line 99960"
    assert told[-1] == "line 99999"
    path.write_bytes(b"\xff" * 10 * LAST_BYTES)
    assert len(log_end(path)) <= LAST_BYTES
    (tmp_path / "link.log").symlink_to(path)
    assert log_end(tmp_path / "link.log") == log_end(tmp_path / "none.log") == ""


def test_a_row_lays_its_backend_over_the_reference_seed_by_seed(seen, losses):
    row = row_of(seen, "784-128-10 M=128", "scratchnet")
    assert row["names"] == ["keras-fit", "scratchnet"]
    reference, own = (seen.data["series"][line["series"]] for line in row["chart"]["lines"])
    assert [len(seeds) for seeds in reference["cost"]] == [4, 4, 4]
    epochs = losses.epochs.query("spec == '784-128-10 M=128' and backend == 'scratchnet' and seed == 2")
    assert own["epoch_seconds"][2] == pytest.approx(epochs["epoch_seconds"].tolist(), rel=1e-5)
    alone = row_of(seen, "784-128-10 M=128", "keras-fit")
    assert (alone["names"], len(alone["chart"]["lines"])) == (["keras-fit"], 1)


def test_each_spec_has_a_chart_of_all_backends_that_trained(seen):
    places = [int(each["data-row"]) for each in seen.all("details") if "data-row" in each]
    names = [[line["name"] for line in seen.data["rows"][place]["chart"]["lines"]] for place in places]
    assert len(places) == 2
    assert all(sorted(each) == ["keras-fit", "scratchnet", "tf-graph", "tf-xla"] for each in names)


def test_confusion_matrices_and_what_only_one_gets_right(seen):
    row = row_of(seen, "784-128-10 M=128", "tf-xla")
    labels = page_runs.mnist().y_test
    reference, own = row["confusion"]["sides"]
    assert sum(map(sum, own)) == 30_000
    assert [sum(own[i][j] for i in range(10) for j in range(10) if i != j) for own in (reference, own)] == [9, 12]
    assert [(each["index"], each["label"]) for each in row["examples"]] == [
        (place, labels[place]) for place in (3, 13, 21)
    ]
    right = [[answer == each["label"] for answer in each["answers"]] for each in row["examples"]]
    assert right == [[False, True], [True, False], [True, False]]
    assert all(seen.data["pictures"][each["picture"]].startswith("data:image/png") for each in row["examples"])
    assert row_of(seen, "784-30-10 M=32", "tf-xla")["examples"][0]["picture"] == row["examples"][0]["picture"]


def test_a_backend_without_predictions_has_no_matrix_and_the_others_have(seen):
    assert "confusion" not in row_of(seen, "784-128-10 M=128", "keras-fit-tuned")
    assert row_of(seen, "784-128-10 M=128", "scratchnet")["confusion"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data_fingerprints": {}}, "mnist: no fingerprint of these examples in this run"),
        ({"data_fingerprints": {page_runs.MNIST.key: "d" * 64}}, "are not those of this run (another fingerprint)"),
    ],
)
def test_labels_that_cannot_be_believed_leave_those_parts_out_and_say_why(losses, tmp_path, changes, reason):
    found = page_runs.with_losses()
    seen = Read(page(Tables(Records([found[0].model_copy(update=changes), *found[1:]])), tmp_path))
    assert reason in seen.words.partition("No confusion matrices and no pictures:")[2]
    assert seen.data["pictures"] == []


def test_records_without_predictions_say_so(three_seeds_of_one, tmp_path):
    seen = Read(page(Tables(three_seeds_of_one), tmp_path))
    assert "784-30-10 M=32: the records keep no predictions." in seen.words
    assert all("confusion" not in row for row in seen.data["rows"])


def test_a_spec_that_the_suite_lacks_is_shown_without_them(tmp_path):
    first, *others = page_runs.with_losses()
    suite = first.suite.model_copy(update={"specs": first.suite.specs[:1]})
    seen = Read(page(Tables(Records([first.model_copy(update={"suite": suite}), *others])), tmp_path))
    assert "784-30-10 M=32: the suite has no such spec." in seen.words
    assert "confusion" not in row_of(seen, "784-30-10 M=32", "tf-xla")
    assert "confusion" in row_of(seen, "784-128-10 M=128", "tf-xla")


@pytest.fixture
def three_seeds_of_one() -> Records:
    """A run whose records hold no predictions, as those of older versions."""
    return Records(builders.realistic([builders.spec()]))


def test_a_run_without_a_finished_cell_has_a_page(tmp_path):
    words = Read(page(Tables(Records([builders.run_record([builders.spec()])])), tmp_path)).words
    assert "No pair of spec and seed was finished." in words


def test_a_resumed_run_shows_what_changed_in_its_environment(tmp_path):
    found = builders.realistic([builders.spec(seeds=(0,))], environment={"cpu_model": "one", "warnings": []})
    again = found[0].model_copy(update={"resumed": True, "environment": {"cpu_model": "two", "warnings": []}})
    whole = page(Tables(Records([*found, again])), tmp_path)
    assert "Values that differ between start, last resume: 1 of 1" in whole
    assert "cpu_model</th><td>one</td><td>two</td>" in whole


def test_hostile_names_are_text(tmp_path):
    whole = page(Tables(page_runs.hostile()), tmp_path)
    seen = Read(whole)
    assert whole.encode("utf-8")
    assert len(seen.scripts) == 2
    assert seen.all("img") == []
    assert not any(name.startswith("on") for _, attributes in seen.tags for name in attributes)
    assert "{{ 7 * 7 }}" in seen.text
    assert "<script>alert(1)</script>" in seen.text
    assert max(map(len, seen.words.split())) <= 400


@settings(deadline=None, max_examples=30)
@given(name=st.text(min_size=1))
def test_any_backend_is_text(name):
    def tags(backend):
        found = builders.small_run({"keras-fit": [1.0, 1.0], backend: [2.0, 2.0]})
        return [tag for tag, _ in Read(page(Tables(found), page_runs.Path("nowhere"))).tags]

    assert tags(f"{name}.") == tags("plain")


@pytest.mark.weekly
def test_paper_does_not_say_what_to_press(whole):
    assert "A row opens on a tap" in Read(whole).text
    shown = OnPaper(whole).text
    assert "How to read this" in shown
    assert not [word for word in ("tap", "click", "Drag", "slider") if f" {word} " in shown]


def test_a_page_of_many_rows_has_fewer_pictures_a_row(tmp_path, monkeypatch):
    seen = Read(page(page_runs.many(300), tmp_path))
    assert len(seen.data["rows"]) == 600 + 300
    assert MOST_PICTURES // 600 < FEWEST_EXAMPLES
    assert len(seen.all("details")) > 300


def page_of(folder):
    return Read(page(Tables(Records.read(folder)), folder))


def test_a_run_on_two_machines_shows_its_ratios_by_machine_and_where_they_differ(tmp_path):
    places = [machine("node1")] * 3 + [machine("node2", "<b>B</b>")] * 3
    words = page_of(write(tmp_path / "run", places, FAST + SLOW)).words
    assert "machine2 machines; the run began on: A, 2 cores, 2 threads" in words
    told = words[words.index("Time ratios by machine") : words.index("Environment")]
    assert "s scratchnet node1 (A, 2 cores, 2 threads) 3 0.500 (0.476 to 0.525)" in told
    assert "s scratchnet node2 (<b>B</b>, 2 cores, 2 threads) 3 0.800 (0.775 to 0.825)" in told
    assert "Values that differ between start, node1, node2: 1 of 4 namestartnode1node2 ≠ cpu_modelAA<b>B</b>" in words


def test_a_run_on_one_machine_of_a_cluster_names_that_machine(tmp_path):
    words = page_of(write(tmp_path / "run", [machine("node2", "B")] * 6, FAST + SLOW)).words
    assert "machinenode2 (B, 2 cores, 2 threads) revision" in words
    assert "Time ratios by machine" not in words


def test_seconds_of_cells_that_did_not_run_alone_are_not_drawn(tmp_path):
    for alone, count in ((True, 6), (False, 0)):
        folder = write(tmp_path / str(alone), [machine("node1")] * 6, FAST + SLOW, alone)
        series = page_of(folder).data["series"]
        assert {len(each.get("epoch_seconds", [])) for each in series} == {count}
        assert {len(each["test_accuracy"]) for each in series} == {6}
