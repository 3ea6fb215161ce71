"""Whether each side of a Python command ran its own code: what was imported, beside what the side's tree holds."""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.gate.places import Place
from bench.gate.tree_pairs import SIDES

Imports = dict[str, tuple[str, ...]]
"""Module → the files that it was imported from; several where several processes disagree."""

PROJECT_FILES = {"pyproject.toml", "setup.py", "setup.cfg"}
SOURCE_FOLDERS = ("", "src", "lib", "python")
MODULE_SUFFIXES = {".py", ".so", ".pyd", ".pyx", ".c", ".cpp", ".rs"}
"""Of a module's file in a tree: a compiled one may be there as source alone."""
INSTALLED = {"site-packages", "dist-packages"}
REMEDY = (
    "give each side an environment of its own: --prepare 'python -m venv {env} && {env}/bin/pip install {tree}' "
    "--command '{env}/bin/python ...'"
)


class OtherCodeError(Exception):
    """A side ran code that is not its own, so a comparison says nothing."""


def imports_of(places: Mapping[str, Place], side: str, reports: Iterable[Mapping[str, Any]]) -> Imports:
    """The modules that the side's tree holds, and those from the other side's folders, with where they came from."""
    place, others = places[side], [place for name, place in places.items() if name != side]
    roots = {root: {entry.name.partition(".")[0] for entry in root.iterdir()} for root in _roots(place.tree)}
    found: dict[str, set[str]] = {}
    for name, file in (module for report in reports for module in report["modules"]):
        of_others = any(_owns(other, file) for other in others)
        if of_others or any(_holds(root, name, tops) for root, tops in roots.items()):
            found.setdefault(name, set()).add(file)
    return {name: tuple(sorted(files)) for name, files in sorted(found.items())}


def check_own_code(places: Mapping[str, Place], imports: Mapping[str, Imports], checkout: Path) -> None:
    """Every module of a side's tree must come from that tree or the side's environment.

    Raises
    ------
    OtherCodeError
        Says what was imported from where, and the remedy.
    """
    foreign = {side: dict(_foreign(places[side], imports[side])) for side in SIDES}
    common = [name for name in foreign["old"] if foreign["old"][name] == foreign["new"].get(name)]
    if common:
        name = min(common, key=_depth)
        who, file = "both sides", foreign["old"][name]
    elif wrong := [(side, name) for side in SIDES for name in foreign[side]]:
        side, name = min(wrong, key=lambda one: _depth(one[1]))
        who, file = f"the {side} side", foreign[side][name]
    else:
        _check_releases(places, imports)
        return
    raise OtherCodeError(f"{who} imported {name} from {file}{_owner(file, places, checkout)}; {REMEDY}")


def _check_releases(places: Mapping[str, Place], imports: Mapping[str, Imports]) -> None:
    """What a side installed in its environment may be another release; a file that a build writes is no reason."""
    for name in sorted(imports["old"].keys() & imports["new"].keys(), key=_depth):
        trees = {side: _content(_source(places[side].tree, name)) for side in SIDES}
        files = {side: Path(imports[side][name][0]) for side in SIDES}
        ran = {side: _content(file) for side, file in files.items()}
        if None in trees.values() or trees["old"] == trees["new"]:
            continue
        for side, other in zip(SIDES, reversed(SIDES), strict=True):
            if ran[side] != trees[side] and ran[side] in (trees[other], ran[other]):
                file = f"{name} from {files[side]}, which is not the {name} of its tree"
                raise OtherCodeError(f"the {side} side imported {file} but of another release; {REMEDY}")


def _source(tree: Path, name: str) -> Path | None:
    """The file of a Python module in a tree."""
    places = (root.joinpath(*name.split(".")) for root in _roots(tree))
    found = (file for place in places for file in (place / "__init__.py", place.with_name(f"{place.name}.py")))
    return next((file for file in found if file.is_file()), None)


def _content(file: Path | None) -> bytes | None:
    return file.read_bytes() if file and file.suffix == ".py" and file.is_file() else None


def _foreign(place: Place, imports: Imports) -> Iterator[tuple[str, str]]:
    for name, files in imports.items():
        for file in files:
            if not _owns(place, file):
                yield name, file


def _owner(file: str, places: Mapping[str, Place], checkout: Path) -> str:
    """Whose file it is, in words."""
    path = Path(file)
    for side, place in places.items():
        if _owns(place, file):
            return f", which is the {side} side's"
    inside = path.is_relative_to(checkout) and not INSTALLED & set(path.parts)
    return ", which is your own checkout" if inside else ""


def _depth(name: str) -> tuple[int, str]:
    return name.count("."), name


def _owns(place: Place, file: str) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in (place.tree, place.env))


def _roots(tree: Path) -> Iterator[Path]:
    """Where a tree's top-level modules may lie: in the tree, in each project within it, and in their source folders."""
    for folder, inner, files in os.walk(tree):
        inner[:] = [name for name in inner if not name.startswith(".") and name != "node_modules"]
        if Path(folder) == tree or PROJECT_FILES & set(files):
            yield from (root for name in SOURCE_FOLDERS if (root := Path(folder) / name).is_dir())


def _holds(root: Path, name: str, tops: Iterable[str]) -> bool:
    """Whether a folder holds a module, whose first part is one of `tops`."""
    first, *_ = parts = name.split(".")
    if first not in tops:
        return False
    path = root.joinpath(*parts)
    if (path / "__init__.py").is_file():
        return True
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    return any(one.name.partition(".")[0] == path.name and one.suffix in MODULE_SUFFIXES for one in beside)
