"""How seeds of A and B are compared: equal seeds in pairs, different seeds as two samples."""

from collections.abc import Mapping

from bench.compare.equivalence import Difference, paired_difference, welch_difference


def are_paired(a: Mapping[int, object], b: Mapping[int, object]) -> bool:
    """Whether one side has all seeds of the other. An equal seed means equal start and equal batches.

    Otherwise all seeds are used as two samples; seeds in common make that test conservative.
    """
    return a.keys() <= b.keys() or b.keys() <= a.keys()


def difference(a: Mapping[int, float], b: Mapping[int, float], resolution: float) -> Difference:
    """Mean of B − A over seeds, of which each side has one at least; `resolution` is that of `paired_difference`."""
    if are_paired(a, b):
        shared = sorted(a.keys() & b.keys())
        return paired_difference([a[seed] for seed in shared], [b[seed] for seed in shared], resolution)
    return welch_difference(list(a.values()), list(b.values()), resolution)
