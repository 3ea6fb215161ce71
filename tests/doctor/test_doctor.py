"""What the doctor says of planted machines: figures of fresh processes, trees that stand in for /proc and /sys."""

import dataclasses
import json
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from bench.core import system
from bench.core.environment import FORCING_VARIABLES, THREAD_VARIABLES
from bench.core.errors import UnusableError
from bench.doctor import blas_checks, child, command, machine, machine_checks, measure, report
from bench.doctor.finding import Finding, Ratio, by_cost, verdict
from bench.doctor.machine import Counters, Machine, Rest
from bench.doctor.measure import Epochs, Load, MeasurementError

STEADY = Load(first=1.0, last=1.0, low=1.0, high=1.1, mean=1.02)
AVX512 = "avx2 fma avx sse4_2 avx512f avx512dq avx512bw avx512vl avx512cd"


def blas(package, architecture="SkylakeX", prefix="libscipy_openblas"):
    return {"prefix": prefix, "version": "0.3", "architecture": architecture, "num_threads": 4, "package": package}


QUIET = Machine(
    variables={},
    cores=4,
    plain=Epochs({"small": 0.01, "large": 0.1}, (blas("numpy"), blas("scipy"))),
    rest=Rest(0.01, "sshd", 0.005),
    load=STEADY,
    grown=Counters(stolen=0.0, total=8.0, throttled=0, periods=0, swapped_in=0),
)


def like_quiet(**changed):
    return dataclasses.replace(QUIET, **changed)


