"""Subjects of every form, and subjects that do not keep to the protocol: one clear line, never a wrong verdict."""

import numpy as np
import pytest
from forms import FORMS
from handwritten import HandWritten
from problems import PROBLEMS

from bench.core.errors import UnusableError
from bench.locate.problems import spec_of
from bench.locate.run import imported, locate

SPEC = PROBLEMS["classes"]
VALUES = SPEC.model_dump()


@pytest.mark.parametrize("problem", ["classes", "square", "summed"])
@pytest.mark.parametrize("form", FORMS)
def test_the_layout_is_found_out(form, problem):
    kind, words = FORMS[form]
    document = locate(kind, PROBLEMS[problem]).document
    assert document.verdict == "right"
    assert document.layout == words


@pytest.mark.parametrize("form", FORMS)
def test_a_mistake_is_found_in_every_layout(form):
    kind, _ = FORMS[form]

    class Wrong(kind):
        def bias_gradient(self, l, delta):
            return delta.sum(axis=0)

    (finding,) = locate(Wrong, SPEC).document.mistakes
    assert finding.equation == "BP4.2"
    assert finding.causes[0].id == "biases-mean-missing"


def test_a_layout_may_be_said():
    said = type("Said", (HandWritten,), {"examples": "rows", "weights": "in_out"})
    assert locate(said, PROBLEMS["square"]).document.verdict == "right"
    with pytest.raises(UnusableError, match=r"with columns as examples: Said\.step\(\.\.\.\) raised ValueError"):
        locate(type("Said", (HandWritten,), {"examples": "columns", "offers": ()}), SPEC)


def test_what_another_layout_makes_of_it_is_not_told_beside_the_error():
    class Broken(HandWritten):
        offers = ()

        def step(self, X, Y):
            super().step(X, Y)
            raise RuntimeError("in the middle")

    with pytest.raises(UnusableError, match=r"with rows as examples: .*in the middle") as told:
        locate(Broken, SPEC)
    assert "columns" not in str(told.value)


def test_an_object_is_copied():
    network = HandWritten(SPEC)
    before = network.get_parameters()
    assert locate(network, SPEC).ok
    for (W, b), (W_before, b_before) in zip(network.get_parameters(), before, strict=True):
        assert np.array_equal(W, W_before)
        assert np.array_equal(b, b_before)


def test_the_step_may_return_the_cost():
    class Returns(HandWritten):
        offers = ()

        def step(self, X, Y):
            value = 2 * HandWritten.cost(self, X, Y)
            super().step(X, Y)
            return value

    (finding,) = locate(Returns, SPEC).document.mistakes
    assert finding.equation == "(22)"
    assert finding.causes[0].id == "loss-double"


class Prints(HandWritten):
    def step(self, X, Y):
        print("step")
        super().step(X, Y)


class WritesInto(HandWritten):
    def step(self, X, Y):
        super().step(X, Y)
        X[...] = 0


@pytest.mark.parametrize(
    ("kind", "note"), [(Prints, "Prints prints"), (WritesInto, "WritesInto.step writes into X or Y")]
)
def test_what_does_no_harm_is_a_note(kind, note, capsys):
    document = locate(kind, SPEC).document
    assert document.verdict == "right"
    assert note in document.notes[0]
    assert capsys.readouterr().out == ""


def faulty(**methods):
    return type("Faulty", (HandWritten,), methods)


def raises(self, X, Y):
    raise RuntimeError("in the middle")


def randomly(self, X, Y):
    HandWritten.step(self, X + np.random.default_rng().normal(size=X.shape), Y)


SHARED = {}


class Remembers(HandWritten):
    """Its velocities outlive it."""

    def __init__(self, spec):
        super().__init__(spec)
        self.slots = SHARED


class Aliases(HandWritten):
    """Takes parameters and puts nothing in."""

    def set_parameters(self, parameters):
        pass


def slow(self, X, Y):
    import time

    time.sleep(5)


