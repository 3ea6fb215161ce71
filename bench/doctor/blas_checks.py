"""Checks of the libraries: forced kernels, chosen kernels, two BLAS pools, the number of threads.

A check that finds something measures its cost in epochs of fresh processes.
"""

from collections.abc import Mapping

import psutil

from bench.core import system
from bench.core.environment import FORCING_VARIABLES, THREAD_VARIABLES, worker_environment
from bench.core.text import one_line
from bench.doctor import measure
from bench.doctor.finding import Finding, Ratio
from bench.doctor.machine import Machine
from bench.doctor.measure import MeasurementError
from scratchnet import engine

TENSORFLOW_ONLY = ("TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS")
"""Forcing variables that scratchnet's epochs cannot show."""
TENSORFLOWS = "strikes TensorFlow alone, whose kernels are then not its own choice; not measured here"

INSTRUCTIONS = (
    ("SkylakeX", "AVX-512", {"avx512f", "avx512dq", "avx512bw", "avx512vl", "avx512cd"}),
    ("Haswell", "AVX2", {"avx2", "fma"}),
    ("Sandybridge", "AVX", {"avx"}),
    ("Nehalem", "SSE4.2", {"sse4_2"}),
)
"""Best first: OpenBLAS's kernels, the instructions they use, the flags that a processor needs for them."""

KERNELS = {
    **dict.fromkeys(("skylakex", "cooperlake", "sapphirerapids"), "AVX-512"),
    **dict.fromkeys(("haswell", "zen", "excavator"), "AVX2"),
    **dict.fromkeys(("sandybridge", "bulldozer", "piledriver", "steamroller"), "AVX"),
    **dict.fromkeys(("nehalem", "prescott", "core2", "penryn", "dunnington", "atom"), "SSE4.2"),
    **dict.fromkeys(("barcelona", "bobcat", "opteron", "opteron_sse3", "katmai", "coppermine"), "SSE4.2"),
}
"""What threadpoolctl calls the kernels that OpenBLAS runs, and the instructions they use at best."""

NOT_OURS = "scratchnet's steps need no BLAS, so this can strike your own code, not its epochs"
TOO_NOISY = "the pairs disagree, the machine is too noisy to tell"
ASK_AGAIN = "stop other programs and ask again"

_RANK = {instructions: rank for rank, (_, instructions, _) in enumerate(INSTRUCTIONS)}
_OPENMP = ("libgomp", "libomp", "libiomp", "vcomp")


def forced_kernels(machine: Machine) -> Finding:
    """Variables that force a library to kernels, and what an epoch costs with them."""
    forced = _set(machine.variables, FORCING_VARIABLES)
    if not forced:
        return Finding("no variable forces a library to kernels of another choice")
    values, remedy = _values(forced), _unset(forced)
    if forced.keys() <= set(TENSORFLOW_ONLY):
        return Finding(f"{values}: {TENSORFLOWS}", "warning", remedy=remedy)
    try:
        ratios = measure.compare(worker_environment(machine.cores), measure.plain_environment(machine.cores))
    except MeasurementError as error:
        return Finding(f"{values}: training with it failed ({error})", "warning", remedy=remedy)
    finding = _slower(f"{values}: an epoch takes {_each(ratios)} as long as without", ratios, remedy)
    if finding.state == "ok" and (others := _set(forced, TENSORFLOW_ONLY)):
        return Finding(f"{finding.says}; {_values(others)}: {TENSORFLOWS}", "warning", remedy=_unset(others))
    return finding


def kernel_choice(machine: Machine) -> Finding:
    """Kernels that OpenBLAS chooses by itself, against what the processor can do."""
    chosen, flags = _scipy_kernels(machine), system.cpu_flags()
    best = next((entry for entry in INSTRUCTIONS if entry[2] <= flags), None)
    used = KERNELS.get(chosen.lower())
    if best is None or used is None:
        return Finding(f"OpenBLAS runs its {chosen or 'unnamed'} kernels; what is best here is not known", "unknown")
    name, instructions, _ = best
    if _RANK[used] <= _RANK[instructions]:
        return Finding(f"OpenBLAS runs its {chosen} kernels ({used}), the widest that this processor can run")
    plain = measure.plain_environment(machine.cores)
    ratios = measure.compare(plain, {**plain, "OPENBLAS_CORETYPE": name})
    says = f"the processor has {instructions}, but OpenBLAS runs its {chosen} kernels ({used})"
    remedy = f"update SciPy and NumPy; until then: env OPENBLAS_CORETYPE={name} scratchbench run"
    return _slower(f"{says}: an epoch takes {_each(ratios)} as long as with {name}", ratios, remedy)


