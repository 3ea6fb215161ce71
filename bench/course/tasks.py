"""The tasks of the course: one per equation, in the order of the derivation."""

from dataclasses import dataclass

FORWARD, BACKWARD = "docs/derivation/forward.md", "docs/derivation/backward.md"
BATCH, DESCENT = "docs/derivation/backward-batch.md", "docs/derivation/gradient-descent.md"
ONE_NEURON, ONE_LAYER = f"{FORWARD}#one-example-one-neuron-at-a-time", f"{FORWARD}#one-example-a-layer-at-a-time"
WHOLE_BATCH, ONE_FORMULA = f"{FORWARD}#a-whole-batch", f"{DESCENT}#why-against-the-gradient"


@dataclass(frozen=True)
class Task:
    """One function of one exercise.

    equation : its numbers in the derivation; link : the page and heading where it is derived.
    """

    exercise: str
    function: str
    title: str
    equation: str
    points: int
    link: str

    @property
    def id(self) -> str:
        """`batch.cost`."""
        return f"{self.exercise}.{self.function}"

    @property
    def file(self) -> str:
        """The student's file."""
        return f"{self.exercise}.py"


def _of_one_example(exercise: str, weighted: str, activation: str, place: str) -> list[Task]:
    """The tasks that `scalar` and `vector` share; the numbers of two equations differ, and where these are derived."""
    return [
        Task(exercise, "weighted_input", "weighted input", weighted, 2, place),
        Task(exercise, "activation", "activation", activation, 2, place),
        Task(exercise, "loss", "loss of one example", "(15)", 3, f"{FORWARD}#the-loss"),
        Task(
            exercise,
            "output_error",
            "error of the output layer",
            "BP1.1",
            3,
            f"{BACKWARD}#bp11-the-error-at-the-output",
        ),
        Task(
            exercise,
            "hidden_error",
            "error of the layer before",
            "BP2.1",
            5,
            f"{BACKWARD}#bp21-the-error-one-layer-back",
        ),
        Task(exercise, "weight_gradient", "gradient of the weights", "BP3.1", 4, f"{BACKWARD}#bp31-the-weights"),
        Task(exercise, "bias_gradient", "gradient of the biases", "BP4.1", 2, f"{BACKWARD}#bp41-the-biases"),
        Task(exercise, "update", "step of gradient descent", "(D2)", 2, ONE_FORMULA),
    ]


_TASKS = (
    *_of_one_example("scalar", "(3)", "(4) and (5)", ONE_NEURON),
    *_of_one_example("vector", "(9)", "(11)", ONE_LAYER),
    Task("batch", "weighted_input", "weighted input of a batch", "(18)", 2, WHOLE_BATCH),
    Task("batch", "relu", "ReLU", "(20) and (A4)", 2, "docs/derivation/activations.md#relu"),
    Task("batch", "softmax", "softmax", "(A13)", 4, "docs/derivation/activations.md#softmax"),
    Task("batch", "cost", "cost: the mean of the losses", "(24)", 4, WHOLE_BATCH),
    Task(
        "batch", "output_error", "error of the output layer", "BP1.2", 4, f"{BATCH}#bp12-the-error-of-the-output-layer"
    ),
    Task(
        "batch", "hidden_error", "error of the layer before", "BP2.2", 6, f"{BATCH}#bp22-the-error-of-the-layer-before"
    ),
    Task("batch", "weight_gradient", "gradient of the weights", "BP3.2", 6, f"{BATCH}#bp32-the-weights"),
    Task("batch", "bias_gradient", "gradient of the biases", "BP4.2", 4, f"{BATCH}#bp42-the-biases"),
    Task("batch", "update", "step of gradient descent", "(D2)", 2, ONE_FORMULA),
    Task("optimizers", "momentum", "momentum", "(D10)", 8, f"{DESCENT}#momentum"),
    Task("optimizers", "adam", "Adam", "(D20)", 12, f"{DESCENT}#adam"),
)

TASKS = {task.id: task for task in _TASKS}
"""Id → task, in the order in which they are to be solved; their points add up to 100."""
EXERCISES = tuple(dict.fromkeys(task.exercise for task in _TASKS))
POSSIBLE = sum(task.points for task in _TASKS)
