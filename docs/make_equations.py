"""Writes docs/equations.md: every equation with the page that derives it, the code that computes it, and its own test.

Places in code and tests are found by `ast`, so that nothing of the project is imported. `python docs/make_equations.py`
writes the page from docs/equations.toml; with `--check` it writes nothing and names each row that is wrong.
"""

import argparse
import ast
import io
import re
import sys
import tokenize
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLE, PAGE, DERIVATION = "docs/equations.toml", "docs/equations.md", "docs/derivation"

IDS = [*(str(number) for number in range(1, 52)), *(f"BP{part}.{of}" for of in (1, 2) for part in (1, 2, 3, 4))]
"""The equations of the founding document, and the eight that it has only as headings."""

NUMBERS = re.compile(r"\((\d+)\)(?: to \((\d+)\))?")
NAMES = re.compile(r"BP\d\.\d")
TAG = re.compile(r"\\tag\{([^}]+)\}")
HEADING = re.compile(r"#+ +(.*)")

Place = ast.FunctionDef | ast.ClassDef

HEAD = """\
# Every equation, its code and its test

This page leads from every equation to its derivation, its code and its test. (1) to (51) are the equations of the
founding document. BP1.1 to BP4.2 are the four equations of backward propagation, for one example (.1) and for a batch
(.2). The code has the number of the equation in a comment or docstring. The test computes the equation from its
definition and compares.

`python docs/make_equations.py` makes this page from `docs/equations.toml`: do not edit it here. With `--check` it fails
if a link of a row leads nowhere; the tests run this check.

| equation | code | shape of the result | test |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Entry:
    """One row: code as `module:name`, one or several; test as pytest's node id."""

    id: str
    title: str
    code: Sequence[str]
    shape: str
    test: str

    @property
    def label(self) -> str:
        return self.id if self.id.startswith("BP") else f"({self.id})"


def read(root: Path) -> list[Entry]:
    """The rows of the table.

    Raises
    ------
    ValueError
        Where a row lacks a key or has one too many.
    """
    expected = [field.name for field in fields(Entry)]
    rows = tomllib.loads((root / TABLE).read_text("utf-8"))["equation"]
    for number, row in enumerate(rows, start=1):
        if set(row) != set(expected):
            raise ValueError(f"row {number} ({row.get('id')}) has {', '.join(row)}; allowed: {', '.join(expected)}")
    return [Entry(**row) for row in rows]


def problems(root: Path, entries: Sequence[Entry]) -> Iterator[str]:
    """What is wrong with the table, one line each, beginning with the row."""
    yield from _wrong_ids(entries)
    tags, tests = Counter(tag for tag, _, _ in tagged(root)), Counter(entry.test for entry in entries)
    for entry in entries:
        for code in entry.code:
            yield from (f"{entry.label}: {problem}" for problem in _wrong_code(root, code, entry.id))
        if not _test_exists(root, entry.test):
            yield f"{entry.label}: there is no test {entry.test}"
        if tests[entry.test] > 1:
            yield f"{entry.label}: test {entry.test} is another equation's too"
        if tags[entry.id] != 1:
            yield f"{entry.label}: {tags[entry.id]} times \\tag{{{entry.id}}} in {DERIVATION}/*.md; allowed: once"


def _wrong_ids(entries: Sequence[Entry]) -> Iterator[str]:
    counts = Counter(entry.id for entry in entries)
    for name in IDS:
        if counts[name] != 1:
            yield f"{name}: {counts[name]} rows; allowed: one"
    for name in counts:
        if name not in IDS:
            yield f"{name}: no such equation; allowed: 1 to 51, BP1.1 to BP4.2"


def _wrong_code(root: Path, code: str, name: str) -> Iterator[str]:
    path = source_of(root, code)
    node = find(path, code.partition(":")[2]) if path.is_file() else None
    if node is None:
        yield f"there is no {code}"
    elif name not in carried(path.read_text("utf-8"), node):
        yield f"{code} does not carry the number in a comment or docstring"


def _test_exists(root: Path, test: str) -> bool:
    path, _, name = test.partition("::")
    return name.startswith("test_") and (root / path).is_file() and find(root / path, name) is not None


def source_of(root: Path, code: str) -> Path:
    """The file of `module:name`."""
    return root / f"{code.partition(':')[0].replace('.', '/')}.py"


def find(path: Path, name: str) -> Place | None:
    """The function or class of a dotted name, or None."""
    found: ast.Module | Place = ast.parse(path.read_text("utf-8"))
    for part in name.split("."):
        inside = [node for node in found.body if isinstance(node, Place) and node.name == part]
        if not inside:
            return None
        found = inside[-1]
    return found if isinstance(found, Place) else None


def carried(source: str, node: Place) -> set[str]:
    """The equations that the comments and docstrings of a function or class name; (26) to (31) names six."""
    lines = source.splitlines(keepends=True)[node.lineno - 1 : node.end_lineno]
    text = "".join(["if 1:\n", *lines] if node.col_offset else lines)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    words = [token.string for token in tokens if token.type == tokenize.COMMENT]
    words += [ast.get_docstring(inner) or "" for inner in ast.walk(node) if isinstance(inner, Place)]
    found = set()
    for first, last in NUMBERS.findall(" ".join(words)):
        found |= {str(number) for number in range(int(first), int(last or first) + 1)}
    return found | set(NAMES.findall(" ".join(words)))


def tagged(root: Path) -> Iterator[tuple[str, Path, str]]:
    """Each \\tag of the pages: its name, the page, and the anchor of the heading above it, as GitHub makes it."""
    for page in sorted((root / DERIVATION).glob("*.md")):
        anchor = ""
        for line in page.read_text("utf-8").splitlines():
            if heading := HEADING.fullmatch(line):
                anchor = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            yield from ((name, page, anchor) for name in TAG.findall(line))


def page_of(root: Path, entries: Sequence[Entry]) -> str:
    """The text of docs/equations.md."""
    places = {name: f"derivation/{page.name}#{anchor}" for name, page, anchor in tagged(root)}
    return HEAD + "".join(_row(entry, places.get(entry.id, "")) for entry in entries)


def _row(entry: Entry, place: str) -> str:
    code = ", ".join(_code_link(one) for one in entry.code)
    path, _, test = entry.test.partition("::")
    return f"| [{entry.label}]({place}) {entry.title} | {code} | {entry.shape} | [`{test}`](../{path}) |\n"


def _code_link(code: str) -> str:
    module, _, name = code.partition(":")
    return f"[`{module.rpartition('.')[2]}.{name}`](../{module.replace('.', '/')}.py)"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help=f"write nothing; fail where {TABLE} or {PAGE} is wrong")
    check = parser.parse_args().check

    try:
        entries = read(ROOT)
    except (KeyError, ValueError) as error:
        print(f"{TABLE}: {error}")
        return 1
    found, page = list(problems(ROOT, entries)), page_of(ROOT, entries)
    if check and not found and (ROOT / PAGE).read_text("utf-8") != page:
        print(f"{PAGE} is stale; run: python docs/make_equations.py")
        return 1
    if not check:
        (ROOT / PAGE).write_text(page, "utf-8")
    print(*(f"{TABLE}: {problem}" for problem in found), sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
