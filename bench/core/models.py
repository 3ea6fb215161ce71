"""Base classes of all models (frozen, no unknown keys), number types, and errors as one line."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.core.text import one_line

LONGEST_VALUE = 120


class FrozenRecord(BaseModel):
    """What was measured or found: never changed once it is made."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FiniteRecord(FrozenRecord):
    """A frozen model whose numbers are finite: NaN and infinity are refused."""

    model_config = ConfigDict(allow_inf_nan=False)


class Frozen(FiniteRecord):
    """A part of a suite: defaults are validated like any value."""

    model_config = ConfigDict(validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _numpy_as_numbers(cls, values: Any) -> Any:
        """NumPy numbers, such as `y.max() + 1`, are accepted like Python's."""
        return {name: _plain(value) for name, value in values.items()} if isinstance(values, dict) else values


def _plain(value: Any) -> Any:
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    return type(value)(map(_plain, value)) if type(value) in (list, tuple) else value


Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Proportion = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=1e6)]
Factor = Annotated[float, Field(ge=0, le=1e6)]
Fraction = Annotated[float, Field(ge=0, lt=1)]


def refuse_repeated(what: str, things: Iterable[Hashable], remedy: str = "remove one of the two") -> None:
    """Refuse a duplicate: it would count twice.

    Raises ValueError: names it; in a validator this becomes a problem of the file.
    """
    seen = set()
    for thing in things:
        if thing in seen:
            raise ValueError(f"duplicate {what} {thing!r}; {remedy}")
        seen.add(thing)


def first_problem(error: ValidationError, whole: str = "file", skip: int = 0) -> str:
    """`place: reason` of the first thing wrong with what was read; `whole` stands for the place where there is none.

    The first `skip` parts of the place are left out.
    """
    place = error.errors(include_url=False)[0]["loc"][skip:]
    return f"{'.'.join(map(str, place)) or whole}: {first_reason(error)}"


def first_reason(error: ValidationError) -> str:
    """The reason of the first problem, without its place."""
    problem = error.errors(include_url=False)[0]
    kind, message = problem["type"], problem["msg"].removeprefix("Value error, ")
    if kind in _REASONS:
        return one_line(_REASONS[kind].format_map(_named(problem.get("ctx", {}))), 2 * LONGEST_VALUE)
    if kind == "value_error":
        return one_line(message)
    must = "must be a JSON object" if kind in _NO_OBJECT else message.replace("Input should be", "must be", 1)
    return f"{must}, not {one_line(repr(problem['input']), LONGEST_VALUE)}"


def _named(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without the name of our function that reads a tag."""
    is_ours = str(context.get("discriminator", "")).endswith("()")
    return {**context, "discriminator": "its name"} if is_ours else context


_REASONS = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "json_invalid": "not valid JSON, cut short perhaps",
    "union_tag_not_found": "has no {discriminator}",
    "union_tag_invalid": "{discriminator} is {tag!r}; allowed: {expected_tags}",
}
_NO_OBJECT = ("model_type", "model_attributes_type", "dict_type", "dataclass_type")
