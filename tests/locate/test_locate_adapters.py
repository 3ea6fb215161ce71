"""The networks of scikit-learn, PyTorch and JAX through the adapters in examples/: no false alarm, mistakes are named.

They run in the environment of the peers (tox -e peers), where these packages are and TensorFlow is not.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from bench.cli import main
from bench.locate.run import imported, locate

ADAPTERS = Path(__file__).resolve().parents[2] / "examples" / "adapters"
PACKAGES = {"sklearn_networks": "sklearn", "torch_networks": "torch", "jax_network": "jax"}


def needs(file):
    """The classes of an adapter; a reason where its package is not installed."""
    if find_spec(PACKAGES[file]) is None:
        pytest.skip(f"{PACKAGES[file]} is not installed here; it is in the environment of the peers")
    if "tensorflow" in sys.modules:
        pytest.skip("TensorFlow is imported here, and PyTorch beside it crashes; tox -e peers runs this")
    return lambda name: imported(f"{ADAPTERS / file}.py:{name}")[0]


RIGHT = {
    ("sklearn_networks", "Classifier"): ["penalty-over-2M"],
    ("sklearn_networks", "Nesterov"): [],
    ("sklearn_networks", "Adam"): ["adam-epsilon-1e-8-hat"],
    ("sklearn_networks", "Regressor"): ["half"],
    ("torch_networks", "Classifier"): [],
    ("torch_networks", "Momentum"): [],
    ("torch_networks", "Adam"): ["adam-epsilon-1e-8"],
    ("torch_networks", "Penalized"): ["penalty-in-the-step-with-biases"],
    ("jax_network", "Regression"): [],
}
"""Adapter → the conventions that are named."""


def test_every_adapter_is_tested():
    assert {path.stem for path in ADAPTERS.glob("*.py")} == {file for file, _ in RIGHT} == set(PACKAGES)


@pytest.mark.parametrize(("file", "name"), RIGHT, ids=str)
def test_a_right_network_gives_no_alarm(file, name):
    document = locate(needs(file)(name)).document
    conventions = [cause.id for finding in document.findings for cause in finding.causes[:1]]
    assert not document.mistakes
    assert conventions == RIGHT[file, name]
    assert document.steps >= 20


@pytest.mark.parametrize("file", PACKAGES)
def test_it_runs_as_its_first_lines_say(file, capsys):
    needs(file)
    (line,) = [line for line in (ADAPTERS / f"{file}.py").read_text().splitlines() if line.startswith("Run: ")]
    command, name = line.removeprefix("Run: scratchbench ").split()
    with pytest.raises(SystemExit) as ended:
        main([command, str(ADAPTERS.parents[1] / name)])
    told = capsys.readouterr()
    assert (ended.value.code, told.err) == (0, "")
    assert "Compared: " in told.out


def test_float32_is_right_too():
    class Single(needs("torch_networks")("Classifier")):
        def __init__(self):
            super().__init__()
            self.network.float()

    document = locate(Single).document
    assert (document.verdict, document.dtype) == ("right", "float32")


# One mistake each, as it is made with these libraries: how it is planted into an adapter's class; where it is blamed.


def _summed(kind):
    from torch.nn import CrossEntropyLoss

    def gradients(self, X, Y):
        self.optimizer.zero_grad()
        CrossEntropyLoss(reduction="sum")(self.network(X), Y).backward()
        return [parameter.grad for parameter in self.network.parameters()]

    return {"gradients": gradients}


def _no_relu(kind):
    from torch.nn import Identity

    def made(self):
        kind.__init__(self)
        self.network[1] = Identity()

    return {"__init__": made}


def _softmax_twice(kind):
    from torch.nn import Softmax

    def made(self):
        kind.__init__(self)
        self.network.append(Softmax(dim=1))

    return {"__init__": made, "forward": lambda self, X: self.network(X)}


def _sgd(**options):
    def changes(kind):
        from torch.optim import SGD

        return {"make_optimizer": lambda self, parameters: SGD(parameters, lr=0.1, **options)}

    return changes


def _not_cleared(kind):
    def step(self, X, Y):
        self.cost(X, Y).backward()
        self.optimizer.step()

    return {"step": step, "gradients": None}


def _options(**options):
    return lambda kind: {"options": {**kind.options, **options}}


def _ascent(kind):
    import jax

    cost = sys.modules["jax_network"].cost

    def step(self, X, Y):
        gradients = jax.grad(cost)(self.parameters, X, Y)
        self.parameters = jax.tree.map(lambda p, g: p + 0.1 * g, self.parameters, gradients)

    return {"step": step}


def _half(kind):
    import jax

    cost = sys.modules["jax_network"].cost
    return {"gradients": lambda self, X, Y: jax.grad(lambda p: cost(p, X, Y) / 2)(self.parameters)}


PLANTED = {
    "reduction='sum'": ("torch_networks", "Classifier", _summed, {"BP3.2 and BP4.2"}, "gradient-mean-missing"),
    "no ReLU": ("torch_networks", "Classifier", _no_relu, {"(20)"}, "activation-is-linear"),
    "softmax twice": ("torch_networks", "Classifier", _softmax_twice, {"(22)"}, "softmax-of-softmax"),
    "Nesterov": ("torch_networks", "Momentum", _sgd(momentum=0.9, nesterov=True), {"(D10)"}, "nesterov-unasked"),
    "dampening": ("torch_networks", "Momentum", _sgd(momentum=0.9, dampening=0.5), {"(D10)"}, None),
    "weight decay": ("torch_networks", "Classifier", _sgd(weight_decay=0.01), {"(D2)"}, None),
    "momentum unasked": ("torch_networks", "Classifier", _sgd(momentum=0.9), {"(D2)"}, "momentum-unasked"),
    "no zero_grad": ("torch_networks", "Classifier", _not_cleared, {"(D2)"}, "gradients-never-cleared"),
    "wrong activation": ("sklearn_networks", "Nesterov", _options(activation="relu"), {"(20)"}, "activation-is-relu"),
    "no Nesterov": (
        "sklearn_networks",
        "Nesterov",
        _options(nesterovs_momentum=False),
        {"(D13)"},
        "nesterov-missing",
    ),
    "momentum's default": ("sklearn_networks", "Classifier", _options(momentum=0.9), {"(D2)"}, "nesterov-from-nothing"),
    "rate": ("sklearn_networks", "Nesterov", _options(learning_rate_init=0.05), {"(D13)"}, "rate-half"),
    "beta": ("sklearn_networks", "Adam", _options(beta_1=0.8, epsilon=1e-7), {"(D20)"}, None),
    "ascent": ("jax_network", "Regression", _ascent, {"(D2)"}, "ascent"),
    "half a gradient": ("jax_network", "Regression", _half, {"BP1.2", "(D2)"}, "output-half"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_mistake_is_blamed_rightly(planted):
    file, name, change, equations, cause = PLANTED[planted]
    kind = needs(file)(name)
    document = locate(type("Wrong", (kind,), change(kind))).document
    assert {finding.equation for finding in document.mistakes} == equations
    named = [reason.id for finding in document.mistakes[:1] for reason in finding.causes]
    assert (named[0] if named else None) == cause


def test_scikit_learns_cost_and_gradient_part_where_outputs_are_several():
    """A fact of scikit-learn: its cost is a mean over the outputs, and its gradient is that of their sum."""
    one = needs("sklearn_networks")("Regressor")
    from bench.locate import spec_of

    class Two(one):
        sizes = (7, 5, 2)
        spec = spec_of([7, (5, "tanh"), (2, "linear")], "mean_squared_error", {"learning_rate": 0.1})

        def fit(self, X, Y):
            self.network.partial_fit(X, Y)

    (finding,) = locate(Two).document.mistakes
    assert finding.equation == "(22)"
    assert "loss-averaged-over-outputs" in {cause.id for cause in finding.causes}


def test_gradients_that_are_not_cleared_are_one_line():
    from bench.core.errors import UnusableError

    def gradients(self, X, Y):
        self.cost(X, Y).backward()
        return [parameter.grad for parameter in self.network.parameters()]

    wrong = type("Wrong", (needs("torch_networks")("Classifier"),), {"gradients": gradients})
    with pytest.raises(
        UnusableError, match=r"gives another dW\[1\] when it is asked again .*a gradient is cleared first"
    ):
        locate(wrong)
