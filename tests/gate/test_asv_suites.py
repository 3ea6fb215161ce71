"""`scratchbench gate --asv`: the benchmarks of an asv suite in both trees, without asv."""

import json
import os
import sys
from pathlib import Path

import pytest

from bench.gate.inside import asv_worker

SUITE = {
    "__init__.py": "",
    "parsing.py": """
import thing

class Parse:
    params = [[1, 2], ["a", "b"]]
    def setup(self, size, kind):
        if (size, kind) == (2, "b"):
            raise NotImplementedError
        self.work = thing.slow if kind == "a" else thing.fast
    def time_parse(self, size, kind):
        self.work()
    def mem_parse(self, size, kind):
        raise AssertionError("only what is timed is run")

def time_plain():
    thing.fast()
""",
}
WORK = "def fast():\n    return sum(range(2_000))\n\n\ndef slow():\n    return sum(range({}))\n"
NAMES = ["parsing.Parse.time_parse(1, 'a')", "parsing.Parse.time_parse(1, 'b')", "parsing.Parse.time_parse(2, 'a')"]


@pytest.fixture
def gate(repo, bench, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (repo.folder / "benchmarks").mkdir()
    for name, text in SUITE.items():
        (repo.folder / "benchmarks" / name).write_text(text)

    def run(*arguments, suite="benchmarks"):
        options = ("--asv", suite, "--alpha", "20%", "--tolerance", "40%")
        code, out, err = bench("gate", "--against", "HEAD", *options, *arguments)
        assert "Traceback" not in err
        written = tmp_path / "out" / "gate.json"
        return code, out or err, json.loads(written.read_text()) if written.exists() else None

    return run


def test_each_benchmark_and_parameter_has_a_verdict(repo, gate):
    repo.commit(**{"thing.py": WORK.format(2_000)})
    repo.write(**{"thing.py": WORK.format(8_000)})
    code, out, written = gate()
    assert code == 1, out
    verdicts = {cell["cell"]: cell["verdict"] for cell in written["cells"]}
    assert verdicts == {NAMES[0]: "fail", NAMES[1]: "pass", NAMES[2]: "fail", "parsing.time_plain": "pass"}
    assert written["suites"] == ["asv benchmarks"]
    assert "asv benchmarks: each side imported" in out
    assert "thing from its tree" in out


def test_patterns_choose_benchmarks(repo, gate):
    repo.commit(**{"thing.py": WORK.format(2_000)})
    code, _, written = gate(suite="benchmarks time_plain")
    assert code == 0
    assert [cell["cell"] for cell in written["cells"]] == ["parsing.time_plain"]


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        ("nosuch", "nosuch is no folder; name the folder of asv's benchmarks"),
        ("benchmarks", "parsing.Parse.time_parse(1, 'a'): ZeroDivisionError: "),
        ("benchmarks [", "'[' is no regular expression (unterminated character set at position 0)"),
        ("broken", "broken.suite cannot be imported: ModuleNotFoundError: No module named 'nosuch'"),
    ],
)
def test_what_fails_is_a_broken_side(repo, gate, suite, said):
    (repo.folder / "broken").mkdir()
    (repo.folder / "broken" / "suite.py").write_text("import nosuch\n")
    repo.commit(**{"thing.py": WORK.format("1 // 0")})
    code, out, _ = gate(suite=suite)
    assert code == 4
    assert f"the old side failed in the warm-up: {said}" in out


def test_a_suite_without_timed_benchmarks_is_told(repo, gate):
    repo.commit(**{"thing.py": WORK.format(2_000)})
    code, out, _ = gate(suite="benchmarks nosuch")
    assert code == 2
    assert "--asv 'benchmarks nosuch': it has no benchmark that is timed: a function or method named time_…" in out


class Listener:
    """Stands in for the talk with the gate: notes what is timed and calls it once."""

    def __init__(self, wanted=None):
        self.wanted, self.timed, self.installed = wanted, [], False

    def benchmark(self, name, run):
        self.timed.append(name)
        return run(1, asv_worker.SHARED["Stopwatch"]())


ORDER = """
LOG = []
def setup(*arguments): LOG.append("module setup")
def setup_cache():
    LOG.append("cache")
    return "cached"
class Suite:
    params = [1, 2]
    def setup(self, cache, number): LOG.append(f"setup {cache} {number}")
    def time_it(self, cache, number): LOG.append(f"time {cache} {number}")
    def teardown(self, cache, number): LOG.append("teardown")
"""


def test_setups_cache_and_teardown_come_in_asvs_order(tmp_path, monkeypatch):
    (tmp_path / "ordered").mkdir()
    (tmp_path / "ordered" / "suite.py").write_text(ORDER)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    listener = Listener()
    asv_worker.run(listener, str(tmp_path / "ordered"), [])
    assert listener.timed == ["suite.Suite.time_it(1)", "suite.Suite.time_it(2)"]
    once = ["module setup", "setup cached {0}", "time cached {0}", "teardown"]
    assert ["cache", *(text.format(at) for at in (1, 2) for text in once)] == sys.modules["ordered.suite"].LOG


def test_benchmarks_run_in_the_order_that_the_gate_asks_for(tmp_path, monkeypatch):
    (tmp_path / "asked").mkdir()
    (tmp_path / "asked" / "suite.py").write_text("def time_a(): pass\ndef time_b(): pass\ndef time_c(): pass\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    listener = Listener(["suite.time_c", "suite.time_a"])
    asv_worker.run(listener, str(tmp_path / "asked"), [])
    assert listener.timed == ["suite.time_c", "suite.time_a"]


USED_UP = """
class Sort:
    number = 1
    def setup(self): self.items = [3, 1, 2]
    def time_sort(self):
        assert self.items == [3, 1, 2]
        self.items.sort()
class Drain:
    number = 3
    def setup(self): self.items = [1, 2, 3]
    def time_pop(self): self.items.pop()
    def teardown(self): assert not self.items
"""


def test_a_benchmark_that_says_its_number_is_set_up_before_each_sample(repo, gate):
    """asv repeats setup, `number` calls, teardown: the benchmark may use up what its setup made."""
    (repo.folder / "benchmarks" / "parsing.py").write_text(USED_UP)
    repo.commit()
    code, out, written = gate("--minutes", "0.5")
    assert code in (0, 3), out
    assert {cell["cell"] for cell in written["cells"]} == {"parsing.Drain.time_pop", "parsing.Sort.time_sort"}
    assert all(cell["pairs"] for cell in written["cells"])
