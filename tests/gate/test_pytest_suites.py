"""`scratchbench gate --pytest`: a suite of pytest-benchmark in both trees, a verdict for each of its benchmarks."""

import json
import os
import subprocess
import sys
from multiprocessing import Pipe
from pathlib import Path

import pytest
from covering import weekly
from junitparser import JUnitXml

from bench.gate.inside import suite_worker
from bench.gate.records import pairs_of
from bench.gate.suites import Suite, SuitePairs

SUITE = """
import pytest
from thing import fast, slow

def test_slow(benchmark):
    assert benchmark(slow) == 1

@pytest.mark.parametrize("size", [1, 2])
def test_fast(benchmark, size):
    benchmark(fast)

def test_no_benchmark():
    raise AssertionError("only benchmarks are run")
"""
WORK = "def fast():\n    return sum(range(2_000))\n\n\ndef slow():\n    return sum(range({})) and 1\n"
QUICK = ("--alpha", "20%", "--tolerance", "40%")
"""So few pairs that a real suite is decided in seconds: nothing here is about small differences."""
NAMES = ["test_it.py::test_slow", "test_it.py::test_fast[1]", "test_it.py::test_fast[2]"]


@pytest.fixture
def gate(repo, bench, tmp_path, monkeypatch):
    """Runs the gate on a suite; exit code, stdout, and gate.json."""
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    # Other plugins take most of the time in which pytest starts.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p pytest_benchmark.plugin")

    def run(*arguments, suite="test_it.py"):
        code, out, err = bench("gate", "--against", "HEAD", "--pytest", suite, *QUICK, *arguments)
        assert "Traceback" not in err
        written = tmp_path / "out" / "gate.json"
        return code, out or err, json.loads(written.read_text()) if written.exists() else None

    return run


def commit(repo, old, new):
    """Both sides' files, name → text."""
    repo.commit(**old)
    repo.write(**new)


@pytest.mark.parametrize("plugins", ["this one alone", *weekly("all, as users have it")])
def test_each_benchmark_has_a_verdict_and_the_slower_one_is_named(repo, gate, tmp_path, monkeypatch, plugins):
    if plugins.startswith("all"):
        for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_ADDOPTS"):
            monkeypatch.delenv(name)
    commit(repo, {"thing.py": WORK.format(2_000), "test_it.py": SUITE}, {"thing.py": WORK.format(8_000)})
    code, out, written = gate()
    assert code == 1, out
    assert out.startswith("FAIL: 1 of 3 benchmarks; highest ratio in test_it.py::test_slow: the work tree (")
    assert {cell["cell"]: cell["verdict"] for cell in written["cells"]} == dict(
        zip(NAMES, ("fail", "pass", "pass"), strict=True)
    )
    assert written["suites"] == ["pytest test_it.py"]
    assert list(written["imports"]["pytest test_it.py"]["new"]) == ["test_it", "thing"]
    pairs = pairs_of(tmp_path / "out")
    assert [len(pairs[name]) for name in NAMES] == [6, 4, 4]  # what is decided takes no further pair
    assert set(pairs[NAMES[0]][0].order.split()) <= {"ABBA", "BAAB"}
    cases = list(next(iter(JUnitXml.fromfile(str(tmp_path / "out" / "gate.xml")))))
    assert [len(case.result) for case in cases] == [1, 0, 0]
    assert "test_it.py::test_slow takes" not in cases[0].result[0].message
    assert "slower than the tolerance of 40 %" in cases[0].result[0].message


def test_a_tolerance_of_its_own_lets_a_benchmark_pass(repo, gate):
    commit(repo, {"thing.py": WORK.format(2_000), "test_it.py": SUITE}, {"thing.py": WORK.format(3_200)})
    code, out, _ = gate("--tolerance", "*::test_slow=95%", suite="'test_it.py::test_slow'")
    assert code == 0, out
    assert "not slower than the tolerance of 95 %" in out


BROKEN = {  # what the new side's suite holds → what is said of it
    "def test_it(benchmark):\n    benchmark(lambda: 1 / 0)\n": "test_it.py::test_it: ZeroDivisionError",
    "import nosuch\n": "No module named 'nosuch'",
    "def test_it(benchmark):\n    benchmark(__import__('os')._exit, 7)\n": "ended with exit code 7 in the warm-up",
    "def test_it(benchmark):\n    benchmark(id, 1)\n    benchmark(id, 1)\n": "benchmark is used a second time",
    "def test_it():\n    pass\n": "no test uses the fixture `benchmark`",
    "import pytest\n@pytest.mark.benchmark\ndef test_it():\n    pass\n": "but not the fixture of that name",
}


