"""All mistakes that fit a problem."""

from bench.locate.mistakes.backward import BACKWARD
from bench.locate.mistakes.forward import FORWARD
from bench.locate.mistakes.gradient import GRADIENT
from bench.locate.mistakes.loss import CONVENTIONS, COST, LOSS
from bench.locate.mistakes.mistake import Entry, Mistake
from bench.locate.mistakes.online import ONLINE
from bench.locate.mistakes.optimizer import OPTIMIZER
from bench.locate.mistakes.overwritten import OVERWRITTEN
from bench.locate.net import Net

ENTRIES: list[Entry] = [
    *CONVENTIONS,
    *FORWARD,
    *LOSS,
    *COST,
    *BACKWARD,
    *GRADIENT,
    *OPTIMIZER,
    *ONLINE,
    *OVERWRITTEN,
]


def library(net: Net) -> list[Mistake]:
    """Every mistake that can be made in this problem, at one layer or at all."""
    return [mistake for entry in ENTRIES for mistake in entry.made_for(net)]
