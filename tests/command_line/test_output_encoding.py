"""Where stdout cannot hold a character, it is replaced: the exit code and the files are those of any other terminal."""

import os
from pathlib import Path

import pytest
from covering import weekly

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "results" / "reference"
ENCODINGS = {
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "latin-1": {"PYTHONIOENCODING": "latin-1"},
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}
CODECS = {"ascii": "ascii", "latin-1": "latin-1", "C": "ascii"}


@pytest.fixture
def encoding(request):
    return request.param


@pytest.fixture
def command(scratchbench, encoding):
    def run(*arguments, **options):
        done = scratchbench(*arguments, without=("PYTHONIOENCODING",), **options, **ENCODINGS[encoding])
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        done.stdout.decode(CODECS[encoding])
        done.stderr.decode(CODECS[encoding])
        return done

    return run


@pytest.fixture
def name(encoding):
    """Of a suite's file: with the plain C locale a record cannot hold a path beyond ASCII."""
    return "size" if encoding == "C" else "größe"


@pytest.fixture
def repository(tmp_path, commit_all):
    folder = tmp_path / "größe"
    folder.mkdir()
    (folder / "file").touch()
    commit_all(folder)
    return folder


READ = [
    (["--help"], [0]),
    (["compare", REFERENCE / "founding", REFERENCE / "founding"], [0, 3]),
    (["compare", "größe", "größe"], [2]),
    (["compare", REFERENCE / "founding", REFERENCE / "founding", "--format", "markdown"], [0, 3]),
    (["history", "--folder", REFERENCE / "speed", "--format", "markdown"], [0]),
]
ONCE = [(name, *READ[place % 3]) for place, name in enumerate(ENCODINGS)] + [("ascii", *one) for one in READ[3:]]


@pytest.mark.parametrize(
    ("encoding", "arguments", "codes"),
    [*ONCE, *weekly(*((name, *one) for name in ENCODINGS for one in READ))],
    ids=lambda value: " ".join(str(one) for one in value if not isinstance(one, Path)),
    indirect=["encoding"],
)
def test_what_is_read_and_printed(arguments, codes, command):
    done = command(*arguments)
    assert done.returncode in codes
    assert done.stdout or done.stderr


@pytest.mark.parametrize("encoding", ["C", *weekly("ascii", "latin-1")], indirect=True)
def test_a_run_prints_what_it_can_and_writes_utf_8(command, tmp_path, name, small_suite):
    suite, folder = tmp_path / f"{name}.toml", tmp_path / "out"
    suite.write_text(small_suite(small="größe – 数 ±"), encoding="utf-8")
    assert command("run", suite, "--out", folder).returncode == 0
    assert "größe – 数 ±" in (folder / "summary.csv").read_text(encoding="utf-8")
    assert "größe – 数 ±" in (folder / "summary.md").read_text(encoding="utf-8")
    assert command("report", folder).returncode == 0
    assert "größe – 数 ±" in (folder / "summary.csv").read_text(encoding="utf-8")


UNDECIDED = "case $PWD in */new/*) if rm flipped; then echo 0.5; else touch flipped; echo 2; fi;; *) echo 1;; esac"
"""The new side takes half and twice as long in turns."""


@pytest.mark.parametrize(
    ("encoding", "command_text", "code"),
    [("latin-1", "echo 1.0", 0), ("ascii", UNDECIDED, 3)],  # the second takes its six seconds
    ids=["pass", "undecided"],
    indirect=["encoding"],
)
def test_the_exit_code_of_a_gate(command_text, code, command, repository, tmp_path):
    options = ["--own-clock", "--minutes", "0.1", "--out", tmp_path / "out"]
    done = command("gate", "--against", "HEAD", "--command", f"{command_text} # {{tree}}", *options, folder=repository)
    assert done.returncode == code, done.stderr
    assert os.listdir(tmp_path / "out")
