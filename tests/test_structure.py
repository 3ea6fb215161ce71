"""What may be loaded when, how long and how deep functions may be, and what is promised of public names."""

import ast
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bench.cli import main

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("scratchnet", "bench", "reference_tf")
SOURCES = {str(path.relative_to(ROOT)): path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))}

FRAMEWORKS = {"tensorflow", "keras", "pandas", "matplotlib"}
IMPORT_ALL_OF_SCRATCHNET = """
import importlib, pkgutil, sys, scratchnet
for module in pkgutil.walk_packages(scratchnet.__path__, "scratchnet."):
    if module.name != "scratchnet.sklearn":  # what the extra `sklearn` is for
        importlib.import_module(module.name)
print(*sys.modules)
"""

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef
BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.TryStar, ast.Match, ast.AsyncFor, ast.AsyncWith)


class Measure(NamedTuple):
    """One function: where it is, its code lines, how deep its blocks are nested."""

    place: str
    lines: int
    nesting: int


def run_python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, text=True)


def top_levels(modules: list[str]) -> set[str]:
    return {name.strip().partition(".")[0] for name in modules}


def code_lines(function: Function, text: list[str]) -> int:
    """Lines from `def` to the end, without docstring, comments and blank lines."""
    has_docstring = ast.get_docstring(function) is not None
    first = function.body[0]
    docstring = range(first.lineno, (first.end_lineno or 0) + 1) if has_docstring else range(0)
    numbers = (number for number in range(function.lineno, (function.end_lineno or 0) + 1) if number not in docstring)
    stripped = (text[number - 1].strip() for number in numbers)
    return sum(bool(line) and not line.startswith("#") for line in stripped)


def nesting(node: ast.AST) -> int:
    """Depth of the deepest block in a node; `elif` is as deep as its `if`, a function within starts afresh."""
    return max((_depth(child, node) for child in ast.iter_child_nodes(node)), default=0)


def _depth(child: ast.AST, parent: ast.AST) -> int:
    if isinstance(child, Documented):
        return 0
    is_elif = isinstance(child, ast.If) and isinstance(parent, ast.If) and parent.orelse == [child]
    return nesting(child) + (isinstance(child, BLOCKS) and not is_elif)


def measures(name: str, source: str) -> Iterator[Measure]:
    text = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Function):
            yield Measure(f"{name}:{node.lineno} {node.name}", code_lines(node, text), nesting(node))


def public(body: list[ast.stmt]) -> Iterator[Documented]:
    """Public functions and classes of a body."""
    return (node for node in body if isinstance(node, Documented) and not node.name.startswith("_"))


def methods(classes: Iterable[ast.AST]) -> Iterator[Documented]:
    """Public methods of those nodes that are classes."""
    return (method for node in classes if isinstance(node, ast.ClassDef) for method in public(node.body))


def undocumented(module: ast.Module, declared: set[str]) -> list[str]:
    """Public names without a docstring; a method of a name in `declared` has it where it is declared."""
    nodes = list(public(module.body))
    own_methods = (method for method in methods(nodes) if method.name not in declared)
    return [node.name for node in (*nodes, *own_methods) if ast.get_docstring(node) is None]


def bound_names(module: ast.Module) -> Iterator[str]:
    """Names that the top level of a module binds."""
    for node in module.body:
        if isinstance(node, Documented):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        else:
            yield from (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def promised_names(module: ast.Module) -> list[str]:
    """What `__all__` lists."""
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


@pytest.fixture(scope="module")
def all_measures() -> list[Measure]:
    found = [measure for name, path in SOURCES.items() for measure in measures(name, path.read_text("utf-8"))]
    assert len(found) > 100
    return found


def test_scratchnet_stands_alone():
    loaded = top_levels(run_python("-c", IMPORT_ALL_OF_SCRATCHNET).stdout.split())
    assert "numpy" in loaded
    assert loaded & (FRAMEWORKS | {"bench", "reference_tf", "pydantic"}) == set()


@pytest.mark.parametrize("command", ["", *main.commands])
def test_help_loads_nothing_heavy(command):
    told = run_python("-X", "importtime", "-m", "bench", *command.split(), "--help")
    loaded = top_levels([line.rpartition("|")[2] for line in told.stderr.splitlines()])
    assert told.stdout.startswith("Usage: python -m bench")
    assert "click" in loaded
    assert loaded & (FRAMEWORKS | {"numpy", "scipy", "pydantic"}) == set()


def test_median_function_is_short(all_measures):
    assert statistics.median(measure.lines for measure in all_measures) <= 8


def test_long_functions_are_few(all_measures):
    longest = sorted(all_measures, key=lambda measure: -measure.lines)[:5]
    assert statistics.quantiles((measure.lines for measure in all_measures), n=10)[-1] <= 25, longest


def test_no_function_is_nested_deeply(all_measures):
    assert [measure for measure in all_measures if measure.nesting > 3] == []


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    return {name: ast.parse(path.read_text("utf-8")) for name, path in SOURCES.items()}


def test_a_module_says_what_it_holds(modules):
    assert [name for name, module in modules.items() if not ast.get_docstring(module)] == []


def test_public_names_have_docstrings(modules):
    """A method that has one somewhere, in a protocol or a base class, private ones too, need not repeat it."""
    declared = {
        method.name for module in modules.values() for method in methods(module.body) if ast.get_docstring(method)
    }
    assert {name: missing for name, module in modules.items() if (missing := undocumented(module, declared))} == {}


def test_names_in_all_exist(modules):
    for name, module in modules.items():
        promised = promised_names(module)
        assert len(promised) == len(set(promised)), name
        assert set(promised) <= set(bound_names(module)), name


@pytest.mark.parametrize(
    ("body", "lines", "depth"),
    [
        ("pass", 2, 0),
        ('"""One.\n\n    Two.\n    """\n    pass', 2, 0),
        ("# why\n\n    pass", 2, 0),
        ("if a:\n        pass\n    elif b:\n        pass\n    else:\n        pass", 7, 1),
        ("if a:\n        pass\n    else:\n        for b in c:\n            pass", 6, 2),
        ("for a in b:\n     with c:\n      try:\n       d\n      finally:\n       e", 7, 3),
        ("while a:\n        def g():\n            if b:\n                pass", 5, 1),
    ],
)
def test_measures_of_a_known_function(body, lines, depth):
    (outer, *_) = measures("here", f"def f():\n    {body}\n")
    assert outer == Measure("here:1 f", lines, depth)


def test_a_missing_docstring_is_found():
    source = 'def f(): pass\ndef _g(): pass\nclass A:\n    """A."""\n    def m(self): pass\n    def n(self): pass\n'
    assert undocumented(ast.parse(source), declared={"n"}) == ["f", "m"]


def test_a_missing_name_is_found():
    module = ast.parse('from a import b as c\nd = 1\ndef e(): pass\n__all__ = ["c", "d", "e", "b"]\n')
    assert set(promised_names(module)) - set(bound_names(module)) == {"b"}
