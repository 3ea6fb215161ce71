"""What a child process may do: fail, crash, hang, chatter."""

import pytest

import bench
from bench.core.errors import EXIT_OK, EXIT_UNUSABLE, UnusableError
from bench.data.child import report_failure, run_child


@pytest.fixture
def child(tmp_path, monkeypatch):
    """A function that runs `code` as a child process, far from the project's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def run(code: str, seconds: float = 60) -> None:
        (tmp_path / "child_of_test.py").write_text(code)
        run_child("tfds:x", "child_of_test", seconds=seconds)

    return run


def test_chatter_does_not_reach_the_terminal(child, capfd):
    child("import os, sys; print('out'); print('err', file=sys.stderr); os.write(2, b'from C')")
    assert capfd.readouterr() == ("", "")


def test_tensorflow_is_told_to_be_silent(child):
    child("import os; assert os.environ['TF_CPP_MIN_LOG_LEVEL'] == '3'")


def test_the_child_imports_the_same_bench(child):
    child(f"import bench; assert bench.__file__ == {bench.__file__!r}, bench.__file__")


@pytest.mark.parametrize(
    ("code", "match"),
    [
        ("import sys; sys.exit('first\\nlast')", "^tfds:x: last$"),
        ("raise ValueError('that')", "^tfds:x: ValueError: that$"),
        ("import sys; sys.exit(3)", "^tfds:x: failed with exit code 3$"),
        ("import os; os.kill(os.getpid(), 9)", r"^tfds:x: stopped by SIGKILL; is there enough memory\?$"),
    ],
)
def test_the_reason_is_the_last_line(child, code, match):
    with pytest.raises(UnusableError, match=match):
        child(code)


def test_a_child_that_hangs_is_stopped(child):
    with pytest.raises(UnusableError, match=r"tfds:x: not done after 0\.5 s, stopped"):
        child("import time; time.sleep(100)", seconds=0.5)


@pytest.mark.parametrize(
    ("error", "line"),
    [(UnusableError("this; allowed: that"), "this; allowed: that\n"), (KeyError("a\nb"), "KeyError: 'a\\nb'\n")],
)
def test_any_failure_of_the_work_becomes_one_line(capsys, error, line):
    def fail():
        raise error

    assert report_failure(fail) == EXIT_UNUSABLE
    assert capsys.readouterr().err == line


def test_work_that_succeeds(capsys):
    assert report_failure(lambda: None) == EXIT_OK
    assert capsys.readouterr() == ("", "")
