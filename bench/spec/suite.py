"""The models of a suite and its specs, and how a suite file (TOML) is read.

The plan, every backend and every record use these models.
"""

import tomllib
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator, model_validator

from bench.core.errors import UnusableError
from bench.core.models import LONGEST_VALUE, Count, Factor, Fraction, Frozen, Rate, refuse_repeated
from bench.core.text import one_line
from bench.spec.data import WIDEST, DataSpec, Width
from bench.spec.optimizer import TAGS, OptimizerSpec
from scratchnet.activations import ACTIVATIONS
from scratchnet.initializers import INITIALIZERS
from scratchnet.losses import LOSSES
from scratchnet.schedules import SCHEDULES

if TYPE_CHECKING:
    Activation = str
    Initializer = str
    Loss = str
else:
    Activation, Initializer, Loss = (Literal[tuple(table)] for table in (ACTIVATIONS, INITIALIZERS, LOSSES))
Dtype = Literal["float32", "float64"]
Scaling = Literal["standard", "min_max"]

OUTPUT_ACTIVATIONS = {
    name: tuple(activation for activation in ACTIVATIONS if activation in loss.outputs) for name, loss in LOSSES.items()
}
"""The output activations that each loss is defined on."""


def _takes_label_smoothing(loss: Any) -> bool:
    try:
        loss(label_smoothing=0.1)
    except (TypeError, ValueError):
        return False
    return True


SMOOTHED_LOSSES = tuple(name for name, loss in LOSSES.items() if _takes_label_smoothing(loss))

LARGEST_SUITE_BYTES = 1_000_000
LARGEST_PARAMETER_COUNT = 1_000_000_000

MOST_EPOCHS, MOST_SEEDS, LARGEST_SEED = 10_000, 1000, 2**63 - 1
Seed = Annotated[int, Field(strict=True, ge=0, le=LARGEST_SEED)]


class LayerSpec(Frozen):
    """One dense layer: `units` neurons, an activation, how its weights start (biases start at zero), dropout."""

    units: Width = Field(description="number of neurons n_l")
    activation: Activation
    initializer: Initializer = "glorot_uniform"
    dropout: Fraction = Field(default=0.0, description="rate at which its activations are dropped in training")

    @model_validator(mode="after")
    def _softmax_has_a_choice(self) -> Self:
        if self.activation == "softmax" and self.units < 2:
            raise ValueError("softmax over 1 unit is always 1; allowed: 2 units or more, or sigmoid")
        return self


