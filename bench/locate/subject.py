"""The user's network, called through plain methods. Every answer is checked, and every fault is told in one line."""

import contextlib
import copy
import io
import signal
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any, Protocol

import numpy as np

from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.locate.arrays import (
    Tree,
    as_array,
    dtype_name,
    in_order_of,
    in_order_of_layers,
    is_leaf,
    leaves,
    like,
    rebuilt,
)
from bench.locate.layout import BIAS, EXAMPLES, WEIGHTS, Layout
from bench.locate.net import Array, Net
from bench.locate.state import Key, Moment

REQUIRED = ("get_parameters", "set_parameters", "step")
OPTIONAL = ("forward", "cost", "errors", "gradients")
SAID = {"examples": EXAMPLES, "weights": WEIGHTS, "bias": BIAS}
REFUSED = ("complex", "float16", "bfloat16", "int", "uint", "bool")
"""Beginnings of dtypes in which no answer is computed: what they cut off would be blamed on an equation."""
SECONDS = 60.0
"""Longest time that one call may take."""


class Subject(Protocol):
    """What `locate` asks of a network. X is (M, n_0) or (n_0, M), Y likewise; parameters are in the subject's own form.

    Optional methods make the answer finer: forward(X) → A[L], or [A[1], ...], or ([Z[1], ...], [A[1], ...]);
    cost(X, Y) → a number; errors(X, Y) → [delta[1], ...]; gradients(X, Y) → in the form of the parameters.
    """

    def get_parameters(self) -> Tree:
        """W and b of each layer: arrays in lists, tuples or dicts, in order."""

    def set_parameters(self, parameters: Tree) -> None:
        """Take parameters in the form that `get_parameters` returns."""

    def step(self, X: Any, Y: Any) -> float | None:
        """One update of the parameters; may return the cost before it."""


class SubjectError(UnusableError):
    """A subject that does not keep to the protocol."""


