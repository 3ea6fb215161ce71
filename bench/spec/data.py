"""Where the examples of a spec come from, how they are read, and what is predicted from them."""

import json
import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from bench.core.models import LONGEST_VALUE, Count, Frozen, refuse_repeated
from bench.core.text import one_line

Color = Literal["grey", "rgb"]
Task = Literal["classification", "multi_label", "regression"]
WIDEST = 65_536
"""The most units of a layer, and so the most classes."""
Width = Annotated[int, Field(strict=True, ge=1, le=WIDEST)]
Columns = Annotated[tuple[str, ...], Field(min_length=1, max_length=WIDEST)]

ARGUMENTS = {
    "tfds": "NAME",
    "idx": "FOLDER",
    "images": "FOLDER",
    "npz": "FILE",
    "csv": "FILE",
    "parquet": "FILE",
    "sklearn": "NAME",
}
"""What stands behind the colon of each scheme."""
DATA_SOURCE_PATTERN = rf"^(mnist|({'|'.join(ARGUMENTS)}):.+)$"
TABLES = ("csv", "parquet")
TAKEN_BY: dict[str, tuple[str, ...]] = {
    "image_size": ("images", *TABLES),
    "target": TABLES,
    "test_file": TABLES,
    "test_fraction": (*TABLES, "sklearn"),
    "task": ("npz", *TABLES, "sklearn"),
}
"""Option → the schemes that it may be given with; any other scheme refuses it."""
DEFAULT_TARGET = "label"


def listed(schemes: tuple[str, ...]) -> str:
    """`npz:FILE, csv:FILE or sklearn:NAME`."""
    *others, last = (f"{scheme}:{ARGUMENTS[scheme]}" if scheme in ARGUMENTS else scheme for scheme in schemes)
    return f"{', '.join(others)} or {last}" if others else last


SOURCES = listed(("mnist", *ARGUMENTS))


def _nearest_sources(source: str) -> list[str]:
    """Sources with a similar name."""
    scheme, _, rest = source.partition(":")
    if rest:
        return [f"{near}:{rest}"[:LONGEST_VALUE] for near in get_close_matches(scheme, ARGUMENTS)]
    suffix = source.removesuffix(".gz").rpartition(".")[2]
    if suffix in ("npz", *TABLES):
        return [f"{suffix}:{source}"[:LONGEST_VALUE]]
    if "/" in source:
        return [f"idx:{source}"[:LONGEST_VALUE], f"images:{source}"[:LONGEST_VALUE]]
    return get_close_matches(source, ["mnist"]) or ([f"tfds:{source}"] if source.isidentifier() else [])


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class DataSpec(Frozen):
    """Where the examples come from, how they are read, and what is to be predicted."""

    source: str = Field(
        default="mnist", max_length=4096, json_schema_extra={"pattern": DATA_SOURCE_PATTERN}, description=SOURCES
    )
    task: Task = Field(default="classification", description=f"what is predicted; {listed(TAKEN_BY['task'])} only")
    target: Annotated[Columns | None, BeforeValidator(_several, json_schema_input_type=str | Columns | None)] = Field(
        default=None,
        description=f"column or columns to predict, {DEFAULT_TARGET!r} if left out; {listed(TABLES)} only",
    )
    test_file: str | None = Field(
        default=None, max_length=4096, description=f"file with the test examples; {listed(TABLES)} only"
    )
    test_fraction: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        description=f"part kept for the test, 0.2 if left out; {listed(TAKEN_BY['test_fraction'])} only",
    )
    image_size: tuple[Width, Width] | None = Field(
        default=None, description=f"height, width; {listed(TAKEN_BY['image_size'])} only"
    )
    color: Color = Field(default="grey", description="images:FOLDER only")
    train_examples: Count | None = Field(default=None, description="use only the first so many training examples")
    test_examples: Count | None = Field(default=None, description="use only the first so many test examples")

    @property
    def scheme(self) -> str:
        """What stands before the colon of the source."""
        return self.source.partition(":")[0]

    @property
    def key(self) -> str:
        """The source, and in JSON all options that are not the default: one text for each description of data."""
        options = self.model_dump(mode="json", exclude={"source"}, exclude_defaults=True)
        return f"{self.source} {json.dumps(options, sort_keys=True)}" if options else self.source

    @field_validator("source", "test_file")
    @classmethod
    def _no_control_characters(cls, source: str | None) -> str | None:
        if source is not None and not source.isprintable():
            raise ValueError("has a character that cannot be printed; allowed: a name, a folder or a file")
        return source

    @field_validator("source")
    @classmethod
    def _known(cls, source: str) -> str:
        if not re.match(DATA_SOURCE_PATTERN, source):
            nearest = " or ".join(map(repr, _nearest_sources(source)))
            hint = f"; did you mean {nearest}?" if nearest else ""
            allowed = f"{SOURCES} (`scratchbench data` lists what is here)"
            raise ValueError(f"{one_line(source, LONGEST_VALUE)!r} is not known{hint}; allowed: {allowed}")
        return source

    @field_validator("target")
    @classmethod
    def _distinct_columns(cls, target: tuple[str, ...] | None) -> tuple[str, ...] | None:
        refuse_repeated("target column", target or ())
        return target

    @model_validator(mode="after")
    def _options_fit_the_source(self) -> Self:
        for option, schemes in TAKEN_BY.items():
            if self.scheme not in schemes and getattr(self, option) != type(self).model_fields[option].default:
                raise ValueError(f"{option} is allowed with {listed(schemes)} only")
        if self.scheme == "images" and self.image_size is None:
            raise ValueError("images:FOLDER needs image_size = [height, width]")
        if self.test_file is not None and self.test_fraction is not None:
            raise ValueError("test_fraction with test_file; allowed: one of the two")
        return self

    @model_validator(mode="after")
    def _as_many_targets_as_the_task_has(self) -> Self:
        if self.scheme not in TABLES:
            return self
        count = len(self.target or (DEFAULT_TARGET,))
        if self.task == "classification" and count > 1:
            raise ValueError(f'target has {count} columns; allowed: 1, or task = "multi_label" or "regression"')
        if self.task == "multi_label" and count < 2:
            raise ValueError('task "multi_label" needs 2 target columns or more; allowed with 1: "classification"')
        return self
