"""What is recorded of the machine, and what a worker's environment holds."""

import json
import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from bench.core import environment, system

QUIET = {"variables": {}, "usable_cores": 4, "logical_cores": 4, "load_average": [0.5, 0.5, 0.5], "on_battery": False}


@pytest.fixture
def system_file(tmp_path, monkeypatch):
    """Stand-ins for /proc and /sys; a function that writes a file into them. The affinity has 8 cores."""
    monkeypatch.setattr(system, "PROC", tmp_path / "proc")
    monkeypatch.setattr(system, "SYS", tmp_path / "sys")
    monkeypatch.setattr(environment, "cores_of_affinity", lambda: 8)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def warnings_of(**changed):
    facts = QUIET | changed
    return [line for check in environment.CHECKS.values() for line in check(facts)]


def test_describe_is_json_and_has_every_fact():
    described = environment.describe()
    assert json.loads(json.dumps(described)) == described
    assert list(described) == [*environment.FACTS, "warnings"]
    assert described["cpu_model"]
    assert described["memory_bytes"] > 2**20
    assert described["python_version"] == platform.python_version()


def test_only_variables_that_matter_for_computing(monkeypatch):
    for name in [*os.environ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/home/somebody/dump")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/root/.terraformrc")
    monkeypatch.setenv("TF_TOKEN_app_terraform_io", "secret")
    monkeypatch.setenv("TF_VAR_password", "secret")
    assert environment.describe()["variables"] == {"OPENBLAS_CORETYPE": "Haswell", "XLA_FLAGS": "--xla_dump_to=~/dump"}


def test_git_of_a_copy_that_no_repository_tracks(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "_PACKAGE_FOLDER", tmp_path)
    assert environment._git_revision() is None
    assert environment._git_dirty() is None


def test_git_of_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "_PACKAGE_FOLDER", tmp_path)
    monkeypatch.setenv("GIT_DIR", "/nowhere")  # as in a git hook
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    own = {name: value for name, value in os.environ.items() if name != "GIT_DIR"}

    def git(*arguments):
        command = ["git", *who, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=own, check=True, capture_output=True, text=True).stdout.strip()

    (tmp_path / "core").mkdir()
    (tmp_path / "core/environment.py").touch()
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    assert environment._git_revision() == git("rev-parse", "HEAD")
    assert environment._git_dirty() is False
    (tmp_path / "core/environment.py").write_text("changed")
    assert environment._git_dirty() is True


def test_git_is_not_installed(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert environment._git_revision() is None


@pytest.mark.parametrize(
    ("membership", "files", "cores"),
    [
        ("0::/\n", {}, 8),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "300000 100000\n"}, 3),
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "1600000 100000\n"}, 8),
        ("0::/outer/inner\n", {"outer/cpu.max": "200000 100000\n", "outer/inner/cpu.max": "500000 100000\n"}, 2),
        ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "400000\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 4),
        ("3:cpu,cpuacct:/a\n", {"cpu/a/cpu.cfs_quota_us": "-1\n", "cpu/a/cpu.cfs_period_us": "100000\n"}, 8),
        ("3:cpuset:/a\n", {"cpu/cpu.cfs_quota_us": "400000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
    ],
)
def test_usable_cores_in_control_groups(system_file, membership, files, cores):
    system_file("proc/self/cgroup", membership)
    for name, text in files.items():
        system_file(f"sys/fs/cgroup/{name}", text)
    assert environment.usable_cores() == cores


def test_usable_cores_without_control_groups(system_file):
    assert environment.usable_cores() == 8


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, []),
        ({"variables": {"OMP_NUM_THREADS": "4"}}, []),
        *(
            ({"variables": {name: "Haswell"}}, [f"{name} is set to Haswell: "])
            for name in environment.FORCING_VARIABLES
        ),
        *(
            (
                {"variables": {"OMP_NUM_THREADS": value}},
                [f"OMP_NUM_THREADS is set to {value} where 4 cores can be used"],
            )
            for value in ("1", "16", "many")
        ),
        ({"load_average": [4.01, 0, 0]}, ["busy (load average 4.01 on 4 cores)"]),
        ({"on_battery": True}, ["battery"]),
    ],
)
def test_what_disturbs_a_measurement_is_told(changed, said):
    told = warnings_of(**changed)
    assert len(told) == len(said)
    assert all(words in line for line, words in zip(told, said, strict=True))
    forced = environment.FORCING_VARIABLES.keys() & changed.get("variables", {}).keys()
    assert all(told[0].endswith(f"; unset it with env -u {name}") for name in forced)


def test_every_forcing_variable_is_recorded():
    recorded = (*environment.FORCING_VARIABLES, *environment.THREAD_VARIABLES)
    assert all(name.startswith(environment.VARIABLE_PREFIXES) for name in recorded)