class ArchitectureSpec(Frozen):
    """n_0 inputs and any number of dense layers, the last of which is the output layer."""

    inputs: Count = Field(description="number of input features n_0")
    layers: tuple[LayerSpec, ...] = Field(min_length=1, max_length=MOST_SEEDS)

    @model_validator(mode="after")
    def _no_dropout_at_the_output(self) -> Self:
        if rate := self.layers[-1].dropout:
            raise ValueError(f"layers[{len(self.layers) - 1}].dropout: {rate} at the output; allowed there: 0")
        return self

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Self:
        parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(self.widths))
        if parameters > LARGEST_PARAMETER_COUNT:
            raise ValueError(f"{parameters} parameters; allowed: {LARGEST_PARAMETER_COUNT} or fewer")
        return self

    @property
    def widths(self) -> tuple[int, ...]:
        """(n_0, n_1, ..., n_L)."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def title(self) -> str:
        """The widths as people write them: `784-128-10`."""
        return "-".join(map(str, self.widths))


class RegularizationSpec(Frozen):
    """Added to the cost: l1 · Σ|w| + l2 · Σ w² over all weights, never over biases (Keras's convention, not l2/2)."""

    l1: Factor = 0.0
    l2: Factor = 0.0


class EarlyStoppingSpec(Frozen):
    """Training ends after `patience` epochs in a row that did not improve on the best by more than `min_delta`."""

    monitor: Literal["validation_accuracy", "validation_r2_score", "train_cost"] = Field(
        default="validation_accuracy", description="validation_r2_score with data.task regression only"
    )
    patience: Annotated[int, Field(strict=True, ge=0, le=10_000)] = 0
    min_delta: Factor = 0.0
    restore_best: bool = Field(default=False, description="end with the parameters of the best epoch")


def _without_control_characters(name: str) -> str:
    if not name.isprintable():
        raise ValueError(f"{name!r} has a character that cannot be printed; remove it")
    return name


def _from_source_name(value: Any) -> Any:
    return {"source": value} if isinstance(value, str) else value


class TrainingSpec(Frozen):
    """Everything that decides what is computed: two backends given the same spec and seed do identical work."""

    name: str = Field(default="", max_length=80, description="unique in its suite; made from the shape when left out")
    architecture: ArchitectureSpec
    loss: Loss
    label_smoothing: Fraction = Field(default=0.0, description="s: targets y become y (1 − s) + s / n_L, or s / 2")
    huber_delta: Rate = Field(default=1.0, description="where loss huber turns from squared to absolute")
    optimizer: OptimizerSpec
    regularization: RegularizationSpec = RegularizationSpec()
    class_weights: tuple[Factor, ...] | None = Field(
        default=None, max_length=WIDEST, description="factor of the loss of each class's examples"
    )
    sample_weight_range: tuple[Factor, Factor] | None = Field(
        default=None, description="each training example's weight is drawn from here, once"
    )
    early_stopping: EarlyStoppingSpec | None = None
    dtype: Dtype = "float32"
    batch_size: Count
    epochs: Annotated[int, Field(strict=True, ge=1, le=MOST_EPOCHS)] = Field(
        description="passes over the training set; the first is a warm-up: it trains, but its time does not count"
    )
    seeds: tuple[Seed, ...] = Field(min_length=1, max_length=1000)
    data: Annotated[DataSpec, BeforeValidator(_from_source_name, json_schema_input_type=str | DataSpec)] = DataSpec()
    scaling: Scaling | None = Field(
        default=None,
        description="of each feature, learnt from the training split: standard, to mean 0 and standard deviation 1; "
        "min_max, to 0 and 1; left out: bytes are divided by 255, other numbers stay as they are",
    )
    target_scaling: Scaling | None = Field(
        default=None, description="of each target of a regression, learnt from the training split; see scaling"
    )
    threshold: float = Field(
        default=0.5,
        gt=0,
        lt=1,
        description="an output above it predicts its class: one output, or data.task multi_label",
    )
    validation_fraction: float = Field(
        default=0.0, ge=0, lt=1, description="the last part of the training examples, held out"
    )

    @field_validator("name")
    @classmethod
    def _printable(cls, name: str) -> str:
        if name and not name.strip():
            raise ValueError(f"{name!r} is blank; write a name, or leave it out to get one made from the shape")
        return _without_control_characters(name)

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        refuse_repeated("seed", seeds, "seeds must be distinct")
        return seeds

    @model_validator(mode="after")
    def _loss_fits_the_output(self) -> Self:
        activation = self.architecture.layers[-1].activation
        allowed = OUTPUT_ACTIVATIONS[self.loss]
        if activation not in allowed:
            raise ValueError(f"loss {self.loss} does not fit output {activation}; allowed: {', '.join(allowed)}")
        return self

    @model_validator(mode="after")
    def _options_fit_the_loss(self) -> Self:
        if self.label_smoothing and self.loss not in SMOOTHED_LOSSES:
            raise ValueError(f"label_smoothing with loss {self.loss}; allowed with: {', '.join(SMOOTHED_LOSSES)}")
        if self.huber_delta != 1.0 and self.loss != "huber":
            raise ValueError(f"huber_delta with loss {self.loss}; allowed with: huber")
        return self

    @model_validator(mode="after")
    def _network_fits_the_task(self) -> Self:
        task, output = self.data.task, self.architecture.layers[-1]
        if task == "multi_label" and output.activation != "sigmoid":
            raise ValueError(f"data.task multi_label with output {output.activation}; allowed: sigmoid")
        if task == "regression" and (output.activation == "softmax" or LOSSES[self.loss].from_weighted_input):
            given = f"loss {self.loss} and output {output.activation}"
            raise ValueError(f"data.task regression with {given}; allowed: an error as loss, any output but softmax")
        if task != "regression" and self.target_scaling is not None:
            raise ValueError(f"target_scaling with data.task {task}; allowed with: regression")
        if self.threshold != 0.5 and (task == "regression" or (task == "classification" and output.units > 1)):
            raise ValueError("threshold is allowed with one output of a classification, or data.task multi_label")
        return self

    @model_validator(mode="after")
    def _weights_fit_the_classes(self) -> Self:
        if self.class_weights is not None and self.data.task != "classification":
            raise ValueError(f"class_weights with data.task {self.data.task}; allowed with: classification")
        classes = max(self.architecture.widths[-1], 2)
        if self.class_weights is not None and len(self.class_weights) != classes:
            raise ValueError(f"class_weights has {len(self.class_weights)} numbers; allowed: {classes}, one a class")
        if self.class_weights is not None and not any(self.class_weights):
            raise ValueError("class_weights are all 0; allowed: one greater than 0 at least")
        low, high = self.sample_weight_range or (1.0, 1.0)
        if not low <= high or not high:
            raise ValueError(f"sample_weight_range is [{low}, {high}]; allowed: [low, high] with 0 <= low <= high > 0")
        return self

    @model_validator(mode="after")
    def _something_to_watch(self) -> Self:
        watched = self.early_stopping.monitor if self.early_stopping else ""
        is_regression = self.data.task == "regression"
        if watched.startswith("validation_") and (watched == "validation_r2_score") != is_regression:
            allowed = "validation_r2_score" if is_regression else "validation_accuracy"
            given = f"early_stopping watches {watched}, data.task is {self.data.task}"
            raise ValueError(f"{given}; allowed: {allowed} or train_cost")
        if watched.startswith("validation_") and not self.validation_fraction:
            raise ValueError(f"early_stopping watches {watched}; allowed: validation_fraction greater than 0")
        return self

    @model_validator(mode="before")
    @classmethod
    def _name_from_shape(cls, values: Any) -> Any:
        if not isinstance(values, dict) or values.get("name"):
            return values
        try:
            architecture = ArchitectureSpec.model_validate(values["architecture"])
            return {**values, "name": f"{architecture.title} M={values['batch_size']}"[:80]}
        except (KeyError, ValueError):
            return values  # the fields themselves say what is wrong with them


class Suite(Frozen):
    """Specs that are run together, the backends that train them, and how the run is timed."""

    title: str = Field(default="", max_length=200)
    backends: tuple[str, ...] = Field(
        default=("scratchnet", "keras-fit", "keras-fit-tuned", "tf-graph", "tf-xla"), min_length=1
    )
    threads: Count | None = Field(default=None, description="budget of every backend; all usable cores if left out")
    rest_seconds: float = Field(default=0.2, ge=0, le=60, description="pause before each turn")
    time_limit_seconds: float = Field(default=900, gt=0, le=86_400, description="of one turn or one start")
    specs: tuple[TrainingSpec, ...] = Field(min_length=1)

    @field_validator("title")
    @classmethod
    def _printable(cls, title: str) -> str:
        return _without_control_characters(title)

    @field_validator("backends")
    @classmethod
    def _distinct_backends(cls, backends: tuple[str, ...]) -> tuple[str, ...]:
        refuse_repeated("backend", backends, "backends must be distinct")
        return backends

    @field_validator("specs")
    @classmethod
    def _distinct_names(cls, specs: tuple[TrainingSpec, ...]) -> tuple[TrainingSpec, ...]:
        refuse_repeated("spec name", (spec.name for spec in specs), "names must be distinct")
        return specs


def shipped_suites() -> dict[str, Path]:
    """Name → file of each suite that comes with the project."""
    folder = Path(str(resources.files("bench") / "suites"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_suite(name_or_path: str) -> Suite:
    """The suite of that shipped name, or of that TOML file.

    Raises UnusableError: one line with file, place and allowed values.
    """
    path = shipped_suites().get(name_or_path, Path(name_or_path))
    return suite_of(_read_toml(path), str(path))


def suite_of(tables: dict[str, Any], origin: str) -> Suite:
    """The suite that the tables of a TOML file describe; `origin` stands before a complaint.

    Raises UnusableError: one line with origin, place and allowed values.
    """
    try:
        return Suite.model_validate(_with_defaults(tables))
    except ValidationError as error:
        raise UnusableError(f"{origin}: {_first_error(error, tables)}") from None


def suite_schema() -> dict[str, Any]:
    """JSON Schema of a suite file: a spec's keys may stand in `[defaults]` too, so none is required of a spec alone."""
    schema = Suite.model_json_schema()
    spec = schema["$defs"]["TrainingSpec"]
    del spec["required"]
    schema["properties"]["defaults"] = {**spec, "title": "Defaults", "description": "laid under each of the specs"}
    return schema


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_SUITE_BYTES + 1)
    except (OSError, ValueError) as error:
        names = ", ".join(shipped_suites())
        reason = getattr(error, "strerror", None) or error
        raise UnusableError(f"{path}: not a suite ({reason}); allowed: {names}, or a TOML file") from None
    if len(content) > LARGEST_SUITE_BYTES:
        raise UnusableError(f"{path}: larger than {LARGEST_SUITE_BYTES} bytes; a suite is a small TOML file")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnusableError(f"{path}: not valid TOML: {' '.join(str(error).split())}") from None


def _with_defaults(tables: dict[str, Any]) -> dict[str, Any]:
    """`[defaults]` laid under each of `[[specs]]`: a key of the spec wins whole."""
    defaults, specs = tables.get("defaults", {}), tables.get("specs")
    if not isinstance(defaults, dict) or not isinstance(specs, list):
        return tables  # the model says what is wrong
    merged = [{**defaults, **spec} if isinstance(spec, dict) else spec for spec in specs]
    return {key: value for key, value in tables.items() if key != "defaults"} | {"specs": merged}


def _first_error(error: ValidationError, tables: dict[str, Any]) -> str:
    """`place: message; allowed: ...` of the first problem, and how many more there are."""
    # A misspelt key says more than the one that it left missing.
    errors = sorted(_slips(error), key=lambda one: one["type"] != "extra_forbidden")
    first = errors[0]
    place = _place(_without_tags(first), tables)
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "union_tag_invalid":
        place, tag = f"{place}.name", one_line(first["ctx"]["tag"], LONGEST_VALUE)
        message = f"{tag!r} is not known; allowed: {first['ctx']['expected_tags']}"
    elif first["type"] == "union_tag_not_found":
        place, message = f"{place}.name", f"Field required; allowed: {', '.join(map(repr, SCHEDULES))}"
    elif first["type"] == "extra_forbidden":
        message = f"unknown key; allowed: {', '.join(_keys_allowed_at(first['loc'][:-1]))}"
    elif first["type"] not in ("missing", "value_error"):
        message = f"{message}, not {one_line(repr(first['input']), LONGEST_VALUE)}"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return " ".join(f"{place}: {message}{more}".split())


def _slips(error: ValidationError) -> list[Any]:
    """The errors, without pydantic's "too short" for tuples that contain an invalid item."""
    errors = error.errors(include_url=False)
    above = {one["loc"][:depth] for one in errors for depth in range(len(one["loc"]))}
    return [one for one in errors if one["type"] != "too_short" or one["loc"] not in above]


def _without_tags(one: Any) -> tuple[int | str, ...]:
    """The place of an error without the tags in it; the last part of an unknown key's place is what the user wrote."""
    location = one["loc"]
    end = len(location) - (one["type"] == "extra_forbidden")
    return (*(part for part in location[:end] if part not in TAGS), *location[end:])


def _place(location: tuple[int | str, ...], tables: dict[str, Any]) -> str:
    """`specs[0].architecture.inputs`, or `defaults....` where the value came from there."""
    if len(location) > 2 and location[0] == "specs" and isinstance(location[1], int):
        spec = tables["specs"][location[1]]
        if location[2] not in spec and location[2] in tables.get("defaults", {}):
            location = ("defaults", *location[2:])
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return one_line(text.lstrip("."), LONGEST_VALUE) or "suite"


def _keys_allowed_at(location: tuple[int | str, ...]) -> list[str]:
    models: list[Any] = [Suite]
    for part in location:
        if part in TAGS:
            models = [model for model in models if part in get_args(model.model_fields["name"].annotation)] or models
        elif isinstance(part, str):
            fields = [model.model_fields[part] for model in models if part in model.model_fields]
            models = [model for field in fields for model in _models_in((field.annotation, *field.metadata))]
    keys = list(models[0].model_fields)
    return [*keys, "defaults"] if models[0] is Suite else keys


def _models_in(annotation: Any) -> list[Any]:
    """The models that an annotation such as `tuple[LayerSpec, ...]` holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    parts = annotation if isinstance(annotation, tuple) else get_args(annotation)
    return [model for part in parts for model in _models_in(part)]
