"""PyTorch, JAX, scikit-learn and plain lists through the adapters in examples/: no false alarm, mistakes are named.

They run in the environment of the peers (tox -e peers), where these packages are and TensorFlow is not.
"""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from covering import fewest, weekly

from bench.cli import main
from bench.core.errors import UnusableError
from bench.locate.problems import spec_of
from bench.locate.run import imported, locate

ADAPTERS = Path(__file__).resolve().parents[2] / "examples" / "adapters"
TORCH, JAX, SKLEARN, LISTS = FILES = ("torch_network", "jax_network", "sklearn_network", "lists_network")
PACKAGES = {TORCH: "torch", JAX: "jax", SKLEARN: "sklearn", LISTS: "math"}


def adapter(file):
    """The adapter's class; a reason where its package is not installed."""
    if find_spec(PACKAGES[file]) is None:
        pytest.skip(f"{PACKAGES[file]} is not installed here; it is in the environment of the peers")
    if file == TORCH and "tensorflow" in sys.modules:
        pytest.skip("TensorFlow is imported here, and PyTorch beside it crashes; tox -e peers runs this")
    return imported(f"{ADAPTERS / file}.py:Network")[0]


# Right networks: every pair of values of hidden activation, loss, optimizer and dtype that the library can express.

SMOOTH = ("sigmoid", "tanh", "silu", "softplus", "softmax", "linear")
ACTIVATIONS = {
    TORCH: (*SMOOTH, "relu", "leaky_relu", "elu", "gelu"),
    JAX: (*SMOOTH, "relu", "leaky_relu", "elu", "gelu"),
    SKLEARN: ("sigmoid", "tanh", "relu", "linear"),
    LISTS: ("sigmoid", "tanh", "relu", "linear"),
}
BINARY, SUMMED = ("binary_crossentropy", "sigmoid", 3), ("summed_binary_crossentropy", "sigmoid", 3)
CLASSES, ONE = ("categorical_crossentropy", "softmax", 3), ("summed_binary_crossentropy", "sigmoid", 1)
NUMBERS = (
    ("mean_squared_error", "linear", 2),
    ("mean_squared_error", "softmax", 3),
    ("sum_of_squared_errors", "sigmoid", 2),
    ("mean_absolute_error", "softplus", 2),
)
LOSSES = {
    TORCH: (CLASSES, BINARY, SUMMED, *NUMBERS, ("huber", "tanh", 2)),
    JAX: (CLASSES, BINARY, SUMMED, *NUMBERS),
    SKLEARN: (CLASSES, SUMMED, ONE, ("mean_squared_error", "linear", 1)),
    LISTS: (ONE, SUMMED, ("sum_of_squared_errors", "tanh", 2), ("sum_of_squared_errors", "linear", 1)),
}
SGD = {"learning_rate": 0.1}
OPTIMIZERS = {
    "sgd": SGD,
    "momentum": {**SGD, "momentum": 0.9},
    "nesterov": {**SGD, "momentum": 0.9, "nesterov": True},
    "adam": {"name": "adam", "learning_rate": 0.001},
    "adamw": {"name": "adamw", "learning_rate": 0.001, "weight_decay": 0.1},
    "adagrad": {"name": "adagrad", "learning_rate": 0.01},
    "rmsprop": {"name": "rmsprop", "learning_rate": 0.001},
    "rmsprop with momentum": {"name": "rmsprop", "learning_rate": 0.001, "momentum": 0.5},
    "rmsprop, centered": {"name": "rmsprop", "learning_rate": 0.001, "centered": True},
}
OF_SKLEARN = ("sgd", "momentum", "nesterov", "adam")
UPDATES = {
    TORCH: tuple(OPTIMIZERS),
    JAX: (*OF_SKLEARN, "rmsprop", "rmsprop with momentum"),
    SKLEARN: OF_SKLEARN,
    LISTS: ("sgd",),
}
DTYPES = dict.fromkeys(FILES, ("float64", "float32")) | {LISTS: ("float64",)}

CONVENTIONS = {
    (TORCH, "leaky_relu", "float64"): {"leaky-slope-0.2"},
    (TORCH, "gelu", "float64"): {"gelu-exact"},
    (TORCH, "adam"): {"adam-epsilon-of-algorithm-1"},
    (TORCH, "adamw"): {"adam-epsilon-of-algorithm-1"},
    (TORCH, "adagrad", "float64"): {"adagrad-epsilon-outside"},
    (TORCH, "rmsprop"): {"rms-epsilon-outside"},
    (TORCH, "rmsprop with momentum"): {"rms-epsilon-outside"},
    (TORCH, "rmsprop, centered"): {"rms-epsilon-outside"},
    (JAX, "leaky_relu"): {"relu-slope-one-at-0"},
    (JAX, "leaky_relu", "float64"): {"leaky-slope-0.2"},
    (JAX, "gelu"): {"gelu-by-tanh"},
    (JAX, "adam"): {"adam-epsilon-of-algorithm-1"},
    (SKLEARN, "mean_squared_error"): {"half"},
}
"""Where a library follows another convention than Keras, whose formulas the spec's are: library and option, dtype →
what must be named."""


