"""A user without an entry in the system's list of users, and without HOME, as in many containers."""

import pytest
from covering import weekly

from scratchnet import engine

NO_USER = """
import pwd

def unknown(uid):
    raise KeyError(uid)

pwd.getpwuid = unknown
"""


@pytest.fixture
def homeless(scratchbench):
    def run(*arguments):
        done = scratchbench(*arguments, planted=NO_USER, without=("HOME", "TFDS_DATA_DIR", "XDG_CACHE_HOME"))
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.fixture
def suite(tmp_path, small_suite):
    def written(source):
        path = tmp_path / "suite.toml"
        path.write_text(small_suite(mnist=source))
        return path

    return written


@pytest.mark.parametrize("steps", ["numpy", *weekly("numba")])
def test_a_run_trains_and_reports(homeless, suite, tmp_path, monkeypatch, steps):
    """Without a home no compiled step is kept: each process compiles its own."""
    monkeypatch.setenv(engine.VARIABLE, steps)
    code, out, err = homeless("run", suite("mnist"), "--out", tmp_path / "run")
    assert code == 0, err
    assert "small" in out
    assert (tmp_path / "run" / "summary.csv").exists()
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("source", ["tfds:mnist", "idx:~/digits"])
def test_where_a_home_is_needed_the_remedy_is_said(homeless, suite, tmp_path, source):
    code, _, err = homeless("run", suite(source), "--out", tmp_path / "run")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert "no home folder is known; remedy: set HOME" in err
    assert not (tmp_path / "~").exists()


def test_the_list_of_data_says_where_it_could_not_look(homeless):
    code, out, err = homeless("data")
    assert (code, err) == (0, "")
    assert "mnist" in out
    assert "no home folder is known; remedy: set HOME" in out
