"""The registry of backends. Targets are strings that workers import, so a missing framework is a reported skip."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from bench.backends.protocol import Backend
from bench.core.errors import UnusableError


@dataclass(frozen=True)
class Entry:
    """Where a backend's class is, the module it needs, what installs that, and the packages whose versions matter."""

    target: str
    needs: str
    install: str
    packages: tuple[str, ...]


def _tensorflow(target: str) -> Entry:
    return Entry(target, "tensorflow", "pip install 'scratchnet[tensorflow]'", ("tensorflow", "keras", "numpy"))


def _torch(target: str) -> Entry:
    return Entry(target, "torch", "pip install 'scratchnet[torch]'", ("torch", "numpy"))


BACKENDS: dict[str, Entry] = {
    "scratchnet": Entry("bench.backends.scratchnet:Scratchnet", "scipy", "pip install scipy", ("numpy", "scipy")),
    "keras-fit": _tensorflow("bench.backends.keras_fit:KerasFit"),
    "keras-fit-tuned": _tensorflow("bench.backends.keras_fit:KerasFitTuned"),
    "tf-graph": _tensorflow("bench.backends.tf_epoch:TfGraph"),
    "tf-xla": _tensorflow("bench.backends.tf_epoch:TfXla"),
    "jax-scan": Entry("bench.backends.jax_scan:JaxScan", "jax", "pip install 'scratchnet[jax]'", ("jax", "jaxlib")),
    "torch-eager": _torch("bench.backends.torch_epoch:TorchEager"),
    "torch-compile": _torch("bench.backends.torch_epoch:TorchCompile"),
    "sklearn": Entry(
        "bench.backends.sklearn_mlp:SklearnMlp",
        "sklearn",
        "pip install 'scratchnet[sklearn]'",
        ("scikit-learn", "numpy"),
    ),
}
FLOORS: dict[str, Entry] = {
    "products": Entry("bench.backends.products:Products", "scipy", "pip install scipy", ("numpy", "scipy"))
}
"""No way to train, but what a step costs at least: not for a suite."""


def entry(name: str) -> Entry:
    """The entry of that backend.

    Raises UnusableError: names the backends there are.
    """
    if name not in BACKENDS:
        raise UnusableError(f"backend {name!r} is not known; allowed: {', '.join(BACKENDS)}")
    return BACKENDS[name]


def missing(name: str) -> str | None:
    """Why the backend cannot run here, with the command that installs what it needs; None where it can."""
    needed = entry(name)
    if find_spec(needed.needs) is None:
        return f"{needed.needs} is not installed; {needed.install}"
    return None


def load(target: str) -> type[Backend]:
    """Import the class that `module:Class` names, and with it its framework."""
    module, _, attribute = target.partition(":")
    backend: type[Backend] = getattr(import_module(module), attribute)
    return backend