@pytest.fixture(autouse=True)
def tree(tmp_path, monkeypatch):
    """An empty /proc and /sys; a function that writes a file into them. Nothing else is left of this machine."""
    monkeypatch.setattr(system, "PROC", tmp_path / "proc")
    monkeypatch.setattr(system, "SYS", tmp_path / "sys")
    monkeypatch.setattr(machine_checks.environment, "cores_of_affinity", lambda: 4)
    monkeypatch.setattr(machine_checks, "_call_seconds", lambda: 40e-9)
    monkeypatch.setattr(machine_checks, "_smallest_step", lambda: 40e-9)
    monkeypatch.setattr(psutil, "sensors_battery", lambda: None, raising=False)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=16_000_000_000))
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 4)

    def write(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    return write


@pytest.fixture
def compared(monkeypatch):
    """Plants the ratios of epochs; returns the pairs of environments that were compared."""
    asked = []

    def plant(small=(1.0,) * 4, large=(1.0,) * 4):
        def compare(one, other):
            asked.append((one, other))
            return {"small": Ratio(small), "large": Ratio(large)}

        monkeypatch.setattr(measure, "compare", compare)
        return asked

    plant()
    return plant


@pytest.fixture
def pools(monkeypatch):
    def plant(*ratios):
        monkeypatch.setattr(measure, "pools", lambda _: Ratio(ratios))

    plant(1.0, 1.0, 1.0)
    return plant


# Ratios, their order and the sentence


@pytest.mark.parametrize(
    ("pairs", "worth", "unclear"),
    [
        ((1.9, 1.8, 2.0, 1.9), True, False),
        ((1.06, 1.05, 1.07, 1.05), True, False),
        ((1.04, 1.04, 1.03, 1.04), False, False),
        ((0.5, 2.0, 2.0, 2.0), False, True),
        ((0.95, 1.06, 0.99, 1.0), False, False),
    ],
)
def test_ratio(pairs, worth, unclear):
    ratio = Ratio(pairs)
    assert (ratio.is_worth_a_remedy, ratio.is_unclear) == (worth, unclear)


def test_ratio_as_text():
    assert str(Ratio((1.9, 1.8, 2.0))) == "1.90 times (1.80 to 2.00 in 3 pairs)"


def test_warnings_come_first_and_the_costliest_of_them():
    findings = [
        Finding("", "ok", name="fine"),
        Finding("", "warning", None, name="not measured"),
        Finding("", "unknown", name="unknown"),
        Finding("", "warning", 1.2, name="some"),
        Finding("", "warning", 1.9, name="much"),
    ]
    assert [finding.name for finding in by_cost(findings)] == ["much", "some", "not measured", "unknown", "fine"]


@pytest.mark.parametrize(
    ("findings", "sentence"),
    [
        ([Finding("")], "none of 1 checks found anything that slows training"),
        (
            [Finding("", "unknown"), Finding("")],
            "none of 2 checks found anything that slows training (1 could not tell)",
        ),
        (
            [Finding("", "warning", 1.9, name="forced kernels"), Finding("", "warning", name="b"), Finding("")],
            "2 of 3 checks found something that slows training; the costliest: forced kernels, 1.90 x",
        ),
        (
            [Finding("", "warning", name="memory"), Finding("", "unknown")],
            "1 of 2 checks found something that slows training (1 could not tell); memory first",
        ),
    ],
)
def test_verdict(findings, sentence):
    assert verdict(findings) == sentence


# Forced kernels


@pytest.mark.parametrize("variables", [{}, {"OMP_NUM_THREADS": "4"}, {"OMP_NUM_THREADS": " 4 "}])
def test_nothing_forced_and_threads_that_fit(variables, compared):
    asked, planted = compared(), like_quiet(variables=variables)
    assert {check(planted).state for check in (blas_checks.forced_kernels, blas_checks.threads)} == {"ok"}
    assert asked == []


def test_forced_kernels_cost_what_the_worse_cell_pays(compared, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    asked = compared(small=(1.2, 1.3, 1.2, 1.2), large=(1.9, 1.8, 2.0, 1.9))
    finding = blas_checks.forced_kernels(like_quiet(variables={"OPENBLAS_CORETYPE": "Haswell"}))
    assert (finding.state, finding.cost) == ("warning", 1.9)
    assert "OPENBLAS_CORETYPE=Haswell" in finding.says
    assert "1.90 times (1.80 to 2.00 in 4 pairs) (large)" in finding.says
    assert finding.remedy == "env -u OPENBLAS_CORETYPE scratchbench run"
    ((forced, plain),) = asked
    assert forced["OPENBLAS_CORETYPE"] == "Haswell"
    assert "OPENBLAS_CORETYPE" not in plain
    assert {forced[name] for name in THREAD_VARIABLES} == {plain[name] for name in THREAD_VARIABLES} == {"4"}


CORETYPE = {"OPENBLAS_CORETYPE": "Haswell"}


@pytest.mark.parametrize(
    ("variables", "small", "state", "says", "remedy"),
    [
        (CORETYPE, (1.0,) * 4, "ok", "that costs nothing here", ""),
        (CORETYPE, (0.02, 2.31, 1.1, 1.1), "unknown", "too noisy", ""),
        (CORETYPE | {"XLA_FLAGS": "a"}, (1.0,) * 4, "warning", "", "env -u XLA_FLAGS scratchbench run"),
        *(({name: "0"}, None, "warning", "TensorFlow alone", "") for name in blas_checks.TENSORFLOW_ONLY),
    ],
)
def test_forced_kernels(variables, small, state, says, remedy, compared):
    asked = compared(small or (1.0,) * 4)
    finding = blas_checks.forced_kernels(like_quiet(variables=variables))
    assert (finding.state, bool(asked)) == (state, small is not None), "what strikes TensorFlow alone is not measured"
    assert state == "ok" or finding.cost is None
    assert says in finding.says
    assert remedy in finding.remedy
    assert bool(finding.remedy) == (state != "ok")


def test_a_process_that_dies_of_forced_kernels(monkeypatch):
    def dies(*_):
        raise MeasurementError("measuring epochs failed: the process was ended by SIGILL")

    monkeypatch.setattr(measure, "compare", dies)
    finding = blas_checks.forced_kernels(like_quiet(variables={"OPENBLAS_CORETYPE": "SkylakeX"}))
    assert finding.state == "warning"
    assert "SIGILL" in finding.says
    assert "env -u OPENBLAS_CORETYPE" in finding.remedy


# The kernels chosen


@pytest.mark.parametrize(
    ("architecture", "flags", "state"),
    [
        ("SkylakeX", AVX512, "ok"),
        ("Cooperlake", AVX512, "ok"),
        ("Zen", "avx2 fma avx sse4_2", "ok"),
        ("SkylakeX", "avx2 fma avx sse4_2", "ok"),
        ("Haswell", AVX512, "warning"),
        ("Prescott", "avx2 fma avx sse4_2", "warning"),
        ("neoversen1", "fp asimd", "unknown"),
        ("Haswell", "", "unknown"),
        ("", AVX512, "unknown"),
        (None, AVX512, "unknown"),
    ],
)
def test_kernels_chosen(architecture, flags, state, tree, compared):
    compared(large=(1.9,) * 4)
    tree("proc/cpuinfo", f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t\t: none\n")
    chosen = like_quiet(plain=Epochs({}, (blas("numpy", "SkylakeX"), blas("scipy", architecture))))
    assert blas_checks.kernel_choice(chosen).state == state


def test_better_kernels_are_measured_against_those_chosen(tree, compared):
    asked = compared(large=(1.9,) * 4)
    tree("proc/cpuinfo", f"flags : {AVX512}\n")
    finding = blas_checks.kernel_choice(like_quiet(plain=Epochs({}, (blas("scipy", "Haswell"),))))
    assert finding.cost == 1.9
    assert "AVX-512" in finding.says
    assert "OPENBLAS_CORETYPE=SkylakeX" in finding.remedy
    ((plain, better),) = asked
    assert better == {**plain, "OPENBLAS_CORETYPE": "SkylakeX"}


def test_every_kernel_has_a_rank_and_every_variable_of_tensorflow_is_a_forcing_one():
    assert FORCING_VARIABLES.keys() >= set(blas_checks.TENSORFLOW_ONLY)
    assert {instructions for _, instructions, _ in blas_checks.INSTRUCTIONS} == set(blas_checks.KERNELS.values())


# Compiled steps, two pools, threads


@pytest.mark.parametrize("is_installed", [True, False])
def test_numba_is_asked_for_where_it_is_missing(is_installed, monkeypatch):
    monkeypatch.setattr(blas_checks.engine, "installed", lambda: ["numba", "numpy"] if is_installed else ["numpy"])
    finding = blas_checks.compiled_steps(QUIET)
    assert finding.state == ("ok" if is_installed else "warning")
    assert finding.remedy == ("" if is_installed else "pip install 'scratchnet[numba]'")


def test_two_pools_strike_other_code_than_scratchnet(pools):
    pools(20.0, 25.0, 30.0)
    finding = blas_checks.blas_pools(QUIET)
    assert (finding.state, finding.cost) == ("ok", None)
    assert "2 pools of BLAS threads: numpy 0.3, scipy 0.3" in finding.says
    assert "25.00 times" in finding.says
    assert "your own code, not its epochs" in finding.says
    assert finding.remedy


@pytest.mark.parametrize(
    "changed",
    [
        {"plain": Epochs({}, (blas("numpy"),))},
        {"plain": Epochs({}, (blas("numpy"), blas(None, None, "libgomp")))},
        {"plain": Epochs({}, ())},
        {"cores": 1},
    ],
)
def test_one_pool_is_not_measured(changed, monkeypatch):
    monkeypatch.setattr(measure, "pools", None)
    assert blas_checks.blas_pools(like_quiet(**changed)).says.startswith("one pool")


@pytest.mark.parametrize("value", ["8", "1", "many", ""])
def test_threads_other_than_the_cores(value, compared):
    asked = compared(small=(3.0,) * 4)
    finding = blas_checks.threads(like_quiet(variables={"OMP_NUM_THREADS": value, "MKL_NUM_THREADS": "4"}))
    assert (finding.state, finding.cost) == ("warning", 3.0)
    assert f"OMP_NUM_THREADS={value} where 4 cores can be used" in finding.says
    assert finding.remedy == "unset OMP_NUM_THREADS"
    ((own, plain),) = asked
    assert {name: own[name] for name in THREAD_VARIABLES if name in own} == {
        "OMP_NUM_THREADS": value,
        "MKL_NUM_THREADS": "4",
    }
    assert {plain[name] for name in THREAD_VARIABLES} == {"4"}


@pytest.mark.parametrize(("physical", "state"), [(None, "unknown"), (4, "ok"), (8, "ok"), (2, "warning")])
def test_hyperthreads(physical, state, monkeypatch, compared):
    compared(large=(1.3,) * 4)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical: physical)
    finding = blas_checks.hyperthreads(QUIET)
    assert finding.state == state
    assert ("threads = 2" in finding.remedy) == (state == "warning")


# Frequency


CPU_0, CPU_1 = (f"sys/devices/system/cpu/cpu{core}/cpufreq/" for core in (0, 1))
ACPI = {CPU_1 + "scaling_governor": "powersave", CPU_1 + "scaling_driver": "acpi-cpufreq"}
INTEL = {CPU_0 + "scaling_governor": "powersave\n", CPU_0 + "scaling_driver": "intel_pstate\n"}
LIMITED = {CPU_0 + "cpuinfo_max_freq": "4000000", CPU_0 + "scaling_max_freq": "2000000"}
NO_TURBO = "sys/devices/system/cpu/intel_pstate/no_turbo"
CLOCK = "sys/devices/system/clocksource/clocksource0/current_clocksource"
FREE = {CPU_0 + "cpuinfo_max_freq": "4000", CPU_0 + "scaling_governor": "schedutil"}


CGROUP = {"proc/self/cgroup": "0::/\n"}
CPU_MAX = "sys/fs/cgroup/cpu.max"
PAGES, RANDOMISED = "sys/kernel/mm/transparent_hugepage/enabled", "proc/sys/kernel/randomize_va_space"
GROWN = QUIET.grown


@pytest.mark.parametrize(
    ("check", "files", "changed", "state", "says", "remedy"),
    [
        ("frequency", {}, {}, "unknown", "1.00 times as long after 2 s of load", ""),
        ("frequency", {CPU_0 + "scaling_governor": "performance\n"}, {}, "ok", "governor performance; ", ""),
        ("frequency", ACPI, {}, "warning", "governor powersave", "cpupower frequency-set -g performance"),
        ("frequency", INTEL, {}, "ok", "", ""),
        ("frequency", LIMITED, {}, "warning", "limited to 2.00 of 4.00 GHz", "cpupower frequency-set -u 4000000kHz"),
        ("frequency", FREE, {}, "ok", "", ""),
        ("frequency", FREE | {CPU_0 + "scaling_max_freq": "4000"}, {}, "ok", "", ""),
        ("frequency", {NO_TURBO: "1\n"}, {}, "warning", "turbo is off", "echo 0 | sudo tee"),
        ("frequency", {}, {"load": dataclasses.replace(STEADY, last=1.3)}, "warning", "1.30 times as long", ""),
        ("container", CGROUP, {}, "ok", "no CPU limit below the 4 cores", ""),
        ("container", CGROUP | {CPU_MAX: "max 100000"}, {}, "ok", "no CPU limit", ""),
        ("container", CGROUP | {CPU_MAX: "800000 100000"}, {}, "ok", "no CPU limit", ""),
        ("container", CGROUP | {CPU_MAX: "150000 100000"}, {}, "warning", "a CPU limit of 1.5 cores where 4 are", ""),
        (
            "container",
            {},
            {"grown": dataclasses.replace(GROWN, throttled=7, periods=20)},
            "warning",
            "made to wait in 7 of 20 periods",
            "",
        ),
        ("memory", {}, {"grown": dataclasses.replace(GROWN, swapped_in=1000)}, "warning", "read back from swap", ""),
        ("memory_layout", {}, {}, "unknown", "neither", ""),
        (
            "memory_layout",
            {PAGES: "always [madvise] never", RANDOMISED: "2"},
            {},
            "ok",
            "huge pages: madvise; address space randomised; compare fresh processes",
            "",
        ),
        ("memory_layout", {PAGES: "[never]", RANDOMISED: "0"}, {}, "ok", "never; address space not randomised", ""),
        ("memory_layout", {PAGES: "garbage", RANDOMISED: "2"}, {}, "ok", "huge pages: not known", ""),
        ("timer", {}, {}, "ok", "", ""),
        ("timer", {CLOCK: "tsc\n"}, {}, "ok", "", ""),
        ("timer", {CLOCK: "hpet\n"}, {}, "warning", "", ""),
        ("timer", {CLOCK: "acpi_pm\n"}, {}, "warning", "", ""),
    ],
)
def test_what_the_system_tells(check, files, changed, state, says, remedy, tree):
    for name, text in files.items():
        tree(name, text)
    finding = getattr(machine_checks, check)(like_quiet(**changed))
    assert finding.state == state
    assert says in finding.says
    assert remedy in finding.remedy


def test_battery(monkeypatch):
    monkeypatch.setattr(psutil, "sensors_battery", lambda: SimpleNamespace(power_plugged=False), raising=False)
    assert machine_checks.frequency(QUIET).remedy == "plug it in"


# Container


@pytest.mark.parametrize(
    ("membership", "files", "counts"),
    [
        ("0::/a", {"cpu.stat": "nr_periods 9\nnr_throttled 0", "a/cpu.stat": "nr_periods 8\nnr_throttled 3"}, (3, 8)),
        ("3:cpu,cpuacct:/a", {"cpu/a/cpu.stat": "nr_periods 8\nnr_throttled 3\nthrottled_time 5"}, (3, 8)),
        ("3:cpu,cpuacct:/a", {}, (0, 0)),
        ("0::/", {"cpu.stat": "nr_throttled -3\nnr_periods x"}, (0, 0)),
    ],
)
def test_throttling(membership, files, counts, tree):
    tree("proc/self/cgroup", membership)
    for name, text in files.items():
        tree(f"sys/fs/cgroup/{name}", text)
    assert system.throttling() == counts


# Neighbours


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"rest": Rest(1.5, "chromium", 0.9)}, "others keep 1.50 cores busy, chromium 0.90 of them"),
        ({"rest": Rest(1.5, "kdamond", 0.01)}, "others keep 1.50 cores busy (load"),
        (
            {"grown": dataclasses.replace(QUIET.grown, stolen=2.0)},
            "the host gave 25.0% of the time under load to others",
        ),
        ({"load": dataclasses.replace(STEADY, high=3.0)}, "3.00 times as long as the fast tenth"),
    ],
)
def test_a_neighbour(changed, says):
    assert machine_checks.neighbour(QUIET).state == "ok"
    assert machine_checks.neighbour(like_quiet(rest=None)).state == "unknown"
    finding = machine_checks.neighbour(like_quiet(**changed))
    assert finding.state == "warning"
    assert finding.cost == pytest.approx(1.02)
    assert says in finding.says
    assert finding.remedy


