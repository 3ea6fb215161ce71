"""`scratchbench gate --command`: what a Python command imported, and no verdict where that is not its side's own."""

import json
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from covering import weekly

from bench.gate.commands import Command, Place
from bench.gate.no_verdict import NotFixedWorkError
from bench.gate.own_code import imports_of
from bench.gate.warm_up import WarmUp

BENCHMARK = "import thing\nprint(thing.SECONDS)\n"
RUN = "{tree}/benchmarks/run.py"
RECIPE = "give each side an environment of its own: --install 'pip install {tree}'"
SITE = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


@pytest.fixture
def layout(request, repo):
    """A package five times slower in the work tree than in its commit, and the folder within the tree that holds it."""
    layout = getattr(request, "param", "src")
    source = repo.folder / layout
    for folder in (source / "thing", repo.folder / "benchmarks"):
        folder.mkdir(parents=True)
    (repo.folder / "benchmarks" / "run.py").write_text(BENCHMARK)
    (source / "thing" / "__init__.py").write_text("SECONDS = 1.0\n")
    repo.commit()
    (source / "thing" / "__init__.py").write_text("SECONDS = 5.0\n")
    return layout


FLAT_TOO = pytest.mark.parametrize("layout", ["", "src"], ids=["flat", "src"], indirect=True)


