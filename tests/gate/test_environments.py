"""`--install`: an environment for each side, by venv or by a uv that stands in, kept by what it was made from."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from bench.gate import environments
from bench.gate.commands import Place

SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
COPY = f"cp -r {{tree}}/src/thing {{env}}/{SITE} && echo made >> {{env}}/made"
"""Stands in for `pip install {tree}`: no test needs the network."""
UV = f"""#!{sys.executable}
import subprocess, sys
what, *arguments = sys.argv[1:]
print("uv", what, *arguments)
if what == "venv":
    sys.exit(subprocess.call([sys.executable, "-m", "venv", "--without-pip", arguments[-1]]))
sys.exit(subprocess.call([f"cp -r {{arguments[-1]}}/src/thing $VIRTUAL_ENV/{SITE}"], shell=True))
"""


@pytest.fixture
def project(repo, tmp_path, monkeypatch):
    """A package in `src` that is five times slower in the work tree."""
    monkeypatch.setenv("SCRATCHBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    for folder in (repo.folder / "src" / "thing", repo.folder / "benchmarks"):
        folder.mkdir(parents=True)
    (repo.folder / "benchmarks" / "run.py").write_text("import thing\nprint(thing.SECONDS)\n")
    (repo.folder / "src" / "thing" / "__init__.py").write_text("SECONDS = 1.0\n")
    repo.commit()
    (repo.folder / "src" / "thing" / "__init__.py").write_text("SECONDS = 5.0\n")
    return repo


@pytest.fixture
def gate(project, bench, tmp_path, monkeypatch):
    """Runs the gate with an installation by a Python that needs no ensurepip, which takes seconds."""
    programs = tmp_path / "programs"
    programs.mkdir()
    python = programs / "python"
    bare = f'[ "$1 $2" = "-m venv" ] && exec {sys.executable} -m venv --without-pip "$3"; exec {sys.executable} "$@"'
    python.write_text(f"#!/bin/sh\n{bare}\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin")

    def run(*arguments, install=COPY, out=tmp_path / "out", command="python benchmarks/run.py"):
        command = ("--command", command, "--own-clock", "--install", install)
        return bench("gate", "--against", "HEAD", *command, *arguments, out=out)

    run.programs = programs
    return run


def test_each_side_runs_what_is_installed_in_its_environment(gate, tmp_path):
    code, out, _ = gate()
    assert code == 1, out
    assert "command: each side imported thing from its environment" in out
    written = json.loads((tmp_path / "out" / "gate.json").read_text())
    assert written["install"] == COPY
    assert written["imports"]["command"]["old"] != written["imports"]["command"]["new"]


def test_equal_sides_share_an_environment_and_name_only_the_projects_modules(gate, project):
    (project.folder / "src" / "thing" / "__init__.py").write_text("SECONDS = 1.0\n")
    (project.folder / "benchmarks" / "run.py").write_text("import other, thing\nprint(thing.SECONDS)\n")
    project.commit()
    code, out, _ = gate(install=f"{COPY} && touch {{env}}/{SITE}/other.py")
    assert code == 0, out
    assert "command: each side imported thing from its environment\n" in out


def test_a_tree_that_hides_what_is_installed_is_warned_of(gate):
    _, out, _ = gate(command="PYTHONPATH={tree}/src python benchmarks/run.py")
    assert "command: warning: thing came from the tree and not from the environment that --install made" in out


def test_pytest_imports_what_is_installed_and_not_the_package_beside_conftest(gate, project, bench, monkeypatch):
    """pytest puts the folder of the topmost conftest.py first on sys.path, where a flat layout has the package."""
    project.git("mv", "src/thing", "thing")
    test = "import thing\n\ndef test_it(benchmark):\n    benchmark(sum, range(1000))\n"
    project.commit(**{"conftest.py": "", "test_it.py": test})
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p pytest_benchmark.plugin")
    with_pytest = f"echo {Path(pytest.__file__).parents[1]} > {{env}}/{SITE}/more.pth"
    install = f"cp -r {{tree}}/thing {{env}}/{SITE} && {with_pytest}"
    options = ("--install", install, "--pytest", "test_it.py", "--minutes", "0.1")
    _, out, _ = bench("gate", "--against", "HEAD", *options)
    assert "each side imported conftest from its tree, test_it from its tree, thing from its environment\n" in out
    assert "warning" not in out


@pytest.mark.weekly
def test_an_asv_suite_imports_what_is_installed_and_not_the_package_beside_it(gate, project, bench):
    project.git("mv", "src/thing", "thing")
    (project.folder / "benchmarks" / "run.py").write_text("import thing\ndef time_it(): sum(range(1000))\n")
    project.commit()
    install = f"cp -r {{tree}}/thing {{env}}/{SITE}"
    _, out, _ = bench("gate", "--against", "HEAD", "--install", install, "--asv", "benchmarks", "--minutes", "0.1")
    assert "each side imported benchmarks from its tree, thing from its environment\n" in out


def made(tmp_path):
    """How often each environment was made."""
    return sorted(path.read_text().count("made") for path in (tmp_path / "cache").rglob("env/made"))


def test_environments_are_kept_and_used_again(gate, project, tmp_path):
    gate()
    gate(out=tmp_path / "again")
    assert made(tmp_path) == [1, 1]
    (project.folder / "src" / "thing" / "__init__.py").write_text("SECONDS = 1.0\n")
    assert gate(out=tmp_path / "other content")[0] == 0
    assert made(tmp_path) == [1, 1]  # the work tree has the commit's files again
    (project.folder / "src" / "thing" / "__init__.py").write_text("SECONDS = 2.0\n")
    gate(out=tmp_path / "new content")
    assert made(tmp_path) == [1, 1, 1]


def test_an_editable_installation_is_not_kept(gate, tmp_path):
    link = f"echo {{tree}}/src > {{env}}/{SITE}/thing.pth # pip install -e {{tree}}"
    code, out, _ = gate(install=link)
    assert code == 1, out
    assert "each side imported thing from its tree" in out
    assert not (tmp_path / "cache").exists()


def test_an_installation_that_fails_is_a_broken_side_and_made_again(gate, tmp_path):
    code, out, _ = gate(install="echo no compiler; exit 3")
    log = tmp_path / "out" / "install-old.log"
    assert code == 4
    assert f"the old side could not be installed: no compiler (whole log: {log})" in out
    assert gate(out=tmp_path / "again")[0] == 1


def test_uv_makes_the_environments_where_it_is(gate, tmp_path):
    uv = gate.programs / "uv"
    uv.write_text(UV)
    uv.chmod(0o755)
    code, out, _ = gate(install="pip install {tree}")
    assert code == 1, out
    said = (tmp_path / "out" / "install-new.log").read_text()
    assert "uv venv --quiet --python" in said
    assert "uv pip install /" in said


def test_other_versions_of_what_is_installed_are_said(gate, project):
    info = f"{{env}}/{SITE}/other-$(cat {{tree}}/version).dist-info"
    project.commit(version="1.0")
    project.write(version="2.0")
    install = f'{COPY} && mkdir {info} && printf "Name: other\\nVersion: $(cat {{tree}}/version)\\n" > {info}/METADATA'
    _, out, _ = gate(install=install)
    assert "the sides' environments differ, and the ratio includes this: other 1.0 and 2.0 (old and new side)" in out


def test_environments_that_nobody_uses_are_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRATCHBENCH_CACHE", str(tmp_path))
    root = environments.cache()
    for name, days in (("old", 15), ("new", 13)):
        (root / name).mkdir(parents=True)
        (root / name / "whole").touch()
        then = time.time() - days * 86_400
        os.utime(root / name / "whole", (then, then))
    environments._remove_unused(root)
    assert [path.name for path in root.iterdir()] == ["new"]


def test_a_side_without_an_environment_has_the_python_on_the_path(tmp_path, monkeypatch):
    place = Place("old", tmp_path, tmp_path / "env")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (place.python, place.variables) == (sys.executable, {})
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").touch()
    assert place.python == str(tmp_path / "env" / "bin" / "python")
    assert place.variables["PATH"] == f"{tmp_path / 'env' / 'bin'}{os.pathsep}{tmp_path}"
