"""Suite files: what is accepted, and the one line that anything else gets."""

import copy
import inspect
import math
import re
import tomllib
from typing import get_args

import numpy as np
import pytest
from covering import ALL
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.core.errors import UnusableError
from bench.spec import ArchitectureSpec, LayerSpec, TrainingSpec, load_suite, shipped_suites, suite_schema
from bench.spec import optimizer as optimizer_spec
from bench.spec import suite as spec
from scratchnet.activations import ACTIVATIONS
from scratchnet.initializers import INITIALIZERS
from scratchnet.losses import LOSSES
from scratchnet.optimizers import OPTIMIZERS
from scratchnet.schedules import SCHEDULES

GOOD = """
[defaults]
loss = "categorical_crossentropy"
optimizer = { learning_rate = 0.1 }
epochs = 2
seeds = [0]

[[specs]]
batch_size = 32
architecture = { inputs = 784, layers = [
  { units = 30, activation = "relu" },
  { units = 10, activation = "softmax" },
] }
"""


def written(tmp_path, text):
    path = tmp_path / "suite.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_names_in_the_spec_are_those_of_scratchnet():
    assert get_args(spec.Activation) == tuple(ACTIVATIONS)
    assert get_args(spec.Initializer) == tuple(INITIALIZERS)
    assert get_args(spec.Loss) == tuple(LOSSES)
    assert {name: set(allowed) for name, allowed in spec.OUTPUT_ACTIVATIONS.items()} == {
        name: set(loss.outputs) for name, loss in LOSSES.items()
    }
    smoothed = tuple(name for name, loss in LOSSES.items() if "label_smoothing" in inspect.signature(loss).parameters)
    assert tuple(name for name in smoothed if name != "sparse_categorical_crossentropy") == spec.SMOOTHED_LOSSES


OPTIMIZER_SPECS = {tag: getattr(optimizer_spec, f"{OPTIMIZERS[tag].__name__}Spec") for tag in OPTIMIZERS}
SCHEDULE_SPECS = {tag: getattr(optimizer_spec, f"{SCHEDULES[tag].__name__}Spec") for tag in SCHEDULES}


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        *((OPTIMIZER_SPECS[tag], OPTIMIZERS[tag]) for tag in OPTIMIZERS),
        *((SCHEDULE_SPECS[tag], SCHEDULES[tag]) for tag in SCHEDULES),
    ],
)
def test_fields_and_defaults_are_those_of_the_constructor(model, kind):
    taken = {name: one.default for name, one in inspect.signature(kind).parameters.items() if name != "clipping"}
    fields = {name: field.default for name, field in model.model_fields.items() if name != "name"}
    common = {"learning_rate", "clipnorm", "global_clipnorm", "clipvalue"}
    assert set(fields) - common == set(taken) - common
    for name in set(taken) - common:
        if taken[name] is not inspect.Parameter.empty:
            assert fields[name] == taken[name], name


def test_defaults_lie_under_each_spec(tmp_path):
    suite = load_suite(written(tmp_path, GOOD))
    assert suite.specs[0].epochs == 2
    assert suite.specs[0].name == "784-30-10 M=32"
    assert suite.specs[0].data.source == "mnist"


