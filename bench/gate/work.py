"""Checks that both sides did the same work. Otherwise their seconds cannot be compared."""

import hashlib
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

import numpy as np

from bench.gate.no_verdict import WorkChangedError
from bench.gate.pair import Pair
from bench.gate.plan_files import PlanFiles
from bench.inputs.plan import batches

COST_TOLERANCE = 0.01
"""Relative: a sum in another order changes a float32 epoch's cost by 1e-5 or less, a step in fifty left out by 1e-2."""
LEARNED_TOLERANCE = 0.05
"""Of the distance that the parameters moved: rounding changes 1e-3 of it, another order of examples far more."""
ACCURACY_TOLERANCE = 0.005


def expected_batches(plan: PlanFiles, epoch: int) -> str:
    """SHA-256 of the plan's batches, as each side computes it itself."""
    x, y = (np.load(plan.folder / f"{name}.npy", mmap_mode="r") for name in ("x", "y"))
    digest = hashlib.sha256()
    for batch in batches(x, y, np.load(plan.folder / f"order{epoch}.npy"), plan.spec.batch_size):
        for array in batch:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def check_start(plan: PlanFiles, sides: Mapping[str, Mapping[str, Any]]) -> None:
    """Both sides start from the plan's parameters and consume its batches; `sides` has what each answered.

    Raises WorkChangedError: names the side that does not.
    """
    expected = expected_batches(plan, 1)
    for side, said in sides.items():
        if not np.array_equal(np.frombuffer(said["parameters"]), plan.start):
            raise WorkChangedError(f"the {side} side does not start from the plan's parameters")
        if said["fingerprint"] != expected:
            raise WorkChangedError(f"the {side} side does not consume the plan's batches")


def check_learned(plan: PlanFiles, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Both sides learned the same in the same number of epochs, up to rounding.

    Raises WorkChangedError: says how large the difference is.
    """
    if reasons := list(_differences(plan, old, new)):
        raise WorkChangedError("; ".join(reasons))


def _differences(plan: PlanFiles, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    ours, theirs = (np.frombuffer(side["parameters"]) for side in (new, old))
    if ours.shape != theirs.shape:
        yield f"the new side has {len(ours)} parameters, the old one {len(theirs)}"
        return
    moved = float(np.linalg.norm(theirs - plan.start))
    apart = float(np.linalg.norm(ours - theirs)) / moved if moved else 0.0
    if not apart <= LEARNED_TOLERANCE:
        yield f"the parameters end {apart:.0%} of their way apart (allowed: {LEARNED_TOLERANCE:.0%})"
    before, now = (float(np.mean(np.asarray(side["classes"]) == plan.labels)) for side in (old, new))
    if abs(now - before) > ACCURACY_TOLERANCE:
        yield f"test accuracy is {now:.2%}, that of the old side {before:.2%}"


def check_costs(pair: Pair) -> None:
    """The cost curves of a pair are the same, up to rounding.

    Raises WorkChangedError: names the pair and the epoch.
    """
    for epoch, (old, new) in enumerate(zip_longest(pair.old_costs, pair.new_costs, fillvalue=np.nan), 1):
        if not abs(new - old) <= COST_TOLERANCE * abs(old):
            told = f"cost of epoch {epoch} is {new:.4g}, that of the old side {old:.4g}"
            raise WorkChangedError(f"{pair.cell}, pair {pair.number}: {told}")