def cells(file):
    """Each value at least once; the other cells, which complete the pairs, once a week."""
    seen, often, others = set(), [], []
    for cell in fewest(ACTIVATIONS[file], LOSSES[file], UPDATES[file], DTYPES[file]):
        (others if seen.issuperset(enumerate(cell)) else often).append((file, *cell))
        seen.update(enumerate(cell))
    return [*often, *weekly(*[(cell,) for cell in others])]


def problem(file, activation, loss, optimizer, dtype):
    name, output, units = loss
    second = activation if file == SKLEARN else "tanh"
    layers = [7, (6, activation), (5, second), (units, output)]
    return spec_of(layers, name, OPTIMIZERS[optimizer], dtype=dtype)


def expected(file, activation, loss, optimizer, dtype):
    options = (activation, loss[0], optimizer)
    keys = [(file, option, *rest) for option in options for rest in ((), (dtype,))]
    return set().union(*(CONVENTIONS.get(key, set()) for key in keys))


def named(findings):
    """The library's mistakes and conventions, without the layer."""
    return {finding.causes[0].id.partition("@")[0] if finding.causes else None for finding in findings}


def identity(cell):
    return "-".join(part if isinstance(part, str) else " ".join(map(str, part)) for part in cell)


ALL = [cell for file in FILES for cell in cells(file)]


@pytest.mark.parametrize("cell", ALL, ids=identity)
def test_a_right_network_gives_no_alarm(cell):
    document = locate(adapter(cell[0]), problem(*cell)).document
    kinds = {finding.kind for finding in document.findings}
    assert kinds <= {"convention"}
    assert named(document.findings) == expected(*cell)
    assert document.dtype == cell[-1]


def test_two_conventions_as_small_as_roundings_of_float32_are_named():
    spec = problem(TORCH, "leaky_relu", ("mean_squared_error", "linear", 2), "adagrad", "float64")
    assert named(locate(adapter(TORCH), spec).document.findings) == {"leaky-slope-0.2", "adagrad-epsilon-outside"}


def test_every_adapter_is_tested():
    assert {path.stem for path in ADAPTERS.glob("*.py")} == set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_it_runs_as_its_first_lines_say(file, capsys):
    adapter(file)
    (line,) = re.findall("^Run: scratchbench (.*)$", (ADAPTERS / f"{file}.py").read_text("utf-8"), re.MULTILINE)
    command, target, *options = line.split()
    with pytest.raises(SystemExit) as ended:
        main([command, str(ADAPTERS.parents[1] / target), *options])
    told = capsys.readouterr()
    assert (ended.value.code, told.err) == (0, "")
    assert "Network computes what the derivation computes: every tensor agrees" in told.out


# Options of one library only: what is named.

PENALTY = {"regularization": {"l2": 0.05}}
DECAY = {"name": "exponential_decay", "initial_learning_rate": 0.1, "decay_steps": 1, "decay_rate": 0.5}
TANH, RELU = [7, (5, "tanh"), (3, "softmax")], [7, (6, "relu"), (3, "softmax")]


def classes(optimizer=None, layers=TANH, **options):
    return spec_of(layers, "categorical_crossentropy", optimizer or SGD, **options)