@pytest.mark.parametrize(
    ("battery", "on_battery"),
    [(None, False), (SimpleNamespace(power_plugged=True), False), (SimpleNamespace(power_plugged=False), True)],
)
def test_battery(monkeypatch, battery, on_battery):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert environment._on_battery() is on_battery


@pytest.mark.parametrize(
    ("system_name", "cpuinfo", "model"),
    [
        ("Linux", "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz\n", "Some CPU @ 3 GHz"),
        ("Linux", "processor\t: 0\n", "processor"),
        ("Plan9", "", "processor"),
    ],
)
def test_cpu_model(system_file, monkeypatch, system_name, cpuinfo, model):
    monkeypatch.setattr(platform, "system", lambda: system_name)
    monkeypatch.setattr(platform, "processor", lambda: "processor")
    system_file("proc/cpuinfo", cpuinfo)
    assert environment._cpu_model() == model


def test_container(monkeypatch, tmp_path):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setattr(environment, "_CONTAINER_MARKERS", {str(tmp_path / "absent"): "a", str(tmp_path): "b"})
    assert environment._container() == "b"
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    assert environment._container() == "kubernetes"


def test_libraries_name_no_folder_of_this_machine():
    np.ones((2, 2)) @ np.ones((2, 2))
    found = environment.libraries()
    assert found
    assert all(library["num_threads"] >= 1 and os.sep not in library["file"] for library in found)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("path", "package"),
    [
        ("/home/me/v/lib/python3.11/site-packages/numpy.libs/libopenblas.so", "numpy"),
        ("/Users/me/v/lib/python3.11/site-packages/scipy/.dylibs/libopenblas.dylib", "scipy"),
        ("/usr/lib/libblas.so", None),
    ],
)
def test_package_of_a_library(monkeypatch, path, package):
    info = {"filepath": path, "num_threads": 1, "prefix": "libopenblas", "version": "1", "user_api": "blas"}
    monkeypatch.setattr(environment.threadpoolctl, "threadpool_info", lambda: [info])
    (library,) = environment.libraries()
    assert library["package"] == package
    assert library["file"] == path.rpartition("/")[2]
    assert library["architecture"] is None


def test_worker_environment(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    made = environment.worker_environment(3)
    assert {made[name] for name in environment.THREAD_VARIABLES} == {"3"}
    assert made["OPENBLAS_CORETYPE"] == "Haswell"
    assert made["KERAS_BACKEND"] == "tensorflow"
    assert "TF_ENABLE_ONEDNN_OPTS" not in made
    assert os.environ["OMP_NUM_THREADS"] == "64"


def test_a_worker_really_gets_its_threads():
    code = "import numpy, json; from bench.core import environment; print(json.dumps(environment.libraries()))"
    command = [sys.executable, "-c", code]
    made = environment.worker_environment(1)
    out = subprocess.run(command, env=made, check=True, capture_output=True, text=True).stdout
    assert {library["num_threads"] for library in json.loads(out)} == {1}


def test_peak_memory_grows_by_what_is_touched():
    code = """
import numpy as np
from bench.core.environment import peak_memory_bytes
touched = np.ones(peak_memory_bytes() + 2**26, np.uint8)
assert peak_memory_bytes() >= touched.nbytes
"""
    subprocess.run([sys.executable, "-c", code], check=True)  # this process may have had gigabytes


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a program's own peak apart")
def test_peak_memory_of_a_child_leaves_out_its_parent():
    touched = np.ones(2**28, np.uint8)
    command = [sys.executable, "-c", "from bench.core import environment; print(environment.peak_memory_bytes())"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert 2**20 < int(out) < touched.nbytes


@pytest.mark.parametrize(("system_name", "unit"), [("linux", 1024), ("darwin", 1)])
def test_peak_memory_without_proc(system_file, monkeypatch, system_name, unit):
    monkeypatch.setattr(sys, "platform", system_name)
    monkeypatch.setattr(environment.resource, "getrusage", lambda who: SimpleNamespace(ru_maxrss=5))
    monkeypatch.setattr(environment, "_below", list)
    assert environment.peak_memory_bytes() == 5 * unit


def test_memory_and_time_of_processes_below_count(monkeypatch):
    below = SimpleNamespace(
        memory_full_info=lambda: SimpleNamespace(uss=10**12),
        cpu_times=lambda: SimpleNamespace(user=1000.0, system=500.0),
    )
    monkeypatch.setattr(environment, "_below", lambda: [below, below])
    assert environment.peak_memory_bytes() > 2 * 10**12
    assert environment.cpu_seconds() > 3000


def test_package_versions_leave_out_what_is_absent():
    assert environment.package_versions(["numpy", "no-such-package"]) == {"numpy": np.__version__}