def test_shipped_suites_are_the_ones_promised():
    assert list(shipped_suites()) == ["founding", "quick", "standard"]
    standard = load_suite("standard")
    titles = {(one.architecture.title, one.batch_size) for one in standard.specs}
    assert titles == {(t, m) for t in ("784-30-10", "784-128-10", "784-512-512-10") for m in (32, 128, 512)}
    assert {len(one.seeds) for one in standard.specs} == {3}
    founding = load_suite("founding").specs[0]
    assert [layer.activation for layer in founding.architecture.layers] == ["tanh", "tanh", "softmax"]
    assert (founding.architecture.title, founding.epochs, founding.batch_size) == ("784-32-16-10", 5, 32)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("epochs = 2", "epoch = 2", r"defaults.epoch: unknown key; allowed: name, architecture, loss"),
        ("units = 30", "unit = 30", r"layers\[0\].unit: unknown key; allowed: units, activation, initializer"),
        ("inputs = 784,", "inputs = 784, width = 3,", r"architecture.width: unknown key; allowed: inputs, layers"),
        ("seeds = [0]", "seeds = [0]\nsede = 1", r"defaults.sede: unknown key; allowed: name, architecture, loss"),
        ("[defaults]", "tilte = 'x'\n[defaults]", r"tilte: unknown key; allowed: title, backends, .*, defaults"),
        ("units = 30", "units = 0", r"layers\[0\].units: Input should be greater than or equal to 1, not 0"),
        ("units = 30", "units = 3.5", r"layers\[0\].units: Input should be a valid integer, not 3.5"),
        ("units = 30", "units = '30'", r"layers\[0\].units: Input should be a valid integer, not '30'"),
        ('units = 30, activation = "relu"', 'units = 1, activation = "softmax"', r"layers\[0\]: softmax over 1 unit"),
        ('"relu"', '"swish"', r"'sigmoid', 'tanh', 'relu', 'leaky_relu', .* 'linear' or 'softmax', not 'swish'"),
        ('"softmax"', '"softmax", dropout = 0.5', r"layers\[1\].dropout: 0.5 at the output; allowed there: 0"),
        ("epochs = 2", "epochs = 2\nlabel_smoothing = 1.0", r"defaults.label_smoothing: Input should be less than 1"),
        (
            "epochs = 2",
            "epochs = 2\nhuber_delta = 2",
            r"huber_delta with loss categorical_crossentropy; allowed with: hub",
        ),
        ("epochs = 2", "epochs = 2\nclass_weights = [1, 2]", r"class_weights has 2 numbers; allowed: 10, one a class"),
        ("epochs = 2", "epochs = 2\nsample_weight_range = [2, 1]", r"sample_weight_range is \[2.0, 1.0\]; allowed"),
        ("epochs = 2", "epochs = 2\nearly_stopping = {}", r"allowed: validation_fraction greater than 0"),
        (
            "{ learning_rate",
            '{ name = "adamx", learning_rate',
            r"optimizer.name: 'adamx' is not known; allowed: 'sgd', 'rms",
        ),
        ("{ learning_rate", '{ name = "adam", beta = 1, learning_rate', r"optimizer.beta: unknown key; allowed: learn"),
        ("{ learning_rate", "{ nesterov = true, learning_rate", r"defaults.optimizer: nesterov without momentum"),
        (
            "{ learning_rate",
            "{ clipnorm = 1, clipvalue = 1, learning_rate",
            r"optimizer: clipnorm and clipvalue are set; all",
        ),
        (
            "= 0.1",
            '= { name = "cosine" }',
            r"defaults.optimizer.learning_rate.name: 'cosine' is not known; allowed: 'expo",
        ),
        (
            "= 0.1",
            '= { name = "cosine_decay", initial_learning_rate = 0.1, step = 3 }',
            r"optimizer.learning_rate.step: unknown key; allowed: name, initial_learning_rate, decay_steps, alpha",
        ),
        (
            "= 0.1",
            '= { name = "piecewise_constant_decay", boundaries = [3], values = [1] }',
            r"optimizer.learning_rate: 1 values; allowed: 2, one more than boundaries",
        ),
        (
            "= 0.1",
            "= { initial_learning_rate = 0.1, decay_steps = 3 }",
            r"defaults.optimizer.learning_rate.name: Field required; allowed: 'exponential_decay', 'inverse",
        ),
        ("= 0.1", "= 0.1, schedule = {}", r"defaults.optimizer.schedule: unknown key; allowed: learning_rate"),
        ("epochs = 2", "epochs = 2\nadam = {}", r"defaults.adam: unknown key; allowed: name, architecture, loss"),
        ('"softmax"', '"relu"', r"loss categorical_crossentropy does not fit output relu; allowed: softmax"),
        ("epochs = 2", "epochs = true", r"defaults.epochs: Input should be a valid integer, not True"),
        ("0.1", "nan", r"defaults.optimizer.learning_rate: Input should be"),
        ("seeds = [0]", "seeds = [1, 1]", r"defaults.seeds: duplicate seed 1; seeds must be distinct"),
        ("seeds = [0]", "seeds = []", r"defaults.seeds: Tuple should have at least 1 item"),
        (
            "seeds = [0]",
            "seeds = [0]\ndata = 'cifar'",
            r"defaults.data.source: 'cifar' is not known; did you mean 'tfds:cifar'\?; allowed: mnist, tfds:NAME, idx:",
        ),
        ("seeds = [0]", "seeds = [0]\ndata = 'minst'", r"'minst' is not known; did you mean 'mnist'\?; allowed"),
        ("seeds = [0]", "seeds = [0]\ndata = 'tdfs:mnist'", r"did you mean 'tfds:mnist'\?; allowed"),
        ("seeds = [0]", "seeds = [0]\ndata = './x'", r"did you mean 'idx:./x' or 'images:./x'\?; allowed"),
        ("seeds = [0]", "seeds = [0]\ndata = 'tfds:'", r"'tfds:' is not known; allowed: mnist, tfds:NAME"),
        ("seeds = [0]", 'seeds = [1]\nname = " "', r"defaults.name: ' ' is blank; write a name, or leave it out"),
        ("[defaults]", 'title = "a\\u001bb"\n[defaults]', r"title: 'a.x1bb' has a character that cannot be printed"),
        ("seeds = [0]", "seeds = [0]\ndata = 'images:x'", r"defaults.data: images:FOLDER needs image_size"),
        ("epochs = 2", "epochs = ", r"not valid TOML: Invalid value \(at line 5"),
        ("seeds = [0]", 'seeds = [1]\nname = "a\\tb"', r"defaults.name: 'a..b' has a character that cannot be printed"),
        ("epochs = 2\n", "", r"specs\[0\].epochs: Field required"),
    ],
)
def test_each_slip_gets_one_line_with_file_place_and_allowed_values(tmp_path, old, new, message):
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    with pytest.raises(UnusableError, match=message) as caught:
        load_suite(written(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "suite.toml"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"optimizer": {"learning_rate": -1}}, ""),
        ({"seeds": ["x"]}, ""),
        ({"seeds": []}, ""),
        ({"seeds": [], "epochs": 0}, " (and 1 more)"),
        ({"seeds": ["x"], "epochs": 0, "loss": "hinge"}, " (and 2 more)"),
    ],
)
def test_slips_are_counted_one_by_one(change, more):
    tables = tomllib.loads(GOOD)
    tables["defaults"] |= change
    _, complaint = suite_or_complaint(tables)
    assert re.search(r" \(and \d+ more\)$|$", complaint)[0] == more