def compiled_steps(machine: Machine) -> Finding:
    """Whether scratchnet's steps are compiled."""
    if "numba" in engine.installed():
        return Finding("scratchnet's steps are compiled by Numba")
    says = "scratchnet's steps go through NumPy, in one thread: Numba, which compiles them, is not installed"
    return Finding(says, "warning", remedy="pip install 'scratchnet[numba]'")


def blas_pools(machine: Machine) -> Finding:
    """BLAS libraries with a thread pool each, and the cost of alternating between them."""
    pools = [_described(library) for library in machine.plain.libraries if _is_blas(library)]
    if len(pools) < 2 or machine.cores < 2:
        return Finding(f"one pool of BLAS threads: {', '.join(pools) or 'none seen'}")
    ratio = measure.pools(measure.plain_environment(machine.cores))
    says = f"{len(pools)} pools of BLAS threads: {', '.join(pools)}"
    if not ratio.is_worth_a_remedy:
        meaning = f"{TOO_NOISY}; {NOT_OURS}" if ratio.is_unclear else "that costs nothing here"
        return Finding(f"{says}; code that alternates between them takes {ratio} as long as with one: {meaning}")
    return Finding(
        f"{says}; code that alternates between them takes {ratio} as long as with one; {NOT_OURS}",
        remedy="in your own code take products from scipy.linalg.blas alone, or from NumPy alone",
    )


def threads(machine: Machine) -> Finding:
    """Thread variables that ask for more or fewer threads than cores can be used."""
    wrong = {
        name: value
        for name, value in _set(machine.variables, THREAD_VARIABLES).items()
        if value.strip() != str(machine.cores)
    }
    if not wrong:
        return Finding(f"no variable asks for another number of threads than the {machine.cores} usable cores")
    plain = measure.plain_environment(machine.cores)
    ratios = measure.compare(_with_own_threads(plain, machine.variables), plain)
    says = f"{_values(wrong)} where {machine.cores} cores can be used: an epoch takes {_each(ratios)} as long as with"
    note = "strikes your own code: `scratchbench run` sets its workers' threads itself"
    return _slower(f"{says} {machine.cores} ({note})", ratios, f"unset {' '.join(wrong)}")


def hyperthreads(machine: Machine) -> Finding:
    """Two threads that share a physical core, against one."""
    physical = psutil.cpu_count(logical=False)
    if physical is None:
        return Finding("the number of physical cores is not known", "unknown")
    if physical >= machine.cores:
        return Finding(f"{machine.cores} usable cores, {physical} physical ones: no two threads share one")
    ratios = measure.compare(measure.plain_environment(machine.cores), measure.plain_environment(physical))
    says = f"{machine.cores} threads share {physical} physical cores: an epoch takes {_each(ratios)} as long as with"
    return _slower(f"{says} {physical}", ratios, f"write `threads = {physical}` in the suite file")


def _slower(says: str, ratios: Mapping[str, Ratio], remedy: str) -> Finding:
    if costing := [ratio for ratio in ratios.values() if ratio.is_worth_a_remedy]:
        return Finding(says, "warning", max(ratio.centre for ratio in costing), remedy)
    if any(ratio.is_unclear for ratio in ratios.values()):
        return Finding(f"{says}: {TOO_NOISY}", "unknown", remedy=f"{ASK_AGAIN}, or at once: {remedy}")
    return Finding(f"{says}: that costs nothing here")


def _each(ratios: Mapping[str, Ratio]) -> str:
    return ", ".join(f"{ratio} ({cell})" for cell, ratio in ratios.items())


def _set(variables: Mapping[str, str], names: Mapping[str, str] | tuple[str, ...]) -> dict[str, str]:
    return {name: variables[name] for name in names if name in variables}


def _with_own_threads(plain: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    # One that is not set is left out: its library then takes another's variable, or its own default.
    others = {name: value for name, value in plain.items() if name not in THREAD_VARIABLES}
    return {**others, **_set(variables, THREAD_VARIABLES)}


def _values(variables: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={one_line(value, 40)}" for name, value in variables.items())


def _unset(variables: Mapping[str, str]) -> str:
    return "env " + " ".join(f"-u {name}" for name in variables) + " scratchbench run"


def _scipy_kernels(machine: Machine) -> str:
    libraries = [library for library in machine.plain.libraries if _is_blas(library)]
    ranked = sorted(libraries, key=lambda library: library.get("package") != "scipy")
    return one_line(ranked[0].get("architecture") or "", 40) if ranked else ""


def _is_blas(library: Mapping[str, object]) -> bool:
    return not str(library.get("prefix")).startswith(_OPENMP)


def _described(library: Mapping[str, object]) -> str:
    return one_line(f"{library.get('package') or 'system'} {library.get('version') or ''}", 60)
