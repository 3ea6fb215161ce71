"""Nothing of the folder that the command is started in is imported: neither by it nor by a process that it starts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from covering import weekly

ROOT = Path(__file__).parents[2]
RUN = ROOT / "results" / "reference" / "founding"

TRAP = "import os\nopen(os.environ['MARKER'], 'a').write(__name__ + '\\n')\nos._exit(77)\n"
MODULES = (
    *("bench", "calendar", "click", "ctypes", "json", "locale", "matplotlib", "multiprocessing", "numpy", "pandas"),
    *("pickle", "pyparsing", "random", "rich", "runpy", "scipy", "scratchnet", "signal", "socket", "tempfile"),
    *("threading", "usercustomize"),
)
PACKAGES = ("bench", "numpy", "rich", "scratchnet")
SCHEMA, HISTORY = ["schema"], ["history", "--folder", RUN.parent / "speed"]
TRAIN = ["run", "small.toml", "--out", "OUT"]
IN_A_POOL = """
import os
from pathlib import Path
from bench.workers.pool import fresh_processes
if __name__ == "__main__":
    with fresh_processes(2, 1, Path(os.devnull)) as pool:
        print(*pool.map(os.path.basename, ["/a/b", "/c/d"]))
"""
OF_THE_DATA = "from bench.data.child import run_child\nrun_child('a calendar', 'calendar', '2026', seconds=60)\n"


TELLS_ITS_FOLDER = """
import atexit, os, sys

def tell():
    with open(os.environ["FOLDERS"], "a") as file:
        file.write(f"{os.getcwd()} {' '.join(sys.orig_argv)}\\n")

atexit.register(tell)
"""


def folders_of(told, name):
    """Where the processes of that module worked."""
    return {line.split()[0] for line in told.read_text().splitlines() if name in line}


@pytest.fixture
def traps(tmp_path, commit_all, small_suite):
    """A git repository full of modules and packages with the names of those that the command needs."""
    folder = tmp_path / "traps"
    for name in MODULES:
        path = folder / name / "__init__.py" if name in PACKAGES else folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(TRAP)
    (folder / "small.toml").write_text(small_suite())
    commit_all(folder)
    return folder


def imported(marker):
    return marker.read_text().split() if marker.exists() else []


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        (["--help"], [0]),
        (["data"], [0]),
        (TRAIN, [0]),
        (HISTORY, [0]),
        (["gate", "--against", "HEAD", "--command", "echo 1.0 # {tree}", "--own-clock", "--out", "OUT"], [0]),
        *weekly((["doctor", "--json"], [0, 1]), (SCHEMA, [0]), (["compare", RUN, RUN], [0, 3])),
    ],
    ids=lambda value: str(value[0]),
)
def test_every_command_ends_as_it_does_elsewhere(arguments, codes, traps, scratchbench, tmp_path, quick_doctor):
    """The run is also told where each of its processes worked, and the doctor has a terminal that knows ASCII alone."""
    marker, folders = tmp_path / "marker", tmp_path / "folders"
    given = [str(tmp_path / "out") if one == "OUT" else one for one in arguments]
    planted = {"doctor": quick_doctor, "run": TELLS_ITS_FOLDER}.get(arguments[0], "")
    variables = {"PYTHONIOENCODING": "ascii"} if arguments[0] == "doctor" else {"FOLDERS": str(folders)}
    done = scratchbench(*given, folder=traps, planted=planted, MARKER=str(marker), **variables)
    assert imported(marker) == []
    assert done.returncode in codes, done.stderr.decode()
    assert done.stdout
    if arguments[0] == "run":
        check_run(tmp_path / "out", folders, traps)


def check_run(out, folders, traps):
    """It trained, its workers where no library finds settings: Numba reads `.numba_config.yaml` of its folder."""
    records = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    assert [one["status"] for one in records if one["kind"] == "result"] == ["ok"]
    assert folders_of(folders, "small.toml") == {str(traps)}
    assert folders_of(folders, "bench.workers.worker") == {"/"}


@pytest.fixture
def other(tmp_path):
    """Runs a script of one's own, in a folder and with a path."""

    def run(code, folder, path=str(ROOT)):
        (tmp_path / "script.py").write_text(code)
        environment = {**os.environ, "PYTHONPATH": path, "MARKER": str(tmp_path / "marker")}
        command = [sys.executable, tmp_path / "script.py"]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
        assert imported(tmp_path / "marker") == []
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("code", [IN_A_POOL, OF_THE_DATA], ids=["pool", "data"])
def test_other_processes_that_are_started_import_nothing_of_it(code, traps, other):
    other(code, traps)