class Asked:
    """One new subject, and the layout in which it is asked."""

    def __init__(self, make: Callable[[], Any], name: str, net: Net, seconds: float = SECONDS) -> None:
        self.name, self.net, self.seconds = name, net, seconds
        self.notes: dict[str, str] = {}
        self._subject = self._guarded("()", make)
        self._check_methods()
        self.tree = self._call("get_parameters")
        self.arrays = self._arrays("get_parameters()", self.tree)
        self.layout: Layout
        self._held: list[Array]
        """The parameters that were put in, as they were read afterwards."""

    @property
    def offered(self) -> list[str]:
        """The optional methods that it has."""
        return [name for name in OPTIONAL if callable(getattr(self._subject, name, None))]

    @property
    def said(self) -> dict[str, str]:
        """What it says of its layout by itself; its class may say it where an object keeps its weights by that name."""
        places = (type(self._subject), self._subject)
        found = {name: getattr(place, name) for place in places for name in SAID if _says(place, name)}
        for name, value in found.items():
            if value not in SAID[name]:
                allowed = " or ".join(SAID[name])
                raise SubjectError(f"{self.name}.{name} is {one_line(repr(value), 40)}; allowed: {allowed}")
        return found

    @property
    def dtype(self) -> str:
        """float32 where any parameter is, else float64."""
        names = {dtype_name(leaf) for leaf in leaves(self.tree)}
        if coarse := names & {"float16", "bfloat16"}:
            raise SubjectError(f"{self.name} has parameters of {min(coarse)}; allowed: float32, float64")
        return "float32" if "float32" in names else "float64"

    def _check_methods(self) -> None:
        for method in REQUIRED:
            if not callable(getattr(self._subject, method, None)):
                remedy = "`scratchbench locate --template` prints an adapter that has them"
                raise SubjectError(f"{self.name} has no method {method}; needed: {', '.join(REQUIRED)}; {remedy}")

    def set(self, moment: Moment) -> None:
        """Put the moment's parameters in, in arrays of their own."""
        shapes = [array.shape for array in self.arrays]
        queue = iter(self.layout.arrays(moment.parameters, shapes))
        self._call("set_parameters", rebuilt(self.tree, lambda: next(queue)))
        self._held = self._read_parameters()

    def _read_parameters(self) -> list[Array]:
        arrays = self._arrays("get_parameters()", in_order_of(self.tree, self._call("get_parameters")))
        self._pairs("get_parameters()", arrays)
        return arrays

    def parameters(self) -> list[tuple[Array, Array]]:
        """(W, b) of each layer, copied."""
        arrays = self._arrays("get_parameters()", in_order_of(self.tree, self._call("get_parameters")))
        return self._pairs("get_parameters()", arrays)

    def step(self, moment: Moment) -> float | None:
        """The cost that `step` returned, if it returned a number."""
        answer = self._call("step", *self._batch(moment), **self._extras(moment))
        if answer is None or not is_leaf(answer):
            return None
        array = as_array(answer)
        return float(array.reshape(-1)[0]) if array.size == 1 else None

    def cost(self, moment: Moment) -> float:
        """What the method `cost` reports."""
        answer = self._call("cost", *self._batch(moment), **self._extras(moment))
        return float(self._read_cost(answer, moment)[Key("cost")])

    def observe(self, moment: Moment) -> dict[Key, Array]:
        """What the optional methods report at the parameters that were put in."""
        found: dict[Key, Array] = {}
        for method in self.offered:
            batch = self._batch(moment)[: 1 if method == "forward" else 2]
            answer = self._call(method, *batch, **self._extras(moment, method))
            found.update(getattr(self, f"_read_{method}")(answer, moment))
            self._check_unchanged(method)
        return found

    def _check_unchanged(self, method: str) -> None:
        """Whatever is asked next would be asked of another network."""
        arrays = self._read_parameters()
        if not all(np.array_equal(one, other, equal_nan=True) for one, other in zip(arrays, self._held, strict=True)):
            raise SubjectError(f"{self._of(method)}(...) changes the parameters; expected: only step(X, Y) does")

    def _read_forward(self, answer: Any, moment: Moment) -> dict[Key, Array]:
        L = self.net.depth
        if is_leaf(answer):
            return self._columns("forward(X)", "A", {L: answer}, moment)
        if isinstance(answer, tuple) and len(answer) == 2 and not any(is_leaf(part) for part in answer):
            Z, A = answer
            return {**self._layers("forward(X)[0]", "Z", Z, moment), **self._layers("forward(X)[1]", "A", A, moment)}
        return self._layers("forward(X)", "A", answer, moment)

    def _read_errors(self, answer: Any, moment: Moment) -> dict[Key, Array]:
        return self._layers("errors(X, Y)", "delta", answer, moment)

    def _layers(self, place: str, name: str, answer: Any, moment: Moment) -> dict[Key, Array]:
        """One array a layer; the input in front of them, as A[0], may be there too."""
        parts = in_order_of_layers(answer) if isinstance(answer, Mapping) else answer
        if not isinstance(parts, list | tuple):
            raise SubjectError(
                f"{self._of(place)} is a {type(answer).__name__}; expected: a list of {name}[1] to {name}[L]"
            )
        L = self.net.depth
        if len(parts) == L + 1 and name in "ZA":
            parts = parts[1:]
        if len(parts) != L:
            raise SubjectError(f"{self._of(place)} has {len(parts)} arrays; expected: {L}, {name}[1] to {name}[{L}]")
        return self._columns(place, name, dict(zip(self.net.layers, parts, strict=True)), moment)

    def _columns(self, place: str, name: str, parts: Mapping[int, Any], moment: Moment) -> dict[Key, Array]:
        found = {}
        for layer, part in parts.items():
            array = self._numbers(f"{name}[{layer}] of {place}", part)
            n, M = self.net.widths[layer], moment.M
            columns = self.layout.columns(array, n, M)
            if columns is None:
                told = f"{name}[{layer}] has shape {array.shape}; expected: {self.layout.shape(n, M)}"
                raise SubjectError(f"{self._of(place)}: {told}, as {self.layout.examples} are examples")
            found[Key(name, layer)] = columns
        return found

    def _read_cost(self, answer: Any, moment: Moment) -> dict[Key, Array]:
        array = self._numbers("cost(X, Y)", answer)
        if array.size != 1:
            raise SubjectError(f"{self._of('cost(X, Y)')} has shape {array.shape}; expected: one number")
        return {Key("cost"): array.reshape(())}

    def _read_gradients(self, answer: Any, moment: Moment) -> dict[Key, Array]:
        pairs = self._pairs("gradients(X, Y)", self._arrays("gradients(X, Y)", in_order_of(self.tree, answer)))
        return {
            Key(f"d{name}", layer): array
            for layer, pair in zip(self.net.layers, pairs, strict=True)
            for name, array in zip("Wb", pair, strict=True)
        }

    def _pairs(self, place: str, arrays: list[Array]) -> list[tuple[Array, Array]]:
        pairs = self.layout.pairs_in_any_order(arrays, self.net)
        if pairs is None:
            shapes, wanted = [array.shape for array in arrays], [array.shape for array in self.arrays]
            raise SubjectError(
                f"{self._of(place)} has arrays of shapes {shapes}; expected, as of the parameters: {wanted}"
            )
        return pairs

    def _arrays(self, place: str, tree: Tree) -> list[Array]:
        try:
            found = leaves(tree)
        except TypeError as error:
            raise SubjectError(f"{self._of(place)} holds {error}; expected: arrays in lists, tuples or dicts") from None
        return [self._numbers(place, leaf) for leaf in found]

    def _numbers(self, place: str, value: Any) -> Array:
        kind = dtype_name(value)
        if kind.startswith(REFUSED) and (kind.startswith("complex") or not place.startswith("get_parameters")):
            raise SubjectError(f"{self._of(place)} has {kind}; allowed: float64, float32")
        try:
            return as_array(value)
        except (TypeError, ValueError):
            text = one_line(repr(value), 80)
            raise SubjectError(f"{self._of(place)} is {text}; expected: numbers") from None

    def _batch(self, moment: Moment) -> list[Any]:
        """X and Y of the subject's own kind, copies that it may spoil."""
        first = leaves(self.tree)[0]
        return [like(first, self.layout.batch(columns)) for columns in (moment.X, moment.Y)]

    def _extras(self, moment: Moment, method: str = "step") -> dict[str, Any]:
        """Weights of examples and masks of dropout, where the spec has them."""
        first, extras = leaves(self.tree)[0], {}
        if moment.weights is not None and method != "forward":
            extras["weights"] = like(first, moment.weights)
        if moment.masks:
            extras["masks"] = [like(first, self.layout.batch(mask.astype(float))) for mask in moment.masks.values()]
        return extras

    def _of(self, place: str) -> str:
        return f"{self.name}.{place}"

    def _call(self, method: str, *arguments: Any, **extras: Any) -> Any:
        before = copy.deepcopy((arguments, extras)) if method != "set_parameters" else None
        answer = self._guarded(f".{method}(...)", lambda: getattr(self._subject, method)(*arguments, **extras))
        if before is not None and not _same(before, (arguments, extras)):
            self.notes["inputs"] = f"{self.name}.{method} writes into X or Y; expected: inputs are left as they are"
        return answer

    def _guarded(self, place: str, call: Callable[[], Any]) -> Any:
        """The answer of the subject's own code, without its prints and warnings, in bounded time."""
        printed = _Printed()
        try:
            with contextlib.redirect_stdout(printed), warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                with time_limit(self.seconds, f"{self.name}{place}"):
                    return call()
        except UnusableError:
            raise
        except (Exception, SystemExit) as error:
            raise SubjectError(f"{self.name}{place} raised {told(error)}") from error
        finally:
            if printed.getvalue():
                self.notes["prints"] = f"{self.name} prints; its lines are left out"