def test_a_network_that_fits_no_machine_is_refused():
    layers = [LayerSpec(units=60_000, activation="relu")] * 2
    with pytest.raises(ValidationError, match=r"parameters; allowed: 1000000000 or fewer"):
        ArchitectureSpec(inputs=60_000, layers=layers)


@pytest.mark.parametrize("name", ["nosuch", "/nosuch/suite.toml", "/", "a\0b"])
def test_a_missing_suite_names_the_shipped_ones(name):
    with pytest.raises(UnusableError, match=r"not a suite \(.*\); allowed: founding, quick, standard, or a TOML file"):
        load_suite(name)


def test_a_suite_of_many_megabytes_is_not_read(tmp_path):
    with pytest.raises(UnusableError, match="larger than 1000000 bytes"):
        load_suite(written(tmp_path, "#" * 2_000_000))


def test_deep_nesting_is_one_line(tmp_path):
    with pytest.raises(UnusableError, match="not valid TOML"):
        load_suite(written(tmp_path, "a = " + "[" * 100_000))


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.binary(max_size=5),
    st.lists(st.integers(-1, 3), max_size=3), st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
    st.sampled_from(["softmax", "relu", "mnist", "tfds:", "images:x", 10**30, -1, 0, math.inf, "\0", "|", "<script>"]),
)  # fmt: skip