@pytest.mark.parametrize("new", BROKEN)
def test_a_benchmark_that_fails_is_a_broken_side(repo, gate, tmp_path, new):
    commit(repo, {"test_it.py": "def test_it(benchmark):\n    benchmark(id, 1)\n"}, {"test_it.py": new})
    code, out, _ = gate()
    assert code == 4, out
    assert out.startswith("NO VERDICT: broken, not slower: the new side ")
    assert BROKEN[new] in out.splitlines()[0]
    suite = next(iter(JUnitXml.fromfile(str(tmp_path / "out" / "gate.xml"))))
    suite.update_statistics()
    assert (suite.tests, suite.errors) == (1, 1)


LATER = """
import os
from pathlib import Path

def test_it(benchmark):
    runs = Path(__file__).with_name("runs")
    runs.write_text(runs.read_text() + "x" if runs.exists() else "x")
    if len(runs.read_text()) > 3:
        {}
    benchmark(id, 1)
"""


@pytest.mark.parametrize(
    ("then", "said"),
    [("os._exit(5)", "ended with exit code 5 before"), *weekly(("__import__('pytest').skip('now')", "left out"))],
)
def test_a_benchmark_that_is_lost_later_is_named_with_its_pair(repo, gate, then, said):
    commit(repo, {"test_it.py": LATER.format("pass")}, {"test_it.py": LATER.format(then)})
    code, out, written = gate()
    assert code == 4, out
    assert f"{said} test_it.py::test_it in pair 3" in out
    assert written["cells"][0]["pairs"] == 2


def test_benchmarks_of_one_side_are_said_and_not_compared(repo, gate):
    one = "def test_{}(benchmark):\n    benchmark(sum, range(1000))\n"
    old, new = one.format("both") + one.format("gone"), one.format("both") + one.format("added")
    commit(repo, {"test_it.py": old}, {"test_it.py": new})
    code, _, written = gate()
    assert code == 0
    assert [note for note in written["notes"] if note.startswith("only")] == [
        "only on the old side, not compared: test_it.py::test_gone",
        "only on the new side, not compared: test_it.py::test_added",
    ]


PEDANTIC = """
import os
from pathlib import Path

def log(text):
    with Path("FOLDER", str(os.getpid())).open("a") as file:
        file.write(text)

def setup():
    log("s")
    return (3,), {}

def test_it(benchmark):
    assert benchmark.pedantic(lambda n: log(str(n)) or n, setup=setup, rounds=2, warmup_rounds=1) == 3
"""


def test_pedantic_runs_what_the_user_asked_for_once_in_a_process(repo, gate, tmp_path):
    logs = tmp_path / "logs"
    logs.mkdir()
    commit(repo, {"test_it.py": PEDANTIC.replace("FOLDER", str(logs))}, {"unrelated": "1"})
    code, out, written = gate("--tolerance", "99%")
    assert code == 3 or code == 0, out
    runs = [log.read_text() for log in logs.iterdir()]
    assert set(runs) == {"s3s3s3"}
    assert len(runs) == 2 * (1 + written["cells"][0]["pairs"])


def test_a_python_without_the_plugin_says_what_to_install(repo, gate, tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bare' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    commit(repo, {"test_it.py": SUITE, "thing.py": WORK.format(1)}, {})
    code, out, _ = gate()
    assert code == 4
    assert f"the old side failed in the warm-up: pytest is not installed in {tmp_path / 'bare'}" in out


def test_a_suite_that_runs_the_users_checkout_is_no_verdict(repo, gate, monkeypatch):
    (repo.folder / "src").mkdir()
    (repo.folder / "src" / "thing.py").write_text(WORK.format(2_000))
    repo.commit(**{"test_it.py": SUITE})
    monkeypatch.setenv("PYTHONPATH", str(repo.folder / "src"))
    code, out, _ = gate()
    assert code == 4
    assert f"both sides imported thing from {repo.folder / 'src' / 'thing.py'}, which is your own checkout" in out


def test_two_jobs_with_one_benchmark_are_refused(repo, gate):
    commit(repo, {"thing.py": WORK.format(2_000), "test_it.py": SUITE}, {})
    code, out, _ = gate("--pytest", "test_it.py")
    assert code == 2
    assert "is measured by two jobs; name each benchmark once" in out


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        ("nosuch.py", "pytest: file or directory not found: nosuch.py; both revisions must hold the benchmarks"),
        ("--nosuch test_it.py", "pytest: unrecognized arguments: --nosuch"),
        ("test_it.py::test_no", "pytest: not found: "),
    ],
)
def test_what_pytest_cannot_use_is_told_in_its_words(repo, gate, suite, said):
    repo.commit(**{"thing.py": WORK.format(2_000), "test_it.py": SUITE})
    code, out, _ = gate(suite=suite)
    assert code == 4
    assert f"the old side failed in the warm-up: {said}" in out


