"""A user without an entry in the system's list of users, and without HOME, as in many containers."""

import pytest

NO_USER = """
import pwd

def unknown(uid):
    raise KeyError(uid)

pwd.getpwuid = unknown
"""
SUITE = """
rest_seconds = 0.0
backends = ["scratchnet"]
[[specs]]
name = "small"
architecture = { inputs = 784, layers = [{ units = 10, activation = "softmax" }] }
loss = "categorical_crossentropy"
optimizer = { learning_rate = 0.1 }
batch_size = 100
epochs = 2
seeds = [0]
data = { source = "DATA", train_examples = 1000, test_examples = 500 }
"""


@pytest.fixture
def homeless(scratchbench):
    def run(*arguments):
        done = scratchbench(*arguments, planted=NO_USER, without=("HOME", "TFDS_DATA_DIR", "XDG_CACHE_HOME"))
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


def suite(folder, source):
    path = folder / "suite.toml"
    path.write_text(SUITE.replace("DATA", source))
    return path


def test_a_run_trains_and_reports(homeless, tmp_path):
    code, out, err = homeless("run", suite(tmp_path, "mnist"), "--out", tmp_path / "run")
    assert code == 0, err
    assert "small" in out
    assert (tmp_path / "run" / "summary.csv").exists()
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("source", ["tfds:mnist", "idx:~/digits"])
def test_where_a_home_is_needed_the_remedy_is_said(homeless, tmp_path, source):
    code, _, err = homeless("run", suite(tmp_path, source), "--out", tmp_path / "run")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert "no home folder is known; remedy: set HOME" in err
    assert not (tmp_path / "~").exists()


def test_the_list_of_data_says_where_it_could_not_look(homeless):
    code, out, err = homeless("data")
    assert (code, err) == (0, "")
    assert "mnist" in out
    assert "no home folder is known; remedy: set HOME" in out
