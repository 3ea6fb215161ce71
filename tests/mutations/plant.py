"""Plants one mistake after another into a copy of the project and demands that the tests find each.

    python tests/mutations/plant.py [PATTERN]       # all, or those whose name matches the regular expression

mistakes.toml has the mistakes. found.md says which test found each; a run writes the rows of its mistakes anew.
"""

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
TABLE, PAGE = FOLDER / "mistakes.toml", FOLDER / "found.md"
OPTIONS = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no"]
IMPORTED_ONCE = ("matplotlib.figure", "numba", "pandas", "pydantic", "scipy.stats", "statsmodels.api")
TIMEOUT_SECONDS = 900
HEAD = """\
# Planted mistakes, and the tests that find them

`python tests/mutations/plant.py` plants each mistake of `mistakes.toml` into a copy of the project, one at a time, runs
the tests that the table names, and demands that one of them fails. The same test must pass without the mistake.

| mistake | file | what becomes of it | found by |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Mistake:
    """The text `old`, which stands in the file once, becomes `new`; one of `tests` must fail then."""

    name: str
    file: str
    old: str
    new: str
    tests: str

    def planted_in(self, text: str) -> str:
        """The file's text with the mistake."""
        if (count := text.count(self.old)) != 1:
            sys.exit(f"{TABLE}: {self.name}: {self.old!r} is {count} times in {self.file}; allowed: once")
        return text.replace(self.old, self.new)

    def row(self, finder: str) -> str:
        """As the page has it."""
        file, old, new, test = (self._cell(text) for text in (self.file, self.old, self.new, finder))
        return f"| {self.name} | {file} | {old} → {new} | {test} |\n"

    @staticmethod
    def _cell(text: str) -> str:
        return f"`{' '.join(text.split())}`".replace("|", "\\|") if text else "nothing"


def mistakes(pattern: str) -> list[Mistake]:
    """Those of the table whose name matches."""
    rows = tomllib.loads(TABLE.read_text("utf-8"))["mistake"]
    return [Mistake(**row) for row in rows if re.search(pattern, row["name"])]


@contextmanager
def copy_of_the_project() -> Iterator[Path]:
    """The files that git knows, as they are now, in a temporary folder."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        for name in filter(None, listed.stdout.decode().splitlines()):
            if (ROOT / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder) / name)
        yield Path(folder)


def failed(copy: Path, *arguments: str) -> set[str] | None:
    """The tests that fail; None where pytest could not run them, which is no test's merit."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        child = get_context("fork").Process(target=_run, args=(copy, arguments, output.name))
        child.start()
        child.join(TIMEOUT_SECONDS)
        child.kill()
        told = output.read()
    found = set(re.findall(r"^FAILED (.+?)(?: - .*)?$", told, re.MULTILINE))
    if child.exitcode not in (0, 1) or (child.exitcode == 1 and not found):
        print(told[-1000:])
        return None
    return found


def _run(copy: Path, arguments: Sequence[str], output: str) -> None:
    """pytest in a child that has no module of the project yet, but all that takes seconds to import."""
    with open(output, "w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(copy)
    sys.dont_write_bytecode = True  # old code is told by its second and size alone
    sys.path[0] = str(copy)
    code = pytest.main([*OPTIONS, *arguments])
    sys.stdout.flush()
    os._exit(code)


def finder_of(mistake: Mistake, copy: Path) -> str:
    """The test that fails with the mistake; nothing where there is none."""
    path = copy / mistake.file
    right = path.read_text("utf-8")
    path.write_text(mistake.planted_in(right), "utf-8")
    try:
        return min(failed(copy, "-x", *shlex.split(mistake.tests)) or {""})
    finally:
        path.write_text(right, "utf-8")


def found(chosen: list[Mistake], copy: Path) -> dict[str, str]:
    """Mistake → the test that fails with it and passes without any."""
    finders = {}
    for mistake in chosen:
        finders[mistake.name] = finder_of(mistake, copy)
        print(f"{mistake.name}: {finders[mistake.name] or 'NOT FOUND'}", flush=True)
    tests = sorted(set(finders.values()) - {""})
    always = failed(copy, *tests) if tests else set()
    if always is None:
        sys.exit("the tests that found mistakes cannot be run together without one")
    return {name: test if test not in always else "" for name, test in finders.items()}


def main() -> None:
    """Exit code 1 where a mistake is not found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="?", default="", metavar="PATTERN")
    pattern = parser.parse_args().pattern
    chosen = mistakes(pattern)
    for mistake in chosen:  # all their texts are found before the first is planted
        mistake.planted_in((ROOT / mistake.file).read_text("utf-8"))
    with copy_of_the_project() as copy:
        os.environ.update(
            PYTHONPATH=str(copy), SCRATCHNET_CACHE_DIR=str(copy / "compiled"), PYTHONDONTWRITEBYTECODE="1"
        )
        for name in IMPORTED_ONCE:
            import_module(name)
        finders = found(chosen, copy)
    rows = _rows() | {mistake.name: mistake.row(finders[mistake.name]) for mistake in chosen}
    missed = [name for name, finder in finders.items() if not finder]
    print(f"{len(finders) - len(missed)} of {len(finders)} found", *missed)
    PAGE.write_text(HEAD + "".join(rows.get(mistake.name, "") for mistake in mistakes("")), "utf-8")
    sys.exit(1 if missed else 0)


def _rows() -> dict[str, str]:
    """The page's rows so far: a run of some mistakes leaves those of the others."""
    lines = PAGE.read_text("utf-8").splitlines(keepends=True) if PAGE.exists() else []
    return {line.split(" ")[1]: line for line in lines if line.startswith("| ") and line.count("`") >= 4}


if __name__ == "__main__":
    main()
