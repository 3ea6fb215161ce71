"""Optimizers and learning-rate schedules of a suite: one model for each of scratchnet's, made from its constructor.

Names, options and defaults come from scratchnet only, which has those of Keras. `RANGES` limits what a suite may ask.
"""

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, Union

from pydantic import Discriminator, Field, Tag, create_model, model_validator

from bench.core.models import Count, Factor, Fraction, Frozen, Rate
from scratchnet.optimizers import OPTIMIZERS
from scratchnet.schedules import SCHEDULES

RANGES: dict[str, Any] = {
    "initial_learning_rate": Factor,
    "decay_steps": Count,
    "decay_rate": Factor,
    "staircase": bool,
    "end_learning_rate": Rate,
    "power": Rate,
    "cycle": bool,
    "alpha": Factor,
    "warmup_target": Rate | None,
    "warmup_steps": Annotated[int, Field(strict=True, ge=0, le=1_000_000)],
    "boundaries": Annotated[tuple[Count, ...], Field(min_length=1, max_length=1000)],
    "values": Annotated[tuple[Rate, ...], Field(max_length=1001)],
    "momentum": Fraction,
    "nesterov": bool,
    "rho": Fraction,
    "epsilon": Rate,
    "centered": bool,
    "beta_1": Fraction,
    "beta_2": Fraction,
    "weight_decay": Factor,
    "initial_accumulator_value": Factor,
}
"""Option → what a suite may say; scratchnet's constructors refuse what is not allowed of one kind only."""
DEFAULT = "sgd"


class _Named(Frozen):
    KINDS: ClassVar[Mapping[str, Callable[..., object]]]
    if TYPE_CHECKING:
        name: str

    @property
    def options(self) -> dict[str, Any]:
        """Every option of the constructor but the learning rate."""
        return self.model_dump(exclude={"name", "learning_rate"})

    @model_validator(mode="after")
    def _accepted_by_the_constructor(self) -> Self:
        self.KINDS[self.name](**self.options)
        return self


class _Schedule(_Named):
    KINDS = SCHEDULES


def _models(base: type[_Named]) -> dict[str, Any]:
    """Name → model of each kind."""
    return {tag: _model(base, tag, kind) for tag, kind in base.KINDS.items()}


def _model(base: type[_Named], tag: str, kind: Callable[..., object]) -> Any:
    fields: dict[str, Any] = {"name": (Literal[tag], DEFAULT if tag == DEFAULT else ...)}
    for option in signature(kind).parameters.values():
        if option.kind is not Parameter.VAR_KEYWORD and option.name != "learning_rate":
            required = option.default is Parameter.empty
            fields[option.name] = RANGES[option.name], ... if required else option.default
    title = (kind.__doc__ or "").partition("\n")[0]
    return create_model(f"{kind.__name__}Spec", __base__=base, __module__=__name__, __doc__=title, **fields)


def _number_or_schedule(value: Any) -> str:
    return "schedule" if isinstance(value, dict | _Schedule) else "number"


SCHEDULE_SPECS = _models(_Schedule)
if TYPE_CHECKING:
    LearningRate = float | _Schedule
else:
    _AnySchedule = Annotated[Union[tuple(SCHEDULE_SPECS.values())], Field(discriminator="name")]  # noqa: UP007
    LearningRate = Annotated[
        Annotated[Rate, Tag("number")] | Annotated[_AnySchedule, Tag("schedule")], Discriminator(_number_or_schedule)
    ]


class _Optimizer(_Named):
    KINDS = OPTIMIZERS
    learning_rate: LearningRate = Field(description="a number, or a schedule with its name")
    clipnorm: Rate | None = Field(default=None, description="largest norm of the gradient of each W[l] and each b[l]")
    global_clipnorm: Rate | None = Field(default=None, description="largest norm of the whole gradient")
    clipvalue: Rate | None = Field(default=None, description="largest absolute value of an element of the gradient")


def _optimizer_name(value: Any) -> str:
    return str(value.get("name", DEFAULT) if isinstance(value, dict) else getattr(value, "name", DEFAULT))


OPTIMIZER_SPECS = _models(_Optimizer)
if TYPE_CHECKING:
    OptimizerSpec = _Optimizer
else:
    _tagged = tuple(Annotated[model, Tag(tag)] for tag, model in OPTIMIZER_SPECS.items())
    OptimizerSpec = Annotated[Union[_tagged], Discriminator(_optimizer_name)]  # noqa: UP007

TAGS = frozenset({*OPTIMIZERS, *SCHEDULES, "number", "schedule"})
"""What pydantic puts into the place of an error where it chose between models; no field is called so."""


def __getattr__(name: str) -> Any:
    """The models by the names of their classes: `SGDSpec`, `CosineDecaySpec`."""
    for model in (*OPTIMIZER_SPECS.values(), *SCHEDULE_SPECS.values()):
        if model.__name__ == name:
            return model
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
