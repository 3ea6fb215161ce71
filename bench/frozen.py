"""What all models share: frozen, no unknown key; and the numbers that those of a spec are made of.

Feeds the models of a spec (`bench.optimizer_spec`, `bench.spec`), and those of records, documents and baselines.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class FrozenRecord(BaseModel):
    """What was measured or found: never changed once it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Frozen(FrozenRecord):
    """What is asked for: no infinity, and a default is validated like any value."""

    model_config = ConfigDict(allow_inf_nan=False, validate_default=True)


Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Rate = Annotated[float, Field(gt=0, le=1e6)]
Factor = Annotated[float, Field(ge=0, le=1e6)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