FAULTS = {
    "no method": (
        type("Empty", (), {}),
        r"Empty has no method get_parameters; needed: get_parameters, set_parameters, step",
    ),
    "raises": (
        faulty(step=raises),
        r"Faulty\.step\(\.\.\.\) raised RuntimeError: in the middle \(test_locate_protocol\.py:\d+\)",
    ),
    "other widths": (
        lambda: HandWritten(PROBLEMS["numbers"]),
        r"get_parameters\(\) has arrays of shapes .* the spec .* has W\[1\] \(5, 7\)",
    ),
    "wrong shape": (
        faulty(errors=lambda s, X, Y: [np.zeros((2, 2))] * 3),
        r"delta\[1\] has shape \(2, 2\); expected: \(4, 5\), as rows are examples",
    ),
    "too few": (
        faulty(errors=lambda s, X, Y: [np.zeros((4, 3))]),
        r"errors\(X, Y\) has 1 arrays; expected: 3, delta\[1\] to delta\[3\]",
    ),
    "words": (faulty(cost=lambda s, X, Y: "much"), r"cost\(X, Y\) is 'much'; expected: numbers"),
    "two costs": (faulty(cost=lambda s, X, Y: np.ones(2)), r"cost\(X, Y\) has shape \(2,\); expected: one number"),
    "gradients": (
        faulty(gradients=lambda s, X, Y: [np.zeros(3)]),
        r"gradients\(X, Y\) has arrays of shapes .* expected, as of the parameters",
    ),
    "nothing": (
        faulty(get_parameters=lambda s: None),
        r"get_parameters\(\) holds a NoneType; expected: arrays in lists",
    ),
    "random": (faulty(step=randomly), r"two new networks take different steps from the same parameters"),
    "puts nothing in": (Aliases, r"W\[1\] read by get_parameters\(\) is not what set_parameters\(\) was given"),
    "half precision": (faulty(dtype=np.float16), r"Faulty has parameters of float16; allowed: float32, float64"),
    "said wrongly": (faulty(examples="cols"), r"Faulty\.examples is 'cols'; allowed: rows or columns"),
    "constructor": (faulty(__init__=lambda s, spec: 1 / 0), r"Faulty\(\) raised ZeroDivisionError"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_line(fault):
    kind, line = FAULTS[fault]
    with pytest.raises(UnusableError, match=line) as told:
        locate(kind, SPEC, name=None if isinstance(kind, type) else "Faulty")
    assert "\n" not in str(told.value)


def test_a_memory_that_outlives_the_network_is_told():
    SHARED.clear()
    with pytest.raises(UnusableError, match="nothing that one object remembers and another sees"):
        locate(Remembers, PROBLEMS["momentum"])


def test_a_slow_step_is_told():
    with pytest.raises(UnusableError, match=r"Faulty\.step\(\.\.\.\) took longer than 0\.2 s"):
        locate(faulty(step=slow), SPEC, seconds=0.2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_a_finding(value):
    class NotFinite(HandWritten):
        def bias_gradient(self, l, delta):
            return super().bias_gradient(l, delta) + (value if l == 1 else 0.0)

    (finding,) = locate(NotFinite, SPEC).document.mistakes
    assert (finding.equation, finding.layer, finding.ratio) == ("BP4.2", 2, None)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ("sportz", r"--spec 'sportz' is not known; allowed: sports, digits"),
        ("standard", r"9 specs are given .* allowed: one"),
        ({"loss": "hinge"}, r"spec: architecture: is missing"),
        ({**VALUES, "loss": "hinges"}, r"^spec: loss: must be .*'huber', not 'hinges'"),
        ({**VALUES, "optimizer": {"name": "Adam"}}, r"^spec: optimizer: its name is 'Adam'; allowed: .*'adam'"),
        (None, r"HandWritten says no spec; remedy: --spec NAME \(sports, "),
    ],
)
def test_a_spec_that_cannot_be_used_is_one_line(given, line):
    with pytest.raises(UnusableError, match=line):
        locate(HandWritten, given)


def test_layers_that_are_none_are_one_line():
    with pytest.raises(UnusableError, match=r"layers is 7; expected: n_0, then pairs"):
        spec_of(7, "mean_squared_error")


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("adapter", r"'adapter' names no network; allowed: module:Name"),
        ("nowhere_at_all:Network", r"nowhere_at_all cannot be imported \(ModuleNotFoundError"),
        ("handwritten:Other", r"handwritten has no Other; allowed: HandWritten"),
    ],
)
def test_a_name_that_leads_nowhere_is_one_line(target, line):
    with pytest.raises(UnusableError, match=line):
        imported(target)
