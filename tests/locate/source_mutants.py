"""Mistakes that a program makes: one operator, constant, axis or call of the hand-written network's source replaced.

Nobody chose them, so that most are not in the library. What the edited line computes tells the equation.
"""

import ast
import copy
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

import handwritten
import numpy as np
from handwritten import HandWritten
from mutants import update_of

EQUATIONS = {
    "weighted": ("(18)",),
    "act": ("(20)",),
    "kept": ("(D35)",),
    "loss": ("(22)",),
    "penalty": ("(D31)",),
    "total": ("(24)",),
    "output_delta": ("BP1.2",),
    "through": ("BP1.2", "BP2.2"),
    "hidden_delta": ("BP2.2",),
    "weigh": ("BP1.2",),
    "weight_gradient": ("BP3.2",),
    "bias_gradient": ("BP4.2",),
    "penalty_gradient": ("(D32)",),
    "clip": ("(D29)",),
}
"""Method → the equation that it computes, or the two that share it."""
OPTIMIZERS = ("sgd", "adam", "adamw", "rmsprop", "adagrad")
"""Methods that compute the update; its equation is that of the problem's optimizer."""
OTHER = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
NAMES = {"mean": "sum", "sum": "mean", "exp": "expm1", "sqrt": "square", "abs": "square", "max": "min"}


@dataclass(frozen=True)
class SourceMutant:
    """A method whose source was changed at one place."""

    method: str
    was: str
    now: str
    function: object

    @property
    def name(self):
        return f"{self.method}: {self.was} → {self.now}"

    def equations(self, spec) -> set[str]:
        """What the edited line computes in this problem; where the penalty is added to the mean, (24) or (D31)."""
        if self.method in OPTIMIZERS:
            return {update_of(spec.optimizer)}
        adds_the_penalty = self.method == "total" and "penalty" in self.was
        return {*EQUATIONS[self.method], *(["(D31)"] if adds_the_penalty else [])}

    def network(self, **attributes):
        return type("Edited", (HandWritten,), {self.method: self.function, **attributes})


def source_mutants() -> Iterator[SourceMutant]:
    """All of them, in the order of the source."""
    for method in (*EQUATIONS, *OPTIMIZERS):
        tree = ast.parse(textwrap.dedent(inspect.getsource(getattr(HandWritten, method))))
        for number, node in enumerate(ast.walk(tree)):
            for wrong in replacements(node):
                edited = copy.deepcopy(tree)
                was = list(ast.walk(edited))[number]
                texts = ast.unparse(node), ast.unparse(wrong)
                yield SourceMutant(method, *texts, compiled(Swapped(was, wrong).visit(edited), method))


def replacements(node) -> Iterator[ast.expr]:
    """What may stand in the place of an expression."""
    if isinstance(node, ast.BinOp):
        if type(node.op) in OTHER:
            yield ast.BinOp(node.left, OTHER[type(node.op)](), node.right)
        yield from (node.left, node.right)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield ast.Constant(node.value + 1)
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield node.value
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield ast.Attribute(node.value, NAMES[node.attr], node.ctx)


class Swapped(ast.NodeTransformer):
    """Puts one expression in the place of another."""

    def __init__(self, was, wrong):
        self.was, self.wrong = was, wrong

    def generic_visit(self, node):
        return self.wrong if node is self.was else super().generic_visit(node)


def compiled(tree, method):
    space = dict(vars(handwritten))
    exec(compile(ast.fix_missing_locations(tree), "<edited>", "exec"), space)
    return space[method]


def makes_numbers(told) -> bool:
    """Whether most of what a network computes is finite: else it stops by itself."""
    values = [np.isfinite(value).all() for value in told.values()]
    return bool(np.mean(values) > 0.5)