# Timer, memory


@pytest.mark.parametrize("slow", [{"_call_seconds": 2e-6}, {"_smallest_step": 1e-3}])
def test_a_slow_or_coarse_timer(slow, monkeypatch):
    for name, seconds in slow.items():
        monkeypatch.setattr(machine_checks, name, lambda taken=seconds: taken)
    assert machine_checks.timer(QUIET).state == "warning"


@pytest.mark.parametrize(
    ("available", "limit", "used", "state"),
    [
        (16_000_000_000, "max", "1", "ok"),
        (16_000_000_000, str(2**63 - 4096), "1", "ok"),
        (16_000_000_000, "20000000000", "1000000000", "ok"),
        (16_000_000_000, "4000000000", "1000000000", "warning"),
        (4_000_000_000, "max", "1", "warning"),
    ],
)
@pytest.mark.parametrize(
    ("membership", "limit_file", "used_file"),
    [
        ("0::/a", "a/memory.max", "a/memory.current"),
        ("4:memory:/a", "memory/a/memory.limit_in_bytes", "memory/a/memory.usage_in_bytes"),
    ],
)
def test_memory(available, limit, used, state, membership, limit_file, used_file, tree, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=available))
    tree("proc/self/cgroup", membership)
    tree(f"sys/fs/cgroup/{limit_file}", limit)
    tree(f"sys/fs/cgroup/{used_file}", used)
    finding = machine_checks.memory(QUIET)
    assert finding.state == state
    assert ("container's limit" in finding.says) == (limit in ("4000000000", "20000000000"))


