"""What was measured of one process in one cell, and the file of all these observations.

A process is the unit: its seconds are one observation, no matter how many epochs it trains.
"""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator

from bench.backends.floors import RateProduct
from bench.core.errors import UnusableError, refused
from bench.core.files import write_atomically
from bench.core.models import FiniteRecord, Positive, first_problem, refuse_repeated
from bench.records.run import Status
from bench.speed.grid import RELU, GridCell

NAME = "observations.json"
SCHEMA_VERSION = 1


class Observation(FiniteRecord):
    """A backend's process in one cell of one round. Seconds are those of `train_epoch`, of `predict` on the test set.

    first_epoch_seconds : from just before the process is started to the end of its first epoch, which is the warm-up;
    no other process of the round works meanwhile. The first round fills caches on disk.
    epoch_seconds : timed epochs by the number of their turn; all processes of a round take a turn one after another.
    """

    round: int
    architecture: str
    batch_size: int
    activation: str = RELU
    backend: str
    status: Status = "ok"
    reason: str = ""
    first_epoch_seconds: Positive | None = None
    warm_up_seconds: Positive | None = None
    epoch_seconds: dict[int, Positive] = Field(default_factory=dict)
    predict_seconds: dict[int, Positive] = Field(default_factory=dict)
    costs: tuple[float, ...] = ()

    @property
    def cell(self) -> GridCell:
        """The cell of the grid that it belongs to."""
        return GridCell(self.architecture, self.batch_size, self.activation)

    @property
    def about(self) -> tuple[int, str, str]:
        """Round, cell, backend."""
        return self.round, str(self.cell), self.backend


class Observed(FiniteRecord):
    """A run: what it was asked for, where it ran, and every observation so far."""

    schema_version: Literal[1] = 1
    started: str | None = Field(default=None, description="UTC, ISO 8601")
    optimizer: str
    dtype: str
    threads: int
    environment: dict[str, object]
    gemm_rates: dict[int, Positive] = Field(description="round → operations a second at best, by `floors`")
    rate_products: dict[int, RateProduct] = Field(
        default_factory=dict, description="round → the product that reached it"
    )
    observations: tuple[Observation, ...]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        """Each process is observed once in a cell of a round."""
        refuse_repeated("observation", (one.about for one in self.observations))
        return self

    def save(self, folder: Path) -> None:
        """Write the whole file."""
        write_atomically(folder / NAME, self.model_dump_json(indent=1))

    @classmethod
    def read(cls, folder: Path) -> "Observed":
        """What `save` wrote.

        Raises UnusableError: names the file and the place.
        """
        path = folder / NAME
        try:
            with refused(path, "read"):
                return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise UnusableError(f"{path}: {first_problem(error)}") from None
