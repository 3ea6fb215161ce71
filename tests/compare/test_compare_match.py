"""What is set against what: specs field by field, data by fingerprint, seeds, backends, processes that were lost."""

import made_answers as made
import pytest
from builders import SGDSpec, spec

from bench.compare.document import Margins
from bench.compare.equivalence import Evidence
from bench.compare.match import field_differences, match
from bench.compare.read import read
from bench.compare.rows import compare, is_identical
from bench.core.errors import UnusableError


def matched(a, b, allowed=()):
    return match(*read(a, b), allowed)


@pytest.fixture
def baseline(tmp_path):
    return made.with_accuracies(tmp_path / "a", [0.95, 0.951, 0.949])


def test_every_field_that_differs_is_named_with_both_values():
    one, other = spec((30,), 32), spec((30, 20), 64, optimizer=SGDSpec(learning_rate=0.2), data="idx:elsewhere")
    found = field_differences(one, other)
    assert found["batch_size"] == "batch_size is 32 in A, 64 in B"
    assert found["optimizer.learning_rate"] == "optimizer.learning_rate is 0.1 in A, 0.2 in B"
    assert found["architecture.layers[2].units"] == "architecture.layers[2].units is not there in A, 10 in B"
    assert not any(name.startswith("data") for name in found)
    assert field_differences(one, one) == {}


def test_specs_that_differ_are_not_compared_unless_that_is_asked_for(baseline, tmp_path):
    b = made.with_accuracies(tmp_path / "b", [0.95, 0.951, 0.949], spec={"batch_size": 64})
    with pytest.raises(UnusableError, match=r"batch_size is 32 in A, 64 in B.*--allow-different batch_size"):
        matched(baseline, b)
    found = matched(baseline, b, ["batch_size"])
    assert found.matches[0].differing == ("batch_size",)
    assert found.differences == ["spec 'one': batch_size is 32 in A, 64 in B"]


def test_a_name_allows_all_fields_below_it_and_no_others(baseline, tmp_path):
    changes = {"optimizer": SGDSpec(learning_rate=0.3), "batch_size": 64}
    b = made.with_accuracies(tmp_path / "b", [0.95] * 3, spec=changes)
    with pytest.raises(UnusableError, match=r"--allow-different batch_size$"):
        matched(baseline, b, ["optimizer"])
    assert len(matched(baseline, b, ["optimizer", "batch_size"]).matches) == 1


def test_other_data_are_never_compared(baseline, tmp_path):
    b = made.with_accuracies(tmp_path / "b", [0.95] * 3, data_fingerprints={"mnist": "e" * 64})
    with pytest.raises(
        UnusableError, match=r"its data differ: mnist \(fingerprint ddddddd.*\) in A, mnist .*eeeeeee.* in B"
    ):
        matched(baseline, b, ["data"])


def test_the_same_data_from_another_place_are(baseline, tmp_path):
    b = made.with_accuracies(
        tmp_path / "b", [0.95] * 3, spec={"data": "idx:copy"}, data_fingerprints={"idx:copy": "d" * 64}
    )
    assert len(matched(baseline, b).matches) == 1


def test_without_a_fingerprint_another_place_is_other_data(baseline, tmp_path):
    b = made.with_accuracies(tmp_path / "b", [0.95] * 3, spec={"data": "idx:copy"}, data_fingerprints={})
    with pytest.raises(UnusableError, match=r"data are mnist in A, idx:copy in B; no fingerprint says"):
        matched(baseline, b)


def test_backends_and_seeds_of_one_side_are_named(baseline, tmp_path):
    cells = {(backend, seed): {} for backend in ("scratchnet", "tf-xla") for seed in (0, 1)}
    found = matched(baseline, made.run(tmp_path / "b", cells))
    assert [(each.spec.name, each.backend) for each in found.matches] == [("one", "scratchnet")]
    seeds = "spec 'one': seeds are 0, 1, 2 in A, 0, 1 in B; the difference is of those that both have"
    assert found.differences == [seeds, "backend 'tf-xla' is in B only"]
    assert not found.left_out


def test_a_backend_that_was_skipped_is_not_there(baseline, tmp_path):
    b = made.run(tmp_path / "b", {("scratchnet", 0): {}, ("tf-xla", 0): {"status": "skipped", "costs": ()}})
    assert "backend 'tf-xla'" not in " ".join(matched(baseline, b).differences)


def test_a_seed_that_did_not_end_well_is_named_and_the_others_do_not_speak_for_it(baseline, tmp_path):
    cells = {("scratchnet", seed): {"status": "killed" if seed == 1 else "ok"} for seed in range(3)}
    found = matched(baseline, made.run(tmp_path / "b", cells))
    assert "'one', 'scratchnet', seed 1: killed in B" in found.differences
    evidence = compare(found.matches[0], Margins()).evidence["accuracy"]
    assert evidence.incomplete
    assert Evidence(evidence.gain, 1.0, incomplete=True).decision(1.0) == "undecided"


def test_a_seed_that_was_not_finished_is_named(baseline, tmp_path):
    b = made.with_accuracies(tmp_path / "b", [0.95, 0.951], spec={"seeds": (0, 1, 2)})
    assert "spec 'one': seed '2' not finished in B" in matched(baseline, b).differences


def test_divergence_in_every_seed_is_a_result_of_its_own(baseline, tmp_path):
    cells = {("scratchnet", seed): {"status": "diverged"} for seed in range(3)}
    found = matched(baseline, made.run(tmp_path / "b", cells))
    assert [each.backend for each in found.diverged] == ["scratchnet"]
    assert found.matches == []


def test_only_what_is_the_same_bit_by_bit_is_identical(baseline, tmp_path):
    same = made.with_accuracies(tmp_path / "same", [0.95, 0.951, 0.949])
    fewer = made.with_accuracies(tmp_path / "fewer", [0.95])
    other = made.with_accuracies(tmp_path / "other", [0.95, 0.951, 0.949 + 1e-9])
    apart = made.with_accuracies(tmp_path / "apart", [0.95, 0.951, 0.949], first_seed=3)
    found = {b.name: is_identical(matched(baseline, b).matches[0]) for b in (same, fewer, other, apart)}
    assert found == {"same": True, "fewer": True, "other": False, "apart": False}


def test_runs_without_a_spec_in_common_say_which_they_have(baseline, tmp_path):
    b = made.with_accuracies(tmp_path / "b", [0.95], spec={"name": "two"})
    with pytest.raises(UnusableError, match=r"no spec in common: .*a has 'one'; .*b has 'two'"):
        read(baseline, b)


def test_of_a_folder_of_runs_those_with_the_specs_of_the_other_side_are_taken(baseline, tmp_path):
    folder = tmp_path / "runs"
    folder.mkdir()
    for name, changes in {
        "old": {"started": "2026-01-01T00:00:00+00:00"},
        "new": {"started": "2026-02-01T00:00:00+00:00"},
        "two": {"spec": {"name": "two"}},
    }.items():
        made.with_accuracies(folder / name, [0.9 if name == "old" else 0.95], **changes)
    made.run(folder / "nothing", {})
    (folder / "scaling").mkdir()
    (folder / "scaling" / "records.jsonl").write_text('{"kind":"scaling","schema_version":1}\n')
    found = matched(baseline, folder)
    assert found.matches[0].b.values("score") == {0: 0.95}
    assert "B has 2 runs of 'one': the newest is taken, of 2026-02-01T00:00:00+00:00" in found.differences
