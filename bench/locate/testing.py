"""For test suites: a network must compute what a spec says, and its gradient must be the derivative of its own cost."""

from typing import Any

from bench.locate.differences import differences
from bench.locate.net import net_of
from bench.locate.problems import specs_named
from bench.locate.run import locate
from bench.locate.state import Given, Key
from bench.locate.subject import SubjectError
from bench.locate.survey import surveys

RIGHT = {"float64": 1e-6, "float32": 1e-2}
"""The largest ratio of a right tensor: what is left is the error of the differences, and rounding."""


def assert_equivalent(network: Any, spec: Any = None) -> None:
    """Fail with the report of `locate` where the network makes a mistake; conventions pass.

    Raises AssertionError: the report.
    Raises UnusableError: the network does not keep to the protocol, or the spec cannot be read.
    """
    __tracebackhide__ = True
    report = locate(network, spec)
    if not report.ok:
        raise AssertionError(report.text())  # its first line is what the summary of pytest shows


def gradient_check(network: Any, spec: Any = None, *, limit: float | None = None) -> dict[str, float]:
    """‖yours − numeric‖ / (‖yours‖ + ‖numeric‖) for each tensor, numeric by central differences of the reported cost.

    limit : the largest ratio that passes; left out: 1e-6 in float64, 1e-2 in float32.

    Raises AssertionError: names each tensor whose ratio is larger, with its ratio.
    Raises SubjectError: where cost or gradient is not reported.
    """
    __tracebackhide__ = True
    name = getattr(network, "__name__", type(network).__name__)
    seen = surveys(network, name, net_of(specs_named(spec, network, name)[0]))[0]  # any layout: it cancels out
    found = differences(seen)
    if not found:
        raise SubjectError(f"{name} {_missing(seen.seen[0].given[0], seen.net.optimizer.name)}")
    ratios = {one.tensor: one.ratio for one in found}
    allowed = RIGHT[seen.dtype] if limit is None else limit
    off = [f"{tensor} {ratio:.2g}" for tensor, ratio in ratios.items() if not ratio <= allowed]
    if off:
        raise AssertionError(f"{name}: gradient and cost disagree in {', '.join(off)}; allowed: {allowed:g}")
    return ratios


def _missing(given: Given, optimizer: str) -> str:
    """What cannot be compared: the cost, or the gradient."""
    if Key("cost") not in given:
        return "reports no cost; needed: cost(X, Y), or step(X, Y) that returns the cost before it"
    return f"reports no gradient, and steps of {optimizer} do not show it; needed: gradients(X, Y)"
