"""How much code there is: lines of each folder that hold code, without blank lines, comments and docstrings.

    PYTHONPATH=. python docs/experiments/code_lines.py [REVISION]

Files that git tracks count, as they are in that revision (HEAD if it is left out).
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path, PurePosixPath

from tabulate import tabulate

from bench.core.git import git

ROOT = Path(__file__).resolve().parents[2]
LINK = "120000"
"""Git's mode of a symbolic link."""
NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(source: str) -> int:
    """Lines of a module with code on them."""
    found = set[int]()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            found.update(range(token.start[0], token.end[0] + 1))
    return len(found - docstring_lines(source))


def docstring_lines(source: str) -> set[int]:
    """Lines of strings that stand alone: docstrings, and those below a name."""
    return {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def main() -> None:
    """A row for each folder, and for each of its folders."""
    revision = (sys.argv[1:] or ["HEAD"])[0]
    code, lines = Counter[str](), Counter[str]()
    for line in git("ls-tree", "-r", revision, at=ROOT).decode().splitlines():
        mode, name = line.split(" ")[0], line.partition("\t")[2]
        if name.endswith(".py") and mode != LINK:
            source = git("show", f"{revision}:{name}", at=ROOT).decode()
            folders = PurePosixPath(name).parent.parts
            for place in {"all", "/".join(folders[:1]), "/".join(folders[:2])}:
                code[place] += code_lines(source)
                lines[place] += source.count("\n")
    rows = [(place or "(top)", f"{code[place]:,}", f"{lines[place]:,}") for place in sorted(code)]
    print(tabulate(rows, ("folder", "code", "all lines"), colalign=("left", "right", "right"), disable_numparse=True))


if __name__ == "__main__":
    main()