def test_an_empty_entry_of_the_path_lets_no_child_import_from_the_folder(traps, other):
    """`PYTHONPATH=$PYTHONPATH:/somewhere` begins with an empty entry, which stands for the current folder."""
    (traps / "usercustomize.py").unlink(missing_ok=True)  # the first process has the folder on its path by itself
    clean = "import os, sys\nsys.path[:] = [one for one in sys.path if one != os.getcwd()]\n"
    other(clean + OF_THE_DATA, traps, f"{ROOT}:")


ENTRIES = {"first": ":{root}", "last": "{root}:", "between": "{root}::/nowhere"}


@pytest.mark.parametrize(
    ("entries", "arguments"),
    [
        ("first", SCHEMA),
        ("last", TRAIN),
        *weekly(("first", TRAIN), ("between", TRAIN), ("between", HISTORY)),
    ],
)
def test_an_empty_entry_of_the_path_lets_no_command_import_from_the_folder(
    entries, arguments, traps, scratchbench, tmp_path
):
    (traps / "usercustomize.py").unlink(missing_ok=True)  # Python imports it before any program begins
    given = [str(tmp_path / "out") if one == "OUT" else one for one in arguments]
    path = ENTRIES[entries].format(root=ROOT)
    done = scratchbench(*given, folder=traps, MARKER=str(tmp_path / "marker"), PYTHONPATH=path)
    assert imported(tmp_path / "marker") == []
    assert done.returncode == 0, done.stderr.decode()


def test_a_folder_that_the_path_names_stays_on_it(scratchbench, tmp_path):
    (tmp_path / "calendar.py").write_text(TRAP)
    done = scratchbench("report", RUN, MARKER=str(tmp_path / "marker"), PYTHONPATH=f":{ROOT}:{tmp_path}")
    assert (imported(tmp_path / "marker"), done.returncode) == (["calendar"], 77)


def test_other_processes_do_not_work_in_the_folder_either(tmp_path, other):
    code = IN_A_POOL.replace('os.path.basename, ["/a/b", "/c/d"]', 'os.path.abspath, ["b", "d"]')
    assert other(code, tmp_path) == "/b /d\n"


STRANGE = "axes.facecolor: red\nfont.size: 30\nsavefig.dpi: 10\nimage.origin: lower\nno.such.key: 1\n"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["report", "RUN"], ["time_ratio.png", "cost_curves.svg"]),
        *weekly((["history", "--folder", RUN.parent / "speed", "--out", "RUN"], ["history.png", "history.svg"])),
    ],
)
def test_a_matplotlibrc_of_the_folder_changes_no_plot(arguments, names, scratchbench, tmp_path):
    found = {}
    for name, text in {"clean": None, "strange": STRANGE}.items():
        folder = tmp_path / name
        shutil.copytree(RUN, folder / "run")
        if text:
            (folder / "matplotlibrc").write_text(text)
        given = ["run" if one == "RUN" else one for one in arguments]
        done = scratchbench(*given, folder=folder)
        assert (done.returncode, done.stderr) == (0, b"")
        found[name] = [(folder / "run" / plot).read_bytes() for plot in names]
    assert found["strange"] == found["clean"]