# The machine at rest


def test_rest_names_the_busiest_program(monkeypatch):
    seconds, programs = (
        iter([10.0, 10.6]),
        iter([{(1, "a"): 5.0, (2, "b"): 1.0}, {(1, "a"): 5.1, (2, "b"): 1.4, (3, "c"): 9.0}]),
    )
    clock = iter([100.0, 100.5])
    monkeypatch.setattr(machine, "_busy_seconds", lambda: next(seconds))
    monkeypatch.setattr(machine, "_programs", lambda: next(programs))
    monkeypatch.setattr(machine, "time", SimpleNamespace(perf_counter=lambda: next(clock), sleep=lambda _: None))
    rest = machine.at_rest(0.5)
    assert (rest.program, rest.program_cores, rest.busy_cores) == ("b", pytest.approx(0.8), pytest.approx(1.2))


@pytest.mark.parametrize("error", [FileNotFoundError("/proc/stat"), psutil.AccessDenied(), ValueError("odd")])
def test_rest_and_counters_of_a_system_that_says_nothing(error, monkeypatch):
    def fails():
        raise error

    monkeypatch.setattr(psutil, "cpu_times", fails)
    assert machine.at_rest(0) is None
    assert machine.counters() == Counters(0.0, 0.0, 0, 0, 0)


