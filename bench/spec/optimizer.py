"""How the parameters are updated: optimizers and learning-rate schedules, with the names and defaults of Keras.

Fed by a suite file or by Python code; part of a `TrainingSpec`. Fields are those of scratchnet's constructors.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from bench.core.models import Count, Factor, Fraction, Frozen, Rate


class _Schedule(Frozen):
    @property
    def options(self) -> dict[str, Any]:
        """Every field but the name."""
        return self.model_dump(exclude={"name"})


class ExponentialDecaySpec(_Schedule):
    """η_0 · decay_rate^(t / decay_steps), t the number of updates so far; staircase: t / decay_steps rounded down."""

    name: Literal["exponential_decay"]
    initial_learning_rate: Rate
    decay_steps: Count
    decay_rate: Rate
    staircase: bool = False


class InverseTimeDecaySpec(_Schedule):
    """η_0 / (1 + decay_rate · t / decay_steps); staircase: t / decay_steps rounded down."""

    name: Literal["inverse_time_decay"]
    initial_learning_rate: Rate
    decay_steps: Count
    decay_rate: Factor
    staircase: bool = False


class PolynomialDecaySpec(_Schedule):
    """From η_0 to end_learning_rate as (1 − t / decay_steps)^power; cycle: again and again, each time longer."""

    name: Literal["polynomial_decay"]
    initial_learning_rate: Rate
    decay_steps: Count
    end_learning_rate: Rate = 0.0001
    power: Rate = 1.0
    cycle: bool = False


class CosineDecaySpec(_Schedule):
    """Half a cosine from η_0 down to alpha · η_0; with warmup_target first linear from η_0 to that."""

    name: Literal["cosine_decay"]
    initial_learning_rate: Factor
    decay_steps: Count
    alpha: Factor = 0.0
    warmup_target: Rate | None = None
    warmup_steps: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 0


class PiecewiseConstantDecaySpec(_Schedule):
    """values[k], k the number of boundaries that t has passed."""

    name: Literal["piecewise_constant_decay"]
    boundaries: tuple[Count, ...] = Field(min_length=1, max_length=1000)
    values: tuple[Rate, ...] = Field(max_length=1001)

    @model_validator(mode="after")
    def _one_value_more_than_boundaries(self) -> Self:
        if len(self.values) != len(self.boundaries) + 1:
            needed = len(self.boundaries) + 1
            raise ValueError(f"{len(self.values)} values; allowed: {needed}, one more than boundaries")
        if list(self.boundaries) != sorted(set(self.boundaries)):
            raise ValueError("boundaries do not rise; allowed: rising steps")
        return self


ScheduleSpec = Annotated[
    ExponentialDecaySpec | InverseTimeDecaySpec | PolynomialDecaySpec | CosineDecaySpec | PiecewiseConstantDecaySpec,
    Field(discriminator="name"),
]


def _number_or_schedule(value: Any) -> str:
    return "schedule" if isinstance(value, dict | _Schedule) else "number"


LearningRate = Annotated[
    Annotated[Rate, Tag("number")] | Annotated[ScheduleSpec, Tag("schedule")], Discriminator(_number_or_schedule)
]


class _Optimizer(Frozen):
    learning_rate: LearningRate = Field(description="a number, or a schedule with its name")
    clipnorm: Rate | None = Field(default=None, description="largest norm of the gradient of each W[l] and each b[l]")
    global_clipnorm: Rate | None = Field(default=None, description="largest norm of the whole gradient")
    clipvalue: Rate | None = Field(default=None, description="largest absolute value of an element of the gradient")

    @model_validator(mode="after")
    def _one_way_to_clip(self) -> Self:
        ways = [way for way in ("clipnorm", "global_clipnorm", "clipvalue") if getattr(self, way) is not None]
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)} are set; allowed: one of them")
        return self

    @property
    def options(self) -> dict[str, Any]:
        """Every field but the name and the learning rate."""
        return self.model_dump(exclude={"name", "learning_rate"})


class SGDSpec(_Optimizer):
    """v ← momentum · v − learning_rate · gradient, parameters ← parameters + v; nesterov looks ahead along v."""

    name: Literal["sgd"] = "sgd"
    momentum: Fraction = 0.0
    nesterov: bool = False

    @model_validator(mode="after")
    def _nesterov_has_momentum(self) -> Self:
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov without momentum; allowed: momentum greater than 0")
        return self


class RMSpropSpec(_Optimizer):
    """The gradient divided by the root of a running mean of its square."""

    name: Literal["rmsprop"]
    rho: Fraction = 0.9
    momentum: Fraction = 0.0
    epsilon: Rate = 1e-7
    centered: bool = False


class AdamSpec(_Optimizer):
    """A running mean of the gradient divided by the root of one of its square, both corrected for their start at 0."""

    name: Literal["adam"]
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Rate = 1e-7


class AdamWSpec(_Optimizer):
    """Adam, and parameters, biases included, shrink by learning_rate · weight_decay before each step."""

    name: Literal["adamw"]
    weight_decay: Factor = 0.004
    beta_1: Fraction = 0.9
    beta_2: Fraction = 0.999
    epsilon: Rate = 1e-7


class AdagradSpec(_Optimizer):
    """The gradient divided by the root of the sum of all its squares so far."""

    name: Literal["adagrad"]
    initial_accumulator_value: Factor = 0.1
    epsilon: Rate = 1e-7


def _optimizer_name(value: Any) -> str:
    return str(value.get("name", "sgd") if isinstance(value, dict) else getattr(value, "name", "sgd"))


OptimizerSpec = Annotated[
    Annotated[SGDSpec, Tag("sgd")]
    | Annotated[RMSpropSpec, Tag("rmsprop")]
    | Annotated[AdamSpec, Tag("adam")]
    | Annotated[AdamWSpec, Tag("adamw")]
    | Annotated[AdagradSpec, Tag("adagrad")],
    Discriminator(_optimizer_name),
]

OPTIMIZER_TAGS = ("sgd", "rmsprop", "adam", "adamw", "adagrad")
SCHEDULE_TAGS = (
    "exponential_decay",
    "inverse_time_decay",
    "polynomial_decay",
    "cosine_decay",
    "piecewise_constant_decay",
)
TAGS = frozenset({*OPTIMIZER_TAGS, *SCHEDULE_TAGS, "number", "schedule"})
"""What pydantic puts into the place of an error where it chose between models; no field is called so."""
