"""The quantities that pages draw by epoch, and how their values are written. All pages share this one table."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """Title; factor from the recorded unit to the shown one; digits, after the point where `fixed`; kind of axis."""

    title: str
    factor: float = 1
    digits: int = 4
    fixed: bool = False
    logarithmic: bool = False


MEASURES: dict[str, Measure] = {
    "cost": Measure("Cost"),
    "test_accuracy": Measure("Test accuracy, %", 100, 2, fixed=True),
    "test_r2_score": Measure("Test R²", 1, 4, fixed=True),
    "epoch_seconds": Measure("Seconds of an epoch", digits=3),
    "time_ratio": Measure("Time ratio", digits=3, logarithmic=True),
}
