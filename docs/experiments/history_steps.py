"""How often the search for steps in a history is wrong: simulated histories whose right answer is known.

Feeds docs/history.md with docs/experiments/results/history_steps.json. Run it as
`PYTHONPATH=. python docs/experiments/history_steps.py`; it takes a minute.
"""

import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from shared import write

from bench.history.steps import FEWEST, find_steps

RUNS, WITHOUT_STEP, WITH_STEP, NEAR = 30, 2000, 500, 2
"""Runs of a history; how many histories without a step, and of each step; runs by which its place may be off."""
STEPS = (2, 3, 5, 10)
"""Per cent, in the middle."""
SD = 0.02
Noise = Callable[[np.random.Generator, int], NDArray[np.float64]]


def normal(rng: np.random.Generator, runs: int) -> NDArray[np.float64]:
    """Standard deviation 2 %."""
    return rng.normal(0, SD, runs)


def heavy_tails(rng: np.random.Generator, runs: int) -> NDArray[np.float64]:
    """Student's t with 3 degrees of freedom, standard deviation 2 %."""
    return rng.standard_t(3, runs) * SD / math.sqrt(3)


def unlucky(rng: np.random.Generator, runs: int) -> NDArray[np.float64]:
    """0.8 %, and every fourth run 5 % slower: about so many processes are so for their whole life (gate.md)."""
    return rng.normal(0, 0.008, runs) + 0.05 * (rng.random(runs) < 0.25)


def drifting(rng: np.random.Generator, runs: int) -> NDArray[np.float64]:
    """Standard deviation 2 %, and each run keeps half of the noise of the one before."""
    noise = rng.normal(0, SD, runs)
    for run in range(1, runs):
        noise[run] = 0.5 * noise[run - 1] + math.sqrt(0.75) * noise[run]
    return noise


NOISES: dict[str, Noise] = {"normal": normal, "heavy tails": heavy_tails, "unlucky": unlucky}


def found_in(noise: Noise, runs: int, histories: int, factor: float = 1.0) -> Iterator[list[int]]:
    """The places of the steps that are found in each history; from its middle on it is slower by that factor."""
    rng = np.random.default_rng(20261129)
    for _ in range(histories):
        logarithms = noise(rng, runs)
        logarithms[runs // 2 :] += math.log(factor)
        yield [step.index for step in find_steps(np.exp(logarithms).tolist()).steps]


def false_steps(noise: Noise, runs: int) -> float:
    """In how many per cent of the histories without a step one is found."""
    return 100 * sum(map(bool, found_in(noise, runs, WITHOUT_STEP))) / WITHOUT_STEP


def power(noise: Noise, percent: float) -> float:
    """In how many per cent of the histories with that step in the middle it is found there."""
    places = found_in(noise, RUNS, WITH_STEP, 1 + percent / 100)
    return 100 * sum(any(abs(place - RUNS // 2) <= NEAR for place in found) for found in places) / WITH_STEP


def main() -> None:
    """Simulate, count, write."""
    result = {
        "false": {name: false_steps(noise, RUNS) for name, noise in NOISES.items()},
        "found": {name: {str(step): power(noise, step) for step in STEPS} for name, noise in NOISES.items()},
        "false of eight runs": {name: false_steps(noise, FEWEST) for name, noise in NOISES.items()},
        "false of drifting": false_steps(drifting, RUNS),
    }
    write("history_steps", result)


if __name__ == "__main__":
    main()
