"""What all models share: frozen, no unknown key; and the numbers that those of a spec are made of.

Feeds the models of a spec (`bench.optimizer_spec`, `bench.spec`), and those of records, documents and baselines.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator


class FrozenRecord(BaseModel):
    """What was measured or found: never changed once it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Frozen(FrozenRecord):
    """What is asked for: no infinity, and a default is validated like any value."""

    model_config = ConfigDict(allow_inf_nan=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _numpy_as_numbers(cls, values: Any) -> Any:
        """What NumPy computed, such as `y.max() + 1`, is as good as a number of Python's."""
        return {name: _plain(value) for name, value in values.items()} if isinstance(values, dict) else values


def _plain(value: Any) -> Any:
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value


Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Rate = Annotated[float, Field(gt=0, le=1e6)]
Factor = Annotated[float, Field(ge=0, le=1e6)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