def _places(value, path=()):
    """Every place in a nested value."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _places(child, (*path, key))


CHANGE = st.deferred(lambda: st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "drop", "add"]), ODD))
PLACES = [path for path in _places(tomllib.loads(GOOD)) if path]


@settings(max_examples=1500 if ALL else 300)
@given(st.lists(CHANGE, min_size=1, max_size=3))
def test_generated_slips_give_a_suite_or_one_line(changes):
    """What tomllib can yield, with odd values, missing and extra keys anywhere: a suite or one `UnusableError`."""
    tables = copy.deepcopy(tomllib.loads(GOOD))
    for path, change, value in changes:
        _change(tables, path, change, value)
    suite, complaint = suite_or_complaint(tables)
    if suite is None:
        assert complaint.startswith("suite.toml: ")
        assert complaint.isprintable()
        assert len(complaint) < 1000
    else:
        assert suite == spec.Suite.model_validate_json(suite.model_dump_json())


def suite_or_complaint(tables):
    try:
        return spec.suite_of(tables, "suite.toml"), ""
    except UnusableError as error:
        return None, str(error)


def _change(tables, path, change, value):
    parent = tables
    try:
        for part in path[:-1]:
            parent = parent[part]
        if change == "set":
            parent[path[-1]] = value
        elif change == "drop":
            del parent[path[-1]]
        else:
            parent[str(value)[:20]] = value
    except (KeyError, IndexError, TypeError):
        pass  # an earlier change took that place away


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_one_line(tmp_path, content):
    path = tmp_path / "suite.toml"
    path.write_bytes(content)
    with pytest.raises(UnusableError) as caught:
        load_suite(str(path))
    assert "\n" not in str(caught.value)


def test_the_schema_names_every_choice_and_lets_defaults_stand_for_a_spec():
    schema = suite_schema()
    assert schema["$defs"]["LayerSpec"]["properties"]["activation"]["enum"] == list(ACTIVATIONS)
    assert "required" not in schema["$defs"]["TrainingSpec"]
    assert set(schema["properties"]["defaults"]["properties"]) == set(TrainingSpec.model_fields)


def test_specs_are_frozen():
    with pytest.raises(ValidationError, match="frozen"):
        load_suite("quick").specs[0].epochs = 3


def test_what_numpy_computed_is_as_good_as_a_number():
    def made(whole, real, several):
        return TrainingSpec(
            architecture=ArchitectureSpec(
                inputs=whole(784),
                layers=(
                    LayerSpec(units=whole(30), activation="relu"),
                    LayerSpec(units=whole(10), activation="softmax"),
                ),
            ),
            loss="categorical_crossentropy",
            label_smoothing=real(0.25),
            optimizer=optimizer_spec.SGDSpec(learning_rate=real(0.5)),
            batch_size=whole(32),
            epochs=whole(2),
            seeds=several([0, 1]),
        )

    expected = made(int, float, tuple)
    assert made(np.int64, np.float32, np.array) == expected
    assert made(np.uint16, np.float64, lambda seeds: tuple(map(np.int64, seeds))) == expected
    assert made(np.int64, np.float64, np.array).model_dump_json() == expected.model_dump_json()


def test_a_suite_may_begin_with_a_byte_order_mark(tmp_path):
    plain = load_suite(written(tmp_path, GOOD))
    assert load_suite(written(tmp_path, "\ufeff" + GOOD)) == plain
