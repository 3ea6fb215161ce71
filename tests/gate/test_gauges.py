"""`--measure peak-memory` and `--count instructions`: other quantities by the same rule, refused with a reason."""

import json
import os
import sys
from pathlib import Path

import pytest

from bench.gate import gauges
from bench.gate.records import pairs_of

MEGABYTE = 2**20
PEAK = ("--measure", "peak-memory")
PERF = f"""#!{sys.executable}
import subprocess, sys
before, command = sys.argv[1 : sys.argv.index("--")], sys.argv[sys.argv.index("--") + 1 :]
code = subprocess.call(command)
with open(before[before.index("--output") + 1], "w") as file:
    file.write("# started\\n\\n" + {{line!r}} + "\\n")
sys.exit(code)
"""
"""Stands in for perf, which counts nothing in most virtual machines; it writes as perf 6 does."""


def written(tmp_path):
    return json.loads((tmp_path / "out" / "gate.json").read_text())


def memory(megabytes):
    return f"bytearray({megabytes * MEGABYTE})\n"


def test_more_peak_memory_of_a_command_fails(repo, bench, tmp_path):
    repo.commit(**{"run.py": memory(50)})
    repo.write(**{"run.py": memory(80)})
    command = f"true; {sys.executable} {{tree}}/run.py; true"
    code, out, _ = bench("gate", "--against", "HEAD", *PEAK, "--command", command)
    assert code == 1, out
    assert " times the peak memory of " in out
    assert "more than the tolerance of 3 %" in out
    assert written(tmp_path)["quantity"] == "peak-memory"
    (pair, *_) = pairs_of(tmp_path / "out")["command"]
    assert pair.new_amounts[0] - pair.old_amounts[0] == pytest.approx(30 * MEGABYTE, rel=0.1)


def test_a_small_command_is_not_charged_with_the_memory_of_the_gate(repo, bench, tmp_path):
    repo.commit(one="1")
    bench("gate", "--against", "HEAD", *PEAK, "--command", "true {tree}", "--tolerance", "50%")
    assert all(pair.old_amounts[0] < 20 * MEGABYTE for pair in pairs_of(tmp_path / "out")["command"])


SUITE = """
import thing

def test_it(benchmark):
    benchmark(thing.work)

def test_small(benchmark):
    benchmark(id, 1)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux alone can forget a peak")
def test_more_peak_memory_of_a_benchmark_fails(repo, bench, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    # Other plugins take most of the time in which pytest starts.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p pytest_benchmark.plugin")
    work = "def work():\n    return len(bytearray({}))\n"
    repo.commit(**{"test_it.py": SUITE, "thing.py": work.format(10 * MEGABYTE)})
    repo.write(**{"thing.py": work.format(100 * MEGABYTE)})
    code, out, _ = bench("gate", "--against", "HEAD", *PEAK, "--pytest", "test_it.py", "--alpha", "20%")
    assert code == 1, out
    verdicts = {cell["cell"]: cell["verdict"] for cell in written(tmp_path)["cells"]}
    assert verdicts == {"test_it.py::test_it": "fail", "test_it.py::test_small": "pass"}


@pytest.fixture
def perf(tmp_path, monkeypatch):
    """Puts a perf on PATH that writes this line of counts."""

    def install(line):
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "perf").write_text(PERF.format(line=line))
        (programs / "perf").chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    return install


def test_instructions_are_what_perf_counts(repo, bench, perf, tmp_path):
    perf("123456,,instructions:u,1000,100.00,,")
    repo.commit(one="1")
    code, out, _ = bench("gate", "--against", "HEAD", "--count", "instructions", "--command", "true {tree}")
    assert code == 0, out
    assert " executes 1.000 times the instructions of " in out
    assert all(pair.old_amounts == pair.new_amounts == (123456,) for pair in pairs_of(tmp_path / "out")["command"])


def test_a_command_that_fails_under_perf_is_broken(repo, bench, perf):
    perf("123456,,instructions:u,1000,100.00,,")
    repo.commit(one="1")
    code, out, _ = bench("gate", "--against", "HEAD", "--count", "instructions", "--command", "exit 7 # {tree}")
    assert code == 4
    assert "the old side ended with exit code 7 in the warm-up" in out


@pytest.mark.parametrize(
    "line", ["<not supported>,,instructions:u,0,100.00,,", "", "<not counted>,,instructions:u,0,0.00,,"]
)
def test_a_machine_without_counters_is_refused_with_the_reason(repo, bench, perf, line):
    perf(line)
    repo.commit(one="1")
    code, out, err = bench("gate", "--against", "HEAD", "--count", "instructions", "--command", "true {tree}")
    assert (code, out) == (2, "")
    assert "error: instructions: cannot be measured here: perf counts no instructions:u (" in err.splitlines()[-1]
    assert "compare --clock cpu" in err.splitlines()[-1]


def test_no_perf_is_refused_with_the_remedy(repo, bench, tmp_path, monkeypatch):
    monkeypatch.setattr(gauges.shutil, "which", lambda name: None)
    assert gauges.GAUGES["instructions"].why_not().startswith("perf is not on PATH; install it")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--count", "instructions", "--pytest", "tests"), "--count need --command"),
        (("--measure", "peak-memory"), "--clock and --measure need --command, --pytest or --asv"),
        (
            (*PEAK, "--clock", "cpu", "--command", "true {tree}"),
            "leave out --clock and --own-clock",
        ),
        ((*PEAK, "--own-clock", "--command", "true {tree}"), "leave out --clock and --own-clock"),
    ],
)
def test_what_does_not_fit_is_one_line(repo, bench, arguments, said):
    repo.commit(one="1")
    code, out, err = bench("gate", "--against", "HEAD", *arguments)
    assert (code, out) == (2, "")
    assert said in err.splitlines()[-1]