def _says(place: Any, name: str) -> bool:
    return isinstance(getattr(place, name, None), str)


class _Printed(io.StringIO):
    """Takes the place of stdout, also of one that is closed."""

    def close(self) -> None:
        """Stay open."""


def _same(one: Any, other: Any) -> bool:
    """Whether arguments are what they were; what cannot be compared counts as the same."""
    try:
        pairs = zip(leaves(one), leaves(other), strict=True)
        return all(np.array_equal(as_array(a), as_array(b), equal_nan=True) for a, b in pairs)
    except (TypeError, ValueError):
        return True


def told(error: BaseException) -> str:
    """`ValueError: reason (adapter.py:12)`: the last line of somebody else's code."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_machinery(frame.filename)]
    where = f" ({frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {one_line(error, 200)}{where}"


def _is_machinery(file: str) -> bool:
    """Whether it is code of `locate`, or Python's own that imports."""
    return "/bench/locate/" in file or "/importlib/" in file or file.startswith("<frozen importlib")


watchers: list[Callable[[str, float | None], None]] = []
"""Are told when a call of the network's own code begins, and (with None) when it has ended."""


@contextlib.contextmanager
def time_limit(seconds: float, place: str) -> Iterator[None]:
    """End what takes longer, where signals can do that: in the main thread."""
    for tell in watchers:
        tell(place, seconds)
    try:
        with _alarm(seconds, place):
            yield
    finally:
        for tell in watchers:
            tell(place, None)


@contextlib.contextmanager
def _alarm(seconds: float, place: str) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise SubjectError(
            f"{place} took longer than {seconds:g} s; expected: less; remedy: a smaller --spec, or --seconds"
        )

    before = signal.signal(signal.SIGALRM, stop)
    others, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, others)  # somebody else's, such as pytest-timeout's, goes on
        signal.signal(signal.SIGALRM, before)
