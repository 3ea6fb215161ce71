"""Says which equation of a hand-written network is wrong, and why.

`from bench import locate`, then `locate(MyNetwork)`: this module can be called. On the command line it is
`scratchbench locate`.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_PLACES = {
    "Report": "bench.locate.run",
    "locate": "bench.locate.run",
    "spec_of": "bench.locate.problems",
    "assert_equivalent": "bench.locate.testing",
    "gradient_check": "bench.locate.testing",
}
"""What a user may want of it → where it is: imported when it is asked for."""


class _Callable(ModuleType):
    """Python sets `bench.locate` to this module as soon as it is imported: so that name has to do what it says."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return import_module("bench.locate.run").locate(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        if name in _PLACES:
            return getattr(import_module(_PLACES[name]), name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")


sys.modules[__name__].__class__ = _Callable
