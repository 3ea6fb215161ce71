"""Ratios with intervals over processes, and the summary in one sentence."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.backends.floors import RateProduct, arithmetic_seconds
from bench.backends.registry import BACKENDS, FLOORS
from bench.core.statistics import Interval, median, ratio_interval, time_ratio
from bench.core.text import MISSING, with_ends
from bench.speed.grid import Grid, GridCell
from bench.speed.observations import Observation, Observed

OURS, FLOOR = "scratchnet", "products"
HALF_WIDTH = 0.03
"""An interval is narrow enough where half of it is less than this part of its centre."""
FEWEST_ROUNDS = 3
ROUNDS_OF_ALL = 2
"""Rounds in which every backend takes part; then those that may be the fastest somewhere."""
CONTENDS = 1.25
"""A peer is measured on as long as it is within this factor of the fastest."""
COLD_ROUND = 1
"""It fills the caches on disk: of compiled code, of the operating system."""
COLD_TURN = 1
"""A process's first `predict` in it sets up what the later ones use: buffers, compiled code."""
COST_TOLERANCE = 0.02
"""By how much a peer's cost of an epoch may differ from scratchnet's: more than float32 ever did, less than a slip."""


@dataclass(frozen=True)
class Peer:
    """One backend in one cell; `ratio` is scratchnet's seconds over its own."""

    name: str
    seconds: float | None
    first_epoch_seconds: float | None
    ratio: Interval | None
    predict_ratio: Interval | None
    reason: str


class CellOutcome:
    """One cell of the grid."""

    def __init__(self, cell: GridCell, observed: Observed, examples: int) -> None:
        self.cell, self.examples = cell, examples
        self._seen = [o for o in observed.observations if o.cell == cell]
        self._ours = {o.round: o for o in self._seen if o.backend == OURS and o.status == "ok"}
        self._spec = Grid(optimizer=observed.optimizer, dtype=observed.dtype).spec(cell)
        self._rate = max(observed.gemm_rates.values())

    @cached_property
    def peers(self) -> list[Peer]:
        """Every backend but scratchnet, in the order of the table."""
        names = dict.fromkeys(o.backend for o in self._seen)
        return [self._peer(name) for name in BACKENDS if name in names and name != OURS]

    @cached_property
    def fastest(self) -> Peer | None:
        """The peer beside which scratchnet looks worst."""
        known = [peer for peer in self.peers if peer.ratio is not None]
        return max(known, key=lambda peer: peer.ratio.centre if peer.ratio else 0.0, default=None)

    @property
    def seconds(self) -> float | None:
        """Median seconds of an epoch of scratchnet."""
        return _seconds(self._ours.values())

    @property
    def first_epoch_seconds(self) -> float | None:
        """Median seconds of scratchnet from the start of a process to the end of its first epoch, caches warm."""
        return _first_epoch(self._ours.values())

    @property
    def product_floor(self) -> Peer | None:
        """The step's products and gather alone."""
        return self._peer(FLOOR) if any(o.backend == FLOOR for o in self._seen) else None

    @property
    def arithmetic_floor_seconds(self) -> float:
        """Operations of an epoch over the best rate of a product in this run."""
        return arithmetic_seconds(self._spec, self.examples, self._rate)

    @property
    def is_decided(self) -> bool:
        """Whether the interval against the fastest peer is narrow enough."""
        ratio = self.fastest.ratio if self.fastest and len(self._ours) >= FEWEST_ROUNDS else None
        return ratio is not None and ratio.half_width is not None and ratio.half_width < HALF_WIDTH * ratio.centre

    def contenders(self, names: Sequence[str]) -> list[str]:
        """Which of these backends a further round is for."""
        limit = self.fastest.ratio.centre / CONTENDS if self.fastest and self.fastest.ratio else 0.0
        out = {peer.name for peer in self.peers if peer.ratio is None or peer.ratio.centre < limit}
        return [name for name in names if name not in out]

    def _peer(self, name: str) -> Peer:
        seen = [o for o in self._seen if o.backend == name]
        well = [o for o in seen if o.status == "ok" and o.round in self._ours and self._learns_the_same(o)]
        pairs = [(self._ours[o.round], o) for o in well]
        ratios = [time_ratio(a.epoch_seconds, b.epoch_seconds) for a, b in pairs]
        predicted = [time_ratio(_warm(a), _warm(b)) for a, b in pairs]
        reasons = [f"{o.status}: {o.reason}" for o in seen if o.status != "ok"]
        if not reasons and len(well) < len(seen):
            reasons = ["not_comparable: its costs are not those of scratchnet"]
        seconds = _seconds(well), _first_epoch(well)
        return Peer(name, *seconds, _interval(ratios), _interval(predicted), reasons[0] if reasons else "")

    def _learns_the_same(self, seen: Observation) -> bool:
        ours = self._ours[seen.round].costs
        differences = [abs(a - b) / a for a, b in zip(ours, seen.costs, strict=False)]
        return seen.backend in FLOORS or max(differences, default=0.0) <= COST_TOLERANCE


class SpeedOutcome:
    """All cells of a run."""

    def __init__(self, observed: Observed, examples: int) -> None:
        self.observed, seen = observed, observed.observations
        cells = dict.fromkeys(o.cell for o in seen)
        self.cells = [CellOutcome(cell, observed, examples) for cell in cells]
        self.rounds = len({o.round for o in seen})

    @property
    def rate_product(self) -> RateProduct:
        """Which product reached the best rate: `tile`, the engine's own, or `blas`, as in runs of earlier versions."""
        rates = self.observed.gemm_rates
        return self.observed.rate_products.get(max(rates, key=rates.__getitem__), "blas")

    @property
    def sentence(self) -> str:
        """The worst cell, the geometric mean, and whether the machine was quiet enough."""
        known = [(cell, cell.fastest) for cell in self.cells if cell.fastest is not None]
        if not known:
            return "no cell has both scratchnet and a peer"
        worst, peer = max(known, key=lambda pair: pair[1].ratio.centre if pair[1].ratio else 0.0)
        mean = math.exp(sum(math.log(p.ratio.centre) for _, p in known if p.ratio) / len(known))
        return (
            f"scratchnet takes {interval_text(peer.ratio)} times the seconds of the fastest peer in the worst cell"
            f" ({worst.cell}, {peer.name}), {mean:.2f} times in the geometric mean of {len(known)} cells{self._noise}"
        )

    @property
    def _noise(self) -> str:
        wide = [str(cell.cell) for cell in self.cells if not cell.is_decided]
        if not wide:
            return ""
        return f"; too noisy or too few rounds ({self.rounds}) for ±{HALF_WIDTH:.0%} in {', '.join(wide)}"


def _seconds(seen: Iterable[Observation]) -> float | None:
    return median(value for o in seen if (value := median(o.epoch_seconds.values())) is not None)


def _first_epoch(seen: Iterable[Observation]) -> float | None:
    return median(o.first_epoch_seconds for o in seen if o.first_epoch_seconds and o.round > COLD_ROUND)


def _warm(seen: Observation) -> dict[int, float]:
    return {turn: seconds for turn, seconds in seen.predict_seconds.items() if turn != COLD_TURN}


def _interval(ratios: Iterable[float | None]) -> Interval | None:
    return ratio_interval(ratio for ratio in ratios if ratio is not None)


def interval_text(ratio: Interval | None) -> str:
    """Centre and bounds of a ratio, for a table or a sentence."""
    return MISSING if ratio is None else with_ends(ratio.centre, ratio.low, ratio.high, "{:.2f}".format)
