"""The problem that a subject must solve: a shipped spec, one from a file or from Python, or the subject's own."""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.core.errors import UnusableError
from bench.core.models import first_problem
from bench.core.text import one_line
from bench.spec import Suite, TrainingSpec, load_suite, shipped_suites

DEFAULTS: dict[str, Any] = {
    "dtype": "float64",
    "batch_size": 4,
    "epochs": 1,
    "seeds": (0,),
    "optimizer": {"learning_rate": 0.1},
}


def shipped() -> Suite:
    """The small problems that come with `locate`."""
    return load_suite(str(files("bench.locate") / "specs.toml"))


def spec_of(
    layers: Sequence[Any], loss: str, optimizer: Mapping[str, Any] | None = None, **options: Any
) -> TrainingSpec:
    """A spec in one line: `spec_of([7, (5, "tanh"), (3, "softmax")], "categorical_crossentropy")`.

    layers : n_0, then (units, activation) or (units, activation, dropout) of each layer.
    options : any other field of a spec, such as batch_size, label_smoothing, regularization={"l2": 0.01}.

    Raises UnusableError: names the field, its value and what is allowed.
    """
    try:
        inputs, *rest = layers
        names = ("units", "activation", "dropout")
        made = [dict(zip(names, layer, strict=False)) for layer in rest]
    except (TypeError, ValueError):
        form = '[7, (5, "tanh"), (3, "softmax")]'
        raise UnusableError(
            f"layers is {one_line(repr(layers), 80)}; expected: n_0, then pairs, as in {form}"
        ) from None
    values = {**DEFAULTS, **options, "architecture": {"inputs": inputs, "layers": made}, "loss": loss}
    return _validated(values | ({} if optimizer is None else {"optimizer": dict(optimizer)}))


def _validated(values: Mapping[str, Any]) -> TrainingSpec:
    try:
        return TrainingSpec.model_validate(values)
    except ValidationError as error:
        problem = first_problem(error, "spec")
        raise UnusableError(problem if problem.startswith("spec: ") else f"spec: {problem}") from None


def specs_named(given: Any, subject: Any, name: str) -> list[TrainingSpec]:
    """The specs that are asked for; those that the subject says where nothing is.

    Raises UnusableError: where there is none, or it cannot be read.
    """
    given = getattr(subject, "spec", None) if given is None else given
    if isinstance(given, TrainingSpec):
        return [given]
    if isinstance(given, Mapping):
        return [_validated({**DEFAULTS, **given})]
    if isinstance(given, str | Path):
        return _read(str(given))
    names = ", ".join(spec.name for spec in shipped().specs)
    raise UnusableError(f"{name} says no spec; remedy: --spec NAME ({names}), --spec FILE, or an attribute spec")


def _read(given: str) -> list[TrainingSpec]:
    """A shipped problem, a shipped suite, or a file."""
    found = [spec for spec in shipped().specs if spec.name == given]
    if found:
        return found
    if given not in shipped_suites() and not Path(given).exists():
        names = ", ".join([*(spec.name for spec in shipped().specs), *shipped_suites()])
        raise UnusableError(f"--spec {one_line(given, 80)!r} is not known; allowed: {names}, or a TOML file")
    return list(load_suite(given).specs)
