"""`scratchbench merge`: cells of several runs in one folder, each once; what does not fit is named."""

import json
import shutil

import pytest

from bench import cli
from bench.records.run import Records


def call(*arguments):
    with pytest.raises(SystemExit) as ended:
        cli.main(list(map(str, arguments)))
    return ended.value.code


@pytest.fixture(scope="module")
def runs(made_once, suite_text):
    """Seed 0, seeds 0 and 1 and, with another batch size, seed 2."""

    def fill(folder):
        (folder / "small.toml").write_text(suite_text)
        (folder / "other.toml").write_text(suite_text.replace("batch_size = 7", "batch_size = 9"))
        for suite, seeds in (("small", "0"), ("small", "1"), ("other", "2")):
            assert call("run", folder / f"{suite}.toml", "--seeds", seeds, "--out", folder / f"seed{seeds}") == 0

    return made_once("runs-to-merge", fill)


def lines(folder):
    return [json.loads(line) for line in (folder / "records.jsonl").read_text().splitlines()]


def test_two_runs_of_different_seeds_become_one(runs, tmp_path):
    assert call("merge", runs / "seed0", runs / "seed1", "--out", tmp_path / "both") == 0
    both = Records.read(tmp_path / "both")
    assert both.complete
    assert both.spec("small").seeds == (0, 1)
    for seed in (0, 1):
        alone = Records.read(runs / f"seed{seed}")
        mine = both.epochs[both.epochs["seed"] == seed].reset_index(drop=True)
        assert mine.astype(str).equals(alone.epochs.astype(str))
        assert both.machines["small", seed].environment["packages"] == alone.run.environment["packages"]
    assert (tmp_path / "both" / "summary.md").exists()


def test_equal_cells_count_once(runs, tmp_path, capsys):
    shutil.copytree(runs / "seed0", tmp_path / "copy")
    assert call("merge", runs / "seed0", tmp_path / "copy", runs / "seed1", "--out", tmp_path / "all") == 0
    assert "1 equal cells were in more than one run" in capsys.readouterr().out
    assert sum(line["kind"] == "cell_end" for line in lines(tmp_path / "all")) == 2


def test_a_cell_that_was_trained_twice_is_a_conflict_and_nothing_is_written(runs, tmp_path, capsys):
    shutil.copytree(runs / "seed0", tmp_path / "again")
    changed = [line | {"epoch_seconds": 9.0} if line["kind"] == "epoch" else line for line in lines(tmp_path / "again")]
    (tmp_path / "again" / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))
    assert call("merge", runs / "seed0", tmp_path / "again", "--out", tmp_path / "out") == 2
    err = capsys.readouterr().err
    assert "spec 'small' seed 0: trained in" in err
    assert "nothing was written" in err
    assert not (tmp_path / "out").exists()


def test_runs_that_do_not_fit_are_refused_with_what_differs(runs, tmp_path, capsys):
    assert call("merge", runs / "seed0", runs / "seed2", "--out", tmp_path / "out") == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "spec 'small', batch_size: 7 in" in err
    assert ", 9 in" in err


def test_half_an_attempt_is_left_out(runs, tmp_path):
    shutil.copytree(runs / "seed1", tmp_path / "half")
    kept = [line for line in lines(tmp_path / "half") if line["kind"] != "cell_end"]
    (tmp_path / "half" / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in kept))
    assert call("merge", runs / "seed0", tmp_path / "half", "--out", tmp_path / "out") == 0
    assert Records.read(tmp_path / "out").finished_cells == {("small", 0)}
    assert {line.get("seed") for line in lines(tmp_path / "out")} == {None, 0}


def test_one_run_alone_is_refused(runs, capsys):
    assert call("merge", runs / "seed0") == 2
    assert "allowed: two run folders or more" in capsys.readouterr().err


def other_spec(folder, name, **changes):
    """The run with a spec of another name, and other values of it."""
    changed = lines(folder)
    for line in changed:
        if line["kind"] == "run":
            (spec,) = line["suite"]["specs"]
            spec |= {"name": name} | changes
        elif "spec" in line:
            line["spec"] = name
    (folder / "records.jsonl").write_text("".join(json.dumps(line) + "\n" for line in changed))


def test_a_conflict_between_two_runs_that_the_first_has_nothing_to_do_with(runs, tmp_path, capsys):
    for name, batch_size in (("b", 7), ("c", 9)):
        shutil.copytree(runs / "seed1", tmp_path / name)
        other_spec(tmp_path / name, "other", batch_size=batch_size)
    assert call("merge", runs / "seed0", tmp_path / "b", tmp_path / "c", "--out", tmp_path / "out") == 2
    assert f"spec 'other', batch_size: 7 in {tmp_path / 'b'}, 9 in {tmp_path / 'c'}" in capsys.readouterr().err


def test_the_logs_of_what_was_lost_come_along(runs, tmp_path):
    shutil.copytree(runs / "seed1", tmp_path / "other")
    other_spec(tmp_path / "other", "other")
    (tmp_path / "other" / "0-seed1-scratchnet.log").write_text("the end of it\n")
    (tmp_path / "elsewhere").write_text("secret\n")
    (tmp_path / "other" / "0-seed1-keras-fit.log").symlink_to(tmp_path / "elsewhere")
    assert call("merge", runs / "seed0", tmp_path / "other", "--out", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").glob("*.log")] == ["1-seed1-scratchnet.log"]
    assert (tmp_path / "out" / "1-seed1-scratchnet.log").read_text() == "the end of it\n"
