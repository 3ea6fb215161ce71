"""Says which equation of a hand-written network is wrong, and why: `bench.locate(MyNetwork)`, `scratchbench locate`."""

from importlib import import_module
from typing import Any

_PLACES = {
    "Report": "bench.locate.run",
    "spec_of": "bench.locate.problems",
    "assert_equivalent": "bench.locate.testing",
    "gradient_check": "bench.locate.testing",
}
"""What a user may want of it → where it is: imported when it is asked for."""


def __getattr__(name: str) -> Any:
    if name in _PLACES:
        return getattr(import_module(_PLACES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