OPTIONS = {
    "PyTorch's weight_decay is in the step": (TORCH, classes(**PENALTY), {"penalty-in-the-step-with-biases"}),
    "with momentum": (TORCH, classes(OPTIMIZERS["momentum"], **PENALTY), {"penalty-in-the-step-with-biases"}),
    "PyTorch smooths labels as Keras does": (TORCH, classes(label_smoothing=0.2), set()),
    "JAX's penalty is in the cost": (JAX, classes(regularization={"l1": 0.03, "l2": 0.05}), set()),
    "JAX weighs examples": (JAX, classes(sample_weight_range=(0.5, 2.0)), set()),
    "scikit-learn divides its penalty by 2M": (SKLEARN, classes(**PENALTY), {"penalty-over-2M"}),
    "with Adam": (SKLEARN, classes(OPTIMIZERS["adam"], **PENALTY), {"penalty-over-2M"}),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_of_the_library(option):
    file, spec, conventions = OPTIONS[option]
    document = locate(adapter(file), spec).document
    assert not document.mistakes
    assert named(document.findings) == conventions


def _torch_schedule(kind):
    import torch

    class Scheduled(kind):
        def make_optimizer(self, spec):
            optimizer = torch.optim.SGD(self.get_parameters(), lr=0.1, momentum=0.9)
            self.schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
            return optimizer

        def step(self, X, Y):
            super().step(X, Y)
            self.schedule.step()

    return Scheduled


def _jax_schedule(kind):
    from jax.example_libraries import optimizers

    rate = optimizers.exponential_decay(0.1, decay_steps=1, decay_rate=0.5)
    return type("Scheduled", (kind,), {"make_optimizer": lambda self, spec: optimizers.momentum(rate, 0.9)})


@pytest.mark.parametrize(("file", "scheduled"), [(TORCH, _torch_schedule), (JAX, _jax_schedule)])
def test_the_velocity_of_pytorch_and_jax_has_no_learning_rate_in_it(file, scheduled):
    """With a constant rate that is the same; with a schedule it is another path."""
    document = locate(scheduled(adapter(file)), classes({"learning_rate": DECAY, "momentum": 0.9})).document
    assert not document.mistakes
    assert named(document.findings) == {"rate-outside-the-velocity"}


def test_the_default_epsilon_of_scikit_learn():
    kind = adapter(SKLEARN)

    class Defaults(kind):
        def options(self, spec):
            return {"activation": "tanh", "alpha": 0.0}  # its solver is Adam

    document = locate(Defaults, classes(OPTIMIZERS["adam"])).document
    assert not document.mistakes
    assert named(document.findings) == {"adam-epsilon-1e-8-hat"}


# One mistake each, as it is made with these libraries: how it is planted into an adapter; where it is blamed.


def _summed(kind):
    from torch.nn import CrossEntropyLoss

    def gradients(self, X, Y):
        self.optimizer.zero_grad()
        CrossEntropyLoss(reduction="sum")(self.network(X), Y).backward()
        return [parameter.grad for parameter in self.get_parameters()]

    return {"gradients": gradients}


def _no_relu(kind):
    from torch.nn import Identity

    def made(self, spec):
        kind.__init__(self, spec)
        self.network[1] = Identity()

    return {"__init__": made}


def _softmax_twice(kind):
    from torch.nn import Softmax

    def made(self, spec):
        kind.__init__(self, spec)
        self.network.append(Softmax(dim=1))

    return {"__init__": made, "forward": lambda self, X: self.network(X)}


def _detached(kind):
    def cost(self, X, Y):
        return self.loss(self.network[1:](self.network[0](X).detach()), Y)

    def gradients(self, X, Y):
        self.optimizer.zero_grad()
        self.cost(X, Y).backward()
        return [p.grad if p.grad is not None else p.detach() * 0 for p in self.get_parameters()]

    return {"cost": cost, "gradients": gradients}


def _sgd(**options):
    def changes(kind):
        from torch.optim import SGD

        return {"make_optimizer": lambda self, spec: SGD(self.get_parameters(), lr=0.1, **options)}

    return changes


def _not_cleared(kind):
    def step(self, X, Y):
        self.cost(X, Y).backward()
        self.optimizer.step()

    return {"step": step, "gradients": None}


def _options(**options):
    return lambda kind: {"options": lambda self, spec: {**kind.options(self, spec), **options}}


def _ascent(kind):
    import jax

    def gradients(self, X, Y):
        return jax.tree.map(lambda g: -g, kind.gradients(self, X, Y))

    def step(self, X, Y):
        self.state = self.update(self.steps, gradients(self, X, Y), self.state)

    return {"step": step}


def _half(kind):
    import jax

    def gradients(self, X, Y):
        return jax.grad(lambda p: self.cost_of(p, X, Y) / 2)(self.get_parameters())

    return {"gradients": gradients}


def _first_activation(function):
    def changes(kind):
        import jax

        def made(self, spec):
            kind.__init__(self, spec)
            self.activations[0] = lambda Z: function(jax, Z)

        return {"__init__": made}

    return changes


def _count_stands_still(kind):
    def step(self, X, Y):
        self.state = self.update(0, self.gradients(X, Y), self.state)

    return {"step": step}


def _bias_summed(kind):
    def gradient(self, D, A):
        dW, db = kind.gradient(self, D, A)
        return dW, [slope * len(D) for slope in db]

    return {"gradient": gradient}


def _no_output_slope(kind):
    return {"output_delta": lambda self, a, y: [2 * (one - wanted) for one, wanted in zip(a, y, strict=True)]}


def _last_layer_only(kind):
    def step(self, X, Y):
        held = [row[:] for row in self.W[0]], self.b[0][:]
        kind.step(self, X, Y)
        self.W[0], self.b[0] = held

    return {"step": step}


def _no_bias(kind):
    def activations(self, x):
        held, self.b = self.b, [[0.0] * len(b) for b in self.b]
        try:
            return kind.activations(self, x)
        finally:
            self.b = held

    return {"activations": activations}


SQUARES = spec_of([3, (2, "sigmoid"), (1, "sigmoid")], "sum_of_squared_errors", SGD)
PLANTED = {
    "reduction='sum'": (TORCH, classes(), _summed, "BP3.2 and BP4.2", "gradient-mean-missing"),
    "no ReLU": (TORCH, classes(layers=RELU), _no_relu, "(20)", "activation-is-linear"),
    "softmax twice": (TORCH, classes(), _softmax_twice, "(22)", "softmax-of-softmax"),
    "detach": (TORCH, classes(), _detached, "BP2.2", "error-zero"),
    "Nesterov": (
        TORCH,
        classes(OPTIMIZERS["momentum"]),
        _sgd(momentum=0.9, nesterov=True),
        "(D10)",
        "nesterov-unasked",
    ),
    "dampening": (TORCH, classes(OPTIMIZERS["momentum"]), _sgd(momentum=0.9, dampening=0.5), "(D10)", None),
    "weight decay": (TORCH, classes(), _sgd(weight_decay=0.01), "(D2)", None),
    "momentum unasked": (TORCH, classes(), _sgd(momentum=0.9), "(D2)", "momentum-unasked"),
    "no zero_grad": (TORCH, classes(), _not_cleared, "(D2)", "gradients-never-cleared"),
    "wrong activation": (SKLEARN, classes(), _options(activation="relu"), "(20)", "activation-is-relu"),
    "no Nesterov": (
        SKLEARN,
        classes(OPTIMIZERS["nesterov"]),
        _options(nesterovs_momentum=False),
        "(D13)",
        "nesterov-missing",
    ),
    "momentum's default": (
        SKLEARN,
        classes(),
        _options(momentum=0.9, nesterovs_momentum=True),
        "(D2)",
        "nesterov-from-nothing",
    ),
    "rate": (SKLEARN, classes(OPTIMIZERS["nesterov"]), _options(learning_rate_init=0.05), "(D13)", "rate-half"),
    "beta": (SKLEARN, classes(OPTIMIZERS["adam"]), _options(beta_1=0.8), "(D20)", None),
    "ascent": (JAX, classes(), _ascent, "(D2)", "ascent"),
    "half a gradient": (JAX, classes(), _half, "BP1.2", "output-half"),
    "jnp.maximum for ReLU": (
        JAX,
        classes(layers=RELU),
        _first_activation(lambda jax, Z: jax.numpy.maximum(Z, 0)),
        "BP2.2",
        None,
    ),
    "stop_gradient": (
        JAX,
        classes(),
        _first_activation(lambda jax, Z: jax.numpy.tanh(jax.lax.stop_gradient(Z))),
        "BP2.2",
        "error-zero",
    ),
    "Adam's count": (
        JAX,
        classes(OPTIMIZERS["adam"]),
        _count_stands_still,
        "(D20)",
        "adam-without-the-power",
    ),
    "biases summed": (LISTS, SQUARES, _bias_summed, "BP4.2", "biases-mean-missing"),
    "no slope": (LISTS, SQUARES, _no_output_slope, "BP1.2", "output-slope-missing"),
    "one layer learns": (LISTS, SQUARES, _last_layer_only, "(D2)", "layer-never-updated"),
    "no bias": (LISTS, SQUARES, _no_bias, "(18)", "bias-missing"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_mistake_is_blamed_rightly(planted):
    file, spec, change, equation, cause = PLANTED[planted]
    kind = adapter(file)
    document = locate(type("Wrong", (kind,), change(kind)), spec).document
    (finding,) = document.mistakes
    same_numbers = {(reason.equation, reason.id.partition("@")[0]) for reason in finding.causes}
    assert (equation, cause) in same_numbers if cause else (equation, ()) == (finding.equation, finding.causes)


def test_scikit_learns_cost_and_gradient_part_where_outputs_are_several():
    """A fact of scikit-learn: its cost is a mean over the outputs, and its gradient is that of their sum."""
    spec = spec_of([7, (5, "tanh"), (2, "linear")], "mean_squared_error", SGD)
    (finding,) = locate(adapter(SKLEARN), spec).document.mistakes
    assert finding.equation == "(22)"
    assert "loss-averaged-over-outputs" in {cause.id for cause in finding.causes}


def test_gradients_that_are_not_cleared_are_one_line():
    def gradients(self, X, Y):
        self.cost(X, Y).backward()
        return [parameter.grad for parameter in self.get_parameters()]

    wrong = type("Wrong", (adapter(TORCH),), {"gradients": gradients})
    with pytest.raises(
        UnusableError, match=r"gives another dW\[1\] when it is asked again .*a gradient is cleared first"
    ):
        locate(wrong, classes())
