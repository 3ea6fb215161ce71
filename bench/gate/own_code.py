"""Checks that each side of a Python command ran its own code: compares what it imported with the side's tree."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bench.gate.commands import Place
from bench.gate.no_verdict import OtherCodeError
from bench.gate.pair import SIDES

Imports = dict[str, tuple[str, ...]]
"""Module → the files that it was imported from; several if several processes disagree."""
Roots = dict[Path, set[str]]

PROJECT_FILES = {"pyproject.toml", "setup.py", "setup.cfg"}
SOURCE_FOLDERS = ("", "src", "lib", "python")
MODULE_SUFFIXES = {".py", ".so", ".pyd", ".pyx", ".c", ".cpp", ".rs"}
"""Of a module's file in a tree; of a compiled module only the source may be there."""
INSTALLED = {"site-packages", "dist-packages"}
REMEDY = "give each side an environment of its own: --install 'pip install {tree}'"


def imports_of(places: Mapping[str, Place], side: str, reports: Iterable[Mapping[str, Any]]) -> Imports:
    """The modules that the side's tree holds, and those from the other side's folders, with where they came from."""
    place, others = places[side], [place for name, place in places.items() if name != side]
    roots = _roots(place.tree)
    found: dict[str, set[str]] = {}
    for name, file in (module for report in reports for module in report["modules"]):
        # Equal revisions share an environment.
        of_others = any(_owns(other, file) for other in others) and not _owns(place, file)
        if of_others or _source(roots, name):
            found.setdefault(name, set()).add(file)
    return {name: tuple(sorted(files)) for name, files in sorted(found.items())}


def check_own_code(places: Mapping[str, Place], imports: Mapping[str, Imports], checkout: Path) -> None:
    """Every module of a side's tree must come from that tree or the side's environment.

    Raises OtherCodeError: says what was imported from where, and the remedy.
    """
    foreign = {side: _foreign(places[side], imports[side]) for side in SIDES}
    common = [name for name, file in foreign["old"].items() if file == foreign["new"].get(name)]
    wrong = [("both sides", "old", name) for name in common]
    wrong = wrong or [(f"the {side} side", side, name) for side in SIDES for name in foreign[side]]
    if not wrong:
        _check_releases(places, imports)
        return
    who, side, name = min(wrong, key=lambda one: _depth(one[2]))
    file = foreign[side][name]
    raise OtherCodeError(f"{who} imported {name} from {file}{_owner(file, places, checkout)}; {REMEDY}")


def where_from(places: Mapping[str, Place], imports: Mapping[str, Imports]) -> list[str]:
    """Top-level modules of the sides' trees that were imported, and whether from the trees or the environments."""
    found: dict[str, set[str]] = {}
    for side, modules in imports.items():
        for name, files in modules.items():
            kinds = {"environment" if Path(file).is_relative_to(places[side].env) else "tree" for file in files}
            found.setdefault(name.partition(".")[0], set()).update(kinds)
    return [f"{name} from its {' and its '.join(sorted(kinds))}" for name, kinds in found.items()]


def not_as_installed(places: Mapping[str, Place], imports: Mapping[str, Imports]) -> list[str]:
    """Top-level modules that a side imported from its tree although its environment holds them."""
    found = {name for side, modules in imports.items() for name in _from_tree(places[side], modules)}
    packages = [folder for place in places.values() for folder in place.env.glob("lib/python*/site-packages")]
    return sorted(name for name in found if any(_holds(folder, name) for folder in packages))


def _from_tree(place: Place, modules: Imports) -> set[str]:
    return {name.partition(".")[0] for name, files in modules.items() if not _within(place.env, files)}


def _within(folder: Path, files: Iterable[str]) -> bool:
    return all(Path(file).is_relative_to(folder) for file in files)


def _holds(folder: Path, name: str) -> bool:
    return (folder / name).is_dir() or any(folder.glob(f"{name}.*"))


def _check_releases(places: Mapping[str, Place], imports: Mapping[str, Imports]) -> None:
    """A side's environment may hold another release; a file that a build writes is no reason to refuse it."""
    roots = {side: _roots(places[side].tree) for side in SIDES}
    for name in sorted(imports["old"].keys() & imports["new"].keys(), key=_depth):
        trees = {side: _content(_source(roots[side], name)) for side in SIDES}
        files = {side: Path(imports[side][name][0]) for side in SIDES}
        ran = {side: _content(file) for side, file in files.items()}
        if None in trees.values() or trees["old"] == trees["new"]:
            continue
        for side, other in zip(SIDES, reversed(SIDES), strict=True):
            if ran[side] != trees[side] and ran[side] in (trees[other], ran[other]):
                file = f"{name} from {files[side]}, which is not the {name} of its tree"
                raise OtherCodeError(f"the {side} side imported {file} but of another release; {REMEDY}")


def _content(file: Path | None) -> bytes | None:
    return file.read_bytes() if file and file.suffix == ".py" and file.is_file() else None


def _foreign(place: Place, imports: Imports) -> dict[str, str]:
    return {name: file for name, files in imports.items() for file in files if not _owns(place, file)}


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


def _roots(tree: Path) -> Roots:
    """Folder that may hold top-level modules → the names in it: the tree, each project within, their source folders."""
    found: Roots = {}
    for folder, inner, files in os.walk(tree):
        inner[:] = [name for name in inner if not name.startswith(".") and name != "node_modules"]
        if Path(folder) == tree or PROJECT_FILES & set(files):
            for root in (Path(folder) / name for name in SOURCE_FOLDERS):
                found |= {root: {entry.name.partition(".")[0] for entry in root.iterdir()}} if root.is_dir() else {}
    return found


def _source(roots: Roots, name: str) -> Path | None:
    """The file of a module in a tree, Python's before others."""
    parts = name.split(".")
    for path in (root.joinpath(*parts) for root, names in roots.items() if parts[0] in names):
        beside = path.parent.iterdir() if path.parent.is_dir() else ()
        files = [one for one in beside if one.name.partition(".")[0] == path.name and one.suffix in MODULE_SUFFIXES]
        files.sort(key=lambda one: one.suffix != ".py")
        if found := [one for one in (path / "__init__.py", *files) if one.is_file()]:
            return found[0]
    return None
