"""The benchmarks beside this file run, so that they cannot rot: each once, in the smallest shape, without a clock."""

import re
import subprocess
import sys
from pathlib import Path

from shapes import header

from bench.backends import registry
from scratchnet import engine

HERE = Path(__file__).parent
SMALLEST = "784-30-10 and not M128 and not M512 and (not test_steps or scratchnet)"
EXPECTED = {"bench_backends.py": 1, "bench_formulations.py": 9, "bench_parts.py": 8}


def pytest_of(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pytest", str(HERE), "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=120, check=False)


def test_every_benchmark_runs_in_its_smallest_shape():
    done = pytest_of("-o", "python_files=bench_*.py", "--benchmark-disable", "-k", SMALLEST, "-v")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    passed = re.findall(r"(bench_\w+\.py)::\S.* PASSED", done.stdout)
    assert {name: passed.count(name) for name in set(passed)} == EXPECTED


def test_the_header_says_what_takes_the_steps_and_how_to_install_what_is_not(monkeypatch):
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "jax" else True)
    first, *missing = header()
    assert first == f"scratchnet's steps: {engine.library()}"
    assert missing == ["not timed: jax-scan: jax is not installed; pip install 'scratchnet[jax]'"]


def test_the_ordinary_command_collects_no_benchmark():
    done = pytest_of("--collect-only", "-q")
    assert "test_suites_run.py" in done.stdout
    assert "bench_" not in done.stdout