@pytest.fixture
def shared(tmp_path):
    """An environment that both sides use: its Python and its site-packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "shared"], check=True)
    return tmp_path / "shared" / "bin" / "python", tmp_path / "shared" / SITE


@pytest.fixture
def gate(bench, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)

    def run(command, *arguments):
        return bench("gate", "--against", "HEAD", "--own-clock", "--command", command, *arguments)

    return run


def written(tmp_path):
    return json.loads((tmp_path / "out" / "gate.json").read_text())


@FLAT_TOO
def test_an_editable_installation_of_the_users_checkout_is_no_verdict(repo, gate, layout, shared):
    python, site = shared
    source = repo.folder / layout
    (site / "thing.pth").write_text(f"{source}\n")
    code, out, _ = gate(f"{python} {RUN}")
    assert code == 4
    first, *_ = out.splitlines()
    said = f"both sides imported thing from {source}/thing/__init__.py, which is your own checkout; {RECIPE}"
    assert first.startswith(f"NO VERDICT: not each side's own code: {said}")


def test_a_path_to_the_users_checkout_is_no_verdict(repo, gate, layout, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(repo.folder / layout))
    code, out, _ = gate(f"{sys.executable} {RUN}")
    assert code == 4
    assert "both sides imported thing from" in out


def test_an_installation_that_the_second_side_overwrites_is_no_verdict(gate, layout, shared, tmp_path):
    python, site = shared
    install = f"rm -rf {site}/thing && cp -r {{tree}}/{layout}/thing {site}"
    code, out, _ = gate(f"{python} {RUN}", "--prepare", install)
    assert code == 4
    assert f"both sides imported thing from {site}/thing/__init__.py; {RECIPE}" in out
    assert written(tmp_path)["imports"]["command"]["old"] == {"thing": [f"{site}/thing/__init__.py"]}


def test_an_editable_installation_of_one_side_is_no_verdict(gate, layout, shared):
    python, site = shared
    code, out, _ = gate(f"{python} {RUN}", "--prepare", f"echo {{tree}}/{layout} > {site}/thing.pth")
    assert code == 4
    assert "the old side imported thing from " in out
    assert "/thing/__init__.py, which is the new side's; " in out


VENV = f"{sys.executable} -m venv --without-pip {{env}}"
INSTALLS = {
    "copied": "cp -r {{tree}}/{layout}/thing {{env}}/{site}",
    "editable": "echo {{tree}}/{layout} > {{env}}/{site}/thing.pth",
}


@FLAT_TOO
@pytest.mark.parametrize("install", INSTALLS)
def test_an_environment_for_each_side_finds_the_slowdown(gate, layout, tmp_path, install):
    prepare = f"{VENV} && {INSTALLS[install].format(layout=layout, site=SITE)}"
    code, out, _ = gate(f"{{env}}/bin/python {RUN}", "--prepare", prepare)
    assert code == 1, out
    imports = written(tmp_path)["imports"]["command"]
    assert list(imports["old"]) == list(imports["new"]) == ["thing"]
    assert imports["old"] != imports["new"]


def test_a_command_without_the_tree_may_name_the_environment_alone(gate, layout):
    prepare = f"{VENV} && {INSTALLS['copied'].format(layout=layout, site=SITE)}"
    assert gate("{env}/bin/python benchmarks/run.py", "--prepare", prepare)[0] == 1


def test_an_environment_that_is_installed_from_the_checkout_is_no_verdict(repo, gate, layout):
    prepare = f"{VENV} && echo {repo.folder / layout} > {{env}}/{SITE}/thing.pth"
    code, out, _ = gate(f"{{env}}/bin/python {RUN}", "--prepare", prepare)
    assert code == 4
    assert "which is your own checkout" in out


@pytest.mark.parametrize("released", [1.0, 2.0], ids=["the old tree's", "neither tree's"])
def test_another_release_in_the_environments_is_no_verdict(repo, gate, layout, tmp_path, released):
    (tmp_path / "release" / "thing").mkdir(parents=True)
    (tmp_path / "release" / "thing" / "__init__.py").write_text(f"SECONDS = {released}\n")
    code, out, _ = gate(
        f"{{env}}/bin/python {RUN}", "--prepare", f"{VENV} && cp -r {tmp_path}/release/thing {{env}}/{SITE}"
    )
    assert code == 4, out
    said = "which is not the thing of its tree but of another release; give each side an environment of its own"
    assert said in out.splitlines()[0]


def test_a_file_that_the_installation_writes_is_no_other_release(repo, gate, layout, tmp_path):
    source = repo.folder / layout / "thing"
    (source / "version.py").write_text("VERSION = None\n")
    (source / "__init__.py").write_text("from thing.version import VERSION\nSECONDS = 5.0 if VERSION else 0.0\n")
    writes = f"echo 'VERSION = 1' > {{env}}/{SITE}/thing/version.py"
    install = INSTALLS["copied"].format(layout=layout, site=SITE)
    repo.commit()
    (source / "__init__.py").write_text("from thing.version import VERSION\nSECONDS = 9.0 if VERSION else 0.0\n")
    assert gate(f"{{env}}/bin/python {RUN}", "--prepare", f"{VENV} && {install} && {writes}")[0] == 1


def test_a_path_that_the_command_sets_itself_is_checked(repo, gate, layout, tmp_path):
    assert gate(f"PYTHONPATH={{tree}}/{layout} {sys.executable} {RUN}")[0] == 1
    assert list(written(tmp_path)["imports"]["command"]["new"]) == ["thing"]


def test_a_wrong_path_that_the_command_sets_itself_is_no_verdict(repo, gate, layout):
    assert gate(f"PYTHONPATH={repo.folder / layout} {sys.executable} {RUN}")[0] == 4


@pytest.mark.parametrize("how", ["-I", "-E"])
def test_a_python_that_tells_nothing_is_not_checked(repo, gate, layout, tmp_path, shared, how):
    python, site = shared
    (site / "thing.pth").write_text(f"{repo.folder / layout}\n")
    code, out, _ = gate(f"{python} {how} {RUN}")
    assert code == 0, out
    assert written(tmp_path)["imports"] == {"command": {"old": "not checked", "new": "not checked"}}


def test_a_command_without_python_is_not_checked(gate, layout, tmp_path):
    assert gate("echo 1.0 # {tree}")[0] == 0
    assert written(tmp_path)["imports"]["command"]["old"] == "not checked"


def test_a_sitecustomize_of_the_users_own_still_runs(repo, gate, layout, tmp_path, monkeypatch):
    (tmp_path / "customized").mkdir()
    (tmp_path / "customized" / "sitecustomize.py").write_text(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n")
    (tmp_path / "other.py").write_text("VALUE = 1.0\n")
    (repo.folder / "benchmarks" / "run.py").write_text("import other, sys\nprint(other.VALUE)\n")
    repo.commit()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "customized"))
    code, out, _ = gate(f"{sys.executable} {RUN}")
    assert code == 0, out
    assert written(tmp_path)["imports"]["command"] == {"old": {}, "new": {}}


def test_the_path_and_the_environment_are_the_timed_runs_ones(repo, gate, layout):
    """The warm-up prints what a timed run prints, or the sides could not be compared there."""
    text = "import sys\nassert not any('warm-up' in entry for entry in sys.path), sys.path\nprint(1.0)\n"
    (repo.folder / "benchmarks" / "run.py").write_text(text)
    repo.commit()
    assert gate(f"{sys.executable} {RUN}")[0] == 0


HELD = ["thing.py", "thing/__init__.py", "thing.cpython-311-x86_64-linux-gnu.so", "thing.pyx", "src/thing.c"]
HELD += ["packages/one/pyproject.toml packages/one/src/thing/__init__.py", "python/thing/__init__.py"]


@pytest.mark.parametrize("files", HELD)
def test_a_module_that_the_tree_holds_is_seen(tmp_path, files):
    assert imports(tmp_path, files, "thing", "/elsewhere/thing.so") == {"thing": ("/elsewhere/thing.so",)}


@pytest.mark.parametrize("files", ["thing/data.yaml", "tests/thing.py", "thing.md", "other.py", ".tox/thing.py"])
def test_a_module_that_the_tree_does_not_hold_is_let_be(tmp_path, files):
    assert imports(tmp_path, files, "thing", "/elsewhere/thing.py") == {}


def test_a_namespace_may_be_shared(tmp_path):
    held = "src/space/mine/__init__.py"
    assert imports(tmp_path, held, "space.other", "/elsewhere/space/other.py") == {}
    assert list(imports(tmp_path, held, "space.mine", "/elsewhere/space/mine/__init__.py")) == ["space.mine"]


def imports(folder: Path, files: str, name: str, file: str):
    places = {side: Place(side, folder / side, folder / f"env-{side}") for side in ("old", "new")}
    for one in files.split():
        (path := folder / "old" / one).parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return imports_of(places, "old", [{"modules": [(name, file)]}])


PYTEST = f"{sys.executable} -m pytest -q -p no:cacheprovider {{{{tree}}}}/test_{{}}.py"
SPEED = "def test_speed(benchmark):\n    {}\n"
CALLS = {
    "calibrated": "benchmark(sum, [1])",
    "pedantic": "benchmark.pedantic(sum, ([1],), rounds=5, iterations=2)",
    "unused": "pass",
}
TIMEIT = f"{sys.executable} -m timeit {{}} 'sum(range(999))' # {{{{tree}}}}"


@pytest.fixture
def warm_up(tmp_path):
    """Runs a command once in two trees that hold suites of pytest-benchmark."""
    places = {side: Place(side, tmp_path / side, tmp_path / f"env-{side}") for side in ("old", "new")}
    for place in places.values():
        place.tree.mkdir()
        for name, call in CALLS.items():
            (place.tree / f"test_{name}.py").write_text(SPEED.format(call))
    run = WarmUp(places, tmp_path / "checkout", tmp_path / "warm-up", lambda record: None)
    return lambda text, **options: run.command(Command(text, 60.0, **options))


@pytest.fixture(params=["script", "module"])
def asv(request, tmp_path, monkeypatch):
    """A program that is started as asv is."""
    package = tmp_path / "site" / "asv"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("print('benchmarks')\n")
    (tmp_path / "site" / "bin").mkdir()
    (tmp_path / "site" / "bin" / "asv").write_text("import asv.__main__\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    started = {"script": tmp_path / "site" / "bin" / "asv", "module": "-m asv"}
    return f"{sys.executable} {started[request.param]} {{}} # {{{{tree}}}}"


def test_a_suite_that_calibrates_is_no_verdict(repo, bench):
    repo.commit(**{"test_calibrated.py": SPEED.format(CALLS["calibrated"])})
    code, out, _ = bench("gate", "--against", "HEAD", "--command", PYTEST.format("calibrated"))
    assert code == 4
    said = "the work is not fixed, so seconds say nothing: command runs pytest-benchmark, which repeats fast code more"
    assert out.startswith(f"NO VERDICT: {said}")
    assert "--benchmark-disable" in out.splitlines()[0]


@pytest.mark.parametrize("text", ["calibrated", *weekly("--benchmark-disable calibrated", "pedantic", "unused")])
def test_only_a_suite_that_calibrates_is_refused(warm_up, text):
    *options, name = text.split()
    command = f"{PYTEST.format(name)} {' '.join(options)}"
    with pytest.raises(NotFixedWorkError) if text == "calibrated" else nullcontext():
        warm_up(command)
    warm_up(f"{command} && echo 1.0", own_clock=True)


@pytest.mark.parametrize("options", ["-r 3 -v", *weekly("", "-n 0", "-s 'number = 3' -u sec")])
def test_timeit_that_calibrates_is_refused(warm_up, options):
    with pytest.raises(NotFixedWorkError, match=r"runs timeit, which repeats fast code more often; .*timeit -n"):
        warm_up(TIMEIT.format(options))


@pytest.mark.parametrize("options", ["-n 3", "--number=3", "-n3 -r 1"])
def test_timeit_with_a_number_is_fixed_work(warm_up, options):
    warm_up(TIMEIT.format(options))


@pytest.mark.parametrize("arguments", ["run", "run --bench thing", "continuous HEAD^ HEAD", "--config asv.json run -e"])
def test_asv_that_calibrates_is_refused(warm_up, asv, arguments):
    with pytest.raises(NotFixedWorkError, match=r"runs asv, which repeats fast code more often; .*asv --quick"):
        warm_up(asv.format(arguments))


@pytest.mark.parametrize("arguments", ["run --quick", "run -q", "run -eq", "check"])
def test_asv_of_fixed_work_is_let_be(warm_up, asv, arguments):
    warm_up(asv.format(arguments))


def test_a_lazy_module_is_not_loaded_by_the_check(repo, gate, layout):
    """Loading it would end the command's process with another exit code."""
    lazy = (
        "import importlib.util, sys\n"
        "spec = importlib.util.find_spec('trap')\n"
        "loader = spec.loader = importlib.util.LazyLoader(spec.loader)\n"
        "module = sys.modules['trap'] = importlib.util.module_from_spec(spec)\n"
        "loader.exec_module(module)\n"
        "print(1.0)\n"
    )
    (repo.folder / "benchmarks" / "run.py").write_text(lazy)
    (repo.folder / "benchmarks" / "trap.py").write_text("import os\nos._exit(7)\n")
    repo.commit()
    code, out, _ = gate(f"{sys.executable} {RUN}")
    assert code == 0, out
