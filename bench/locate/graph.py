"""From what each tensor is computed, and by which equation."""

from bench.locate.mistakes.mistake import Mistake
from bench.locate.net import Net
from bench.locate.rules import equation_of
from bench.locate.state import Given, Key

UPDATE = Key("update")


def parents(key: Key, depth: int) -> list[Key]:
    """What a tensor is computed from."""
    name, l = key
    if name == "Z":
        return [Key("A", l - 1)] if l > 1 else []
    if name == "A":
        return [Key("Z", l)]
    if name == "cost":
        return [Key("A", depth)]
    if name == "delta":
        return [Key("A", l)] if l == depth else [Key("delta", l + 1), Key("Z", l)]
    if name in ("dW", "db"):
        below = [Key("A", l - 1)] if name == "dW" and l > 1 else []
        return [Key("delta", l), *below]
    return [UPDATE, Key("d" + name[1], l)] if name in ("uW", "ub") else []


def span(key: Key, given: Given, depth: int) -> set[Key]:
    """A tensor and what it was computed from, up to what was reported."""
    found = {key}
    for parent in parents(key, depth):
        if parent not in given:
            found |= span(parent, given, depth)
    return found


def sources(key: Key, given: Given, depth: int) -> set[Key]:
    """The reported tensors that a tensor was computed from."""
    found: set[Key] = set()
    for parent in parents(key, depth):
        found |= {parent} if parent in given else sources(parent, given, depth)
    return found


def equation(key: Key, net: Net) -> str:
    """Number of the equation that computes a tensor."""
    fixed = {"Z": "(18)", "A": "(20)", "cost": "(24)", "dW": "BP3.2", "db": "BP4.2"}
    if key.name == "delta":
        return "BP1.2" if key.layer == net.depth else "BP2.2"
    return fixed.get(key.name) or equation_of(net)


PARTS: dict[str, frozenset[str]] = {
    "Z": frozenset({"(18)"}),
    "A": frozenset({"(20)", "f", "(D35)"}),
    "cost": frozenset({"(22)", "(24)", "(D31)", "targets"}),
    "delta": frozenset({"BP1.2", "BP2.2", "f'", "slopes", "(D35)", "targets"}),
    "dW": frozenset({"BP3.2", "(D32)"}),
    "db": frozenset({"BP4.2", "(D32)"}),
    "uW": frozenset({"update", "rate", "clip", "shrink", "start", "quotient"}),
    "ub": frozenset({"update", "rate", "clip", "shrink", "start", "quotient"}),
}
"""Name of a tensor → the entries of the table of equations that compute it."""


def concerns(mistake: Mistake, keys: set[Key]) -> bool:
    """Whether a mistake changes an equation by which one of these tensors is computed."""
    return any(not PARTS.get(key.name, frozenset()).isdisjoint(mistake.changes) for key in keys)