def test_counters(tree, monkeypatch):
    tree("proc/vmstat", "pgpgin 5\npswpin 7\n")
    times = SimpleNamespace(user=3.0, system=1.0, idle=5.0, steal=1.0, guest=3.0)
    monkeypatch.setattr(psutil, "cpu_times", lambda: times)
    assert machine.counters() == Counters(stolen=1.0, total=10.0, throttled=0, periods=0, swapped_in=7)


def test_counters_grow():
    assert Counters(3, 10, 4, 9, 8) - Counters(1, 5, 1, 2, 8) == Counters(2, 5, 3, 7, 0)


# Odd content of the kernel's files

FILES = (
    *("proc/cpuinfo", "proc/vmstat", "sys/fs/cgroup/cpu.stat", CPU_MAX, PAGES, RANDOMISED, CLOCK, NO_TURBO),
    *("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
    *(CPU_0 + name for name in ("scaling_governor", "scaling_driver", "cpuinfo_max_freq", "scaling_max_freq")),
)
HOSTILE = [
    b"",
    b"\n",
    b"\0",
    b"\xff\xfe",
    b"-1",
    b"9" * 400,
    "٣".encode(),
    b"nan",
    b"[",
    b"flags",
    b"0::\0/x",
    b"\x1b[2J",
]


def findings_of(planted):
    return [command._made(check, planted) for check in command.CHECKS.values()]


@given(content=st.binary(max_size=60) | st.sampled_from(HOSTILE))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_content_is_a_finding(content, tree, compared, pools):
    tree("proc/self/cgroup", "0::/\n")
    for name in FILES:
        tree(name, content)
    machine.counters()
    findings = findings_of(QUIET)
    assert not any("could not be checked" in finding.says for finding in findings)
    assert all(line.isprintable() for line in report.lines(findings))


@given(membership=st.text(max_size=40) | st.sampled_from(["a", "1:cpu", "::::", "0::", "0::/../../..", "1:cpu:/\0"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_membership_of_control_groups_is_read(membership, tree):
    tree("proc/self/cgroup", membership.encode("utf-8", "surrogatepass"))
    assert system.throttling() == (0, 0)
    assert system.memory_left() is None


def test_a_folder_in_the_place_of_a_file_and_nothing_readable_at_all(tmp_path, compared, pools):
    assert system.text(tmp_path) is None
    assert {finding.state for finding in findings_of(QUIET)} == {"ok", "unknown"}


# The processes that measure


def answers(monkeypatch, *texts):
    outputs = iter(texts)
    run = lambda command, **_: subprocess.CompletedProcess(command, 0, next(outputs), "")  # noqa: E731
    monkeypatch.setattr(subprocess, "run", run)


def epochs_answer(small):
    return json.dumps({"seconds": {"small": small}, "libraries": []})


def test_pairs_are_measured_in_turns_whose_order_alternates(monkeypatch):
    asked = []

    def epochs(environment):
        asked.append(environment["name"])
        return Epochs({"small": 3.0 if environment["name"] == "a" else 2.0}, ())

    monkeypatch.setattr(measure, "epochs", epochs)
    assert measure.compare({"name": "a"}, {"name": "b"}) == {"small": Ratio((1.5,) * 4)}
    assert "".join(asked) == "abbaabba"


def test_plain_environment_forces_nothing(monkeypatch):
    for name in FORCING_VARIABLES:
        monkeypatch.setenv(name, "x")
    plain = measure.plain_environment(3)
    assert plain.keys().isdisjoint(FORCING_VARIABLES)
    assert {plain[name] for name in THREAD_VARIABLES} == {"3"}


def test_answers_of_the_child(monkeypatch):
    load = dataclasses.asdict(STEADY)
    answers(monkeypatch, epochs_answer(0.5), json.dumps({"ratios": [2.0]}), json.dumps(load))
    assert measure.epochs({}) == Epochs({"small": 0.5}, ())
    assert measure.pools({}) == Ratio((2.0,))
    assert measure.load({}) == STEADY


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "the process was killed by SIGILL"),
        ("raise ImportError('no BLAS')", "ImportError: no BLAS"),
        ("import sys; sys.exit(3)", "exit code 3"),
        ("print('no JSON')", "gave no figures"),
        ("", "gave no figures"),
    ],
)
def test_a_child_that_fails(program, message, monkeypatch, tmp_path):
    (tmp_path / "python").write_text(f"#!{sys.executable}\n{program}\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(MeasurementError, match=message):
        measure.epochs({})


def test_a_child_that_hangs(monkeypatch):
    def hangs(command, **given):
        raise subprocess.TimeoutExpired(command, given["timeout"])

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(MeasurementError, match="no figures within 60 s"):
        measure.load({})


@pytest.mark.parametrize("name", child.MEASUREMENTS)
def test_the_real_child_answers(name, monkeypatch):
    for seconds in ("CELL_SECONDS", "BLOCK_SECONDS", "REST_SECONDS", "LOAD_SECONDS", "SINGLE_SECONDS"):
        monkeypatch.setattr(child, seconds, 0.0)
    answer = json.loads(json.dumps(child.MEASUREMENTS[name]()))
    figures = answer.get("ratios") or [*answer.get("seconds", answer).values()]
    assert all(figure > 0 for figure in figures)


# The command


@pytest.fixture
def looked(monkeypatch, compared, pools):
    """Plants the machine that the command looks at."""

    def plant(found=QUIET):
        monkeypatch.setattr(command, "look", lambda say: found)

    plant()
    return plant


def test_a_quiet_machine_ends_well(looked, capsys):
    assert command.doctor(json=False) == 0
    told = capsys.readouterr()
    assert told.out.startswith("none of 12 checks found anything that slows training")
    assert "looking at forced kernels" in told.err


def test_a_finding_ends_with_1_and_its_remedy_below_it(looked, capsys, compared):
    compared(large=(1.9,) * 4)
    looked(like_quiet(variables={"OPENBLAS_CORETYPE": "Haswell"}))
    assert command.doctor(json=False) == 1
    first, _, warning, remedy, *_ = capsys.readouterr().out.splitlines()
    assert "the costliest: forced kernels, 1.90 x" in first
    assert warning.startswith("warning  forced kernels   1.90 x  OPENBLAS_CORETYPE=Haswell: ")
    assert remedy.strip() == "remedy: env -u OPENBLAS_CORETYPE scratchbench run"


def test_json_is_alone_on_stdout(looked, capsys):
    looked(like_quiet(rest=Rest(2.0, "x", 1.0)))
    assert command.doctor(json=True) == 1
    findings = json.loads(capsys.readouterr().out)
    assert next(finding["name"] for finding in findings) == "neighbour"
    assert {finding["name"] for finding in findings} == command.CHECKS.keys()
    assert all(set(finding) == {"name", "state", "cost", "says", "remedy"} for finding in findings)


def test_a_check_that_cannot_be_made_leaves_the_others(looked, monkeypatch, capsys):
    def fails(_):
        raise MeasurementError("measuring pools failed: exit code 3")

    monkeypatch.setattr(measure, "pools", fails)
    assert command.doctor(json=True) == 0
    (failed,) = [finding for finding in json.loads(capsys.readouterr().out) if finding["name"] == "BLAS pools"]
    assert (failed["state"], failed["says"]) == ("unknown", "could not be checked: measuring pools failed: exit code 3")


def test_a_machine_on_which_nothing_trains_is_unusable(monkeypatch):
    monkeypatch.setattr(machine, "at_rest", lambda _: None)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(UnusableError, match="measuring epochs failed: the process ended with exit code 1"):
        command.doctor(json=False)


def test_look_measures_with_nothing_forced(monkeypatch):
    asked, said = [], []
    monkeypatch.setattr(machine, "usable_cores", lambda: 3)
    monkeypatch.setattr(machine, "at_rest", lambda _: QUIET.rest)
    monkeypatch.setattr(measure, "epochs", lambda given: asked.append(given) or QUIET.plain)
    monkeypatch.setattr(measure, "load", lambda given: asked.append(given) or STEADY)
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    found = machine.look(said.append)
    assert (found.cores, found.plain, found.load, found.rest) == (3, QUIET.plain, STEADY, QUIET.rest)
    assert found.variables["OPENBLAS_CORETYPE"] == "Haswell"
    assert asked == [measure.plain_environment(3)] * 2
    assert len(said) == 3


def test_a_terminal_gets_a_table():
    console = Console(force_terminal=True, width=80, record=True)
    report.show([Finding("says [bold]much[/bold] " * 10, "warning", 1.9, "do this", "forced kernels")], console)
    text = console.export_text()
    assert "1.90 x" in text
    assert "[bold]much[/bold]" in text
    assert "remedy: do this" in text
    assert max(map(len, text.splitlines())) <= 120