def test_a_copy_of_the_suite_outside_is_used_for_both_sides(repo, gate, tmp_path):
    """So a suite can be newer than the revisions."""
    repo.commit(**{"thing.py": WORK.format(2_000)})
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_it.py").write_text(SUITE)
    code, out, written = gate(suite=f"{tmp_path / 'suite'} -k fast")
    assert code == 0, out
    assert [cell["cell"].rpartition("::")[2] for cell in written["cells"]] == ["test_fast[1]", "test_fast[2]"]


def test_neither_a_sides_folder_nor_settings_that_skip_benchmarks_or_need_the_cache_do_harm(repo, gate):
    """`pytest -k` also looks at the names of folders."""
    settings = "[pytest]\naddopts = --benchmark-skip --last-failed --failed-first\n"
    repo.commit(**{"thing.py": WORK.format(2_000), "test_it.py": SUITE, "pytest.ini": settings})
    code, out, written = gate(suite="test_it.py -k 'fast and not new and not old and not gate and not repository'")
    assert code == 0, out
    assert [cell["cell"] for cell in written["cells"]] == NAMES[1:]


@pytest.fixture
def worker():
    """A worker that talks to the test, as if it were the gate."""
    ours, theirs = Pipe()

    def start(cases):
        ours.send({"cases": cases, "installed": True})
        return suite_worker.Worker(str(os.dup(theirs.fileno()))), ours

    return start


def counted(counts):
    """A benchmark that takes 1 ms a call by its own account."""

    def run(calls, watch):
        counts.append(calls)
        watch.wall += calls / 1000
        watch.cpu += calls / 1000
        watch.seconds += calls / 2000
        return "result"

    return run


@pytest.mark.parametrize(("outside", "expected"), [(0.0, [1, 10, 20]), (1.0, [1])])
def test_the_warm_up_repeats_fast_code_until_a_call_is_known(worker, monkeypatch, outside, expected):
    """What each call takes outside of the clock, such as its setup, counts: it should not be repeated for long."""
    found, gate = worker(None)
    counts = []
    monkeypatch.setattr(suite_worker.time, "perf_counter", lambda: sum(counts) * (0.001 + outside))
    assert found.benchmark("a", counted(counts)) == "result"
    assert counts == expected
    told = gate.recv()
    assert (told.pop("case"), told.pop("fixed")) == ("a", False)
    assert told == pytest.approx({"seconds": 0.001, "cpu": 0.001, "elapsed": 0.001 + outside})


def test_fixed_work_is_done_once_in_the_warm_up(worker):
    found, gate = worker(None)
    counts = []
    found.benchmark("a", counted(counts), fixed=True)
    assert (counts, gate.recv()["fixed"]) == ([1], True)


def test_a_worker_takes_the_turns_that_it_is_asked_for(worker):
    found, gate = worker(["a"])
    gate.send(("turn", 3))
    gate.send(("next",))
    assert found.benchmark("a", counted([])) == "result"
    assert gate.recv() == {"case": "a"}
    assert gate.recv() == pytest.approx({"seconds": 0.0015, "wall": 0.003, "cpu": 0.003})


@pytest.mark.parametrize(
    ("old", "new", "calls", "blocks", "turns"),
    [(1e-6, 2e-6, 10_000, 2, 4), (0.01, 0.01, 2, 2, 4), (0.2, 0.1, 1, 1, 4), (0.1, 3.0, 1, 1, 2)],
)
def test_slow_code_takes_fewer_turns(old, new, calls, blocks, turns):
    (benchmark,) = pairs_of_suite(old=told(old, old), new=told(new, new)).found.values()
    assert (benchmark.calls, benchmark.blocks, len(benchmark.orders[0])) == (calls, blocks, turns)


@pytest.mark.parametrize(("cpu", "threads"), [(1.0, 1), (1.05, 1), (1.6, None)])
def test_sides_share_a_core_if_no_benchmark_uses_two(cpu, threads):
    assert pairs_of_suite(old=told(1.0, cpu), new=told(1.0, cpu)).suite.threads == threads


def told(seconds, cpu):
    """What a side's warm-up tells of its only benchmark."""
    return {"a": {"seconds": seconds, "elapsed": seconds, "cpu": cpu, "fixed": False}}


def pairs_of_suite(**sides):
    return SuitePairs(Suite("pytest", "tests", 60.0), {}, Path()).knowing(sides)
