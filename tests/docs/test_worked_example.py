"""Every number of docs/derivation/worked-example.md is recomputed here, and the results by `scratchnet` as well.

Fed by the page, whose ```math blocks hold nothing but statements `name = formula = the same in numbers = result`: the
formula is evaluated, numbers and result are compared as text. So no number of the page can be changed unnoticed.
"""

import re
from functools import cache
from math import exp, log
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from scratchnet import SGD, Dense, Network

PAGE = (Path(__file__).parents[2] / "docs/derivation/worked-example.md").read_text("utf-8")

X, Y = [[0.6, 1, 0], [0.25, 0, 1]], [1, 0]
W1, B1 = [[0.5, 0.8, -0.6], [-0.4, 0.3, 0.7]], [0.1, -0.2]
W2, B2 = [[1.2, -0.9]], [-0.4]
LEARNING_RATE, EPSILON = 0.5, 0.001

Numbers = dict[str, Any]
Parts = tuple[list[list[float]], list[float], list[list[float]], list[float]]
START: Parts = (W1, B1, W2, B2)


# What the page must say.


class Pass(NamedTuple):
    """One example forward and backward, in component form and plain numbers."""

    z1: list[float]
    a1: list[float]
    z2: float
    a2: float
    loss: float
    delta1: list[float]
    delta2: float


def run(x: list[float], y: float, parts: Parts = START) -> Pass:
    W1, b1, W2, b2 = parts
    z1 = [sum(w * a for w, a in zip(row, x, strict=True)) + b for row, b in zip(W1, b1, strict=True)]
    a1 = [1 / (1 + exp(-z)) for z in z1]
    z2 = sum(w * a for w, a in zip(W2[0], a1, strict=True)) + b2[0]
    a2 = 1 / (1 + exp(-z2))
    delta1 = [a * (1 - a) * w * (a2 - y) for a, w in zip(a1, W2[0], strict=True)]
    return Pass(z1, a1, z2, a2, -(y * log(a2) + (1 - y) * log(1 - a2)), delta1, a2 - y)


def update(passes: list[Pass], inputs: list[list[float]]) -> tuple[Parts, Parts]:
    """The gradient of the mean loss, and the parameters after one step."""
    M = len(passes)
    means = (
        [[sum(p.delta1[i] * x[k] for p, x in zip(passes, inputs, strict=True)) / M for k in range(3)] for i in (0, 1)],
        [sum(p.delta1[i] for p in passes) / M for i in (0, 1)],
        [[sum(p.delta2 * p.a1[k] for p in passes) / M for k in (0, 1)]],
        [sum(p.delta2 for p in passes) / M],
    )
    after = tuple((np.array(p) - LEARNING_RATE * np.array(g)).tolist() for p, g in zip(START, means, strict=True))
    return means, after


def slope(name: str, of: str = r"\ell") -> str:
    return rf"\frac{{\partial {of}}}{{\partial {name}}}"


def components(parts: Parts) -> Numbers:
    """Each of the 11 parameters, or of whatever has their layout, by the name of the parameter."""
    named = {}
    for layer, W, b in ((1, parts[0], parts[1]), (2, parts[2], parts[3])):
        named |= {f"w_{{{i},{k}}}^{layer}": w for i, row in enumerate(W, 1) for k, w in enumerate(row, 1)}
        named |= {f"b_{i}^{layer}": value for i, value in enumerate(b, 1)}
    return named


def matrices(parts: Parts) -> Numbers:
    """The same as matrices, a bias as a column."""
    names = r"\mathbf{W}^1", r"\mathbf{b}^1", r"\mathbf{W}^2", r"\mathbf{b}^2"
    return {name: np.array(part).reshape(len(part), -1) for name, part in zip(names, parts, strict=True)}


def chosen() -> Numbers:
    """What is chosen, not computed; the page writes it as short as it is."""
    numbers = {"t": 24, r"\eta": LEARNING_RATE, r"\epsilon": EPSILON, "M": len(X), "y_1": Y[0]}
    numbers |= {"a_2^0": X[0][1], "a_3^0": X[0][2]}
    numbers |= matrices(START) | {r"\mathbf{A}^0": np.array(X).T, r"\mathbf{Y}": np.array([Y])}
    return numbers | {r"\mathbf{B}^1": np.array([B1, B1]).T, r"\mathbf{B}^2": np.array([B2, B2]).T}


def parts_of_chosen() -> Numbers:
    """Elements of what is chosen: used in formulas, without a statement of their own."""
    inputs = {rf"a_1^{{0,{m}}}": x[0] for m, x in enumerate(X, 1)} | {f"a_{k}^0": x for k, x in enumerate(X[0], 1)}
    columns = {rf"\mathbf{{a}}^{{0,{m}}}": np.array([x]).T for m, x in enumerate(X, 1)}
    return components(START) | inputs | columns | {r"\mathbf{1}": np.ones((2, 1))}


def one_example() -> Numbers:
    one = run(X[0], Y[0])
    gradient, after = update([one], X[:1])
    numbers = {"a_1^0": X[0][0], r"\hat{y}_1": one.a2, r"\ell": one.loss}
    for name, (z, a, delta) in {
        "_1^1": (one.z1[0], one.a1[0], one.delta1[0]),
        "_2^1": (one.z1[1], one.a1[1], one.delta1[1]),
        "_1^2": (one.z2, one.a2, one.delta2),
    }.items():
        numbers |= {f"z{name}": z, f"a{name}": a, f"f'(z{name})": a * (1 - a), rf"\delta{name}": delta}
    numbers[slope("a_1^2")] = one.delta2 / (one.a2 * (1 - one.a2))
    numbers |= {slope(name): value for name, value in components(gradient).items()}
    numbers |= {f"new {name}": value for name, value in components(after).items()}
    return numbers | {r"\ell_{\mathrm{new}}": run(X[0], Y[0], after).loss}


def differences() -> Numbers:
    """Equation (50) for the first weight, and the central difference."""
    moved = ([[[0.5 + step, *W1[0][1:]], W1[1]], B1, W2, B2] for step in (-EPSILON, 0, EPSILON))
    low, at, high = (run(X[0], Y[0], tuple(parts)).loss for parts in moved)
    quotients = {r"d_{\mathrm{forward}}": (high - at) / EPSILON, r"d_{\mathrm{central}}": (high - low) / (2 * EPSILON)}
    return {r"\ell_{-}": low, r"\ell_{0}": at, r"\ell_{+}": high} | quotients


def whole_batch() -> Numbers:
    """Both examples as columns; whatever is a sum over the batch is added up example by example."""
    passes = [run(x, y) for x, y in zip(X, Y, strict=True)]
    gradient, after = update(passes, X)
    columns = {name: np.array([getattr(one, name) for one in passes]).reshape(2, -1).T for name in Pass._fields}
    layers = {"z1": r"\mathbf{Z}^1", "a1": r"\mathbf{A}^1", "z2": r"\mathbf{Z}^2", "a2": r"\mathbf{A}^2"}
    errors = {"loss": r"\boldsymbol{\ell}", "delta1": r"\boldsymbol{\Delta}^1", "delta2": r"\boldsymbol{\Delta}^2"}
    numbers = {name: columns[key] for key, name in (layers | errors).items()}
    numbers |= {"C": columns["loss"].mean(), r"f'(\mathbf{Z}^1)": columns["a1"] * (1 - columns["a1"])}
    numbers[r"\mathbf{G}^1"] = np.array([[w * one.delta2 for one in passes] for w in W2[0]])
    for m, (one, x) in enumerate(zip(passes, X, strict=True), 1):
        alone = matrices(update([one], [x])[0])
        numbers |= {slope(rf"\mathbf{{W}}^{layer}", rf"\ell_{m}"): alone[rf"\mathbf{{W}}^{layer}"] for layer in (1, 2)}
    numbers[slope("w_{1,1}^1", "C")] = gradient[0][0][0]
    numbers |= {slope(name, "C"): value for name, value in matrices(gradient).items()}
    numbers |= {f"new {name}": value for name, value in matrices(after).items()}
    losses_after = [run(x, y, after).loss for x, y in zip(X, Y, strict=True)]
    return numbers | {r"C_{\mathrm{new}}": sum(losses_after) / 2}


def columns_of_batch() -> Numbers:
    """Columns and elements of the matrices: used in formulas, without a statement of their own."""
    passes = list(enumerate([run(x, y) for x, y in zip(X, Y, strict=True)], 1))
    numbers = {rf"\delta_1^{{1,{m}}}": one.delta1[0] for m, one in passes}
    numbers |= {rf"\boldsymbol{{\delta}}^{{1,{m}}}": np.array([one.delta1]).T for m, one in passes}
    numbers |= {rf"\boldsymbol{{\delta}}^{{2,{m}}}": np.array([[one.delta2]]) for m, one in passes}
    return numbers | {rf"\mathbf{{a}}^{{1,{m}}}": np.array([one.a1]).T for m, one in passes}


CHOSEN = parts_of_chosen() | chosen()
EXPECTED = chosen() | one_example() | differences() | whole_batch()
"""By name, every quantity that the page must state."""
VALUES = CHOSEN | columns_of_batch() | EXPECTED
WITHOUT_FORMULA = {*chosen(), r"\ell_{-}", r"\ell_{0}", r"\ell_{+}", r"\ell_{\mathrm{new}}", r"C_{\mathrm{new}}"}
TEN_DECIMALS = {r"\ell_{-}", r"\ell_{0}", r"\ell_{+}"}
NAMES = sorted((name for name in VALUES if not name.startswith("new ")), key=len, reverse=True)
NAME = re.compile("|".join(rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])" for name in NAMES))


def text(name: str) -> str:
    """The value as the page writes it, a matrix as [1,2;3,4]."""
    form = "g" if name in CHOSEN else ".10f" if name in TEN_DECIMALS else ".6f"
    value = VALUES[name]
    if not isinstance(value, np.ndarray):
        return f"{value:{form}}"
    return "[" + ";".join(",".join(f"{number:{form}}" for number in row) for row in value) + "]"


# How the page is read.


class Statement(NamedTuple):
    """`name = formula = numbers = result`; formula and numbers are empty where the page gives none."""

    name: str
    formula: str
    numbers: str
    result: str


def blocks(page: str) -> list[str]:
    return re.findall(r"^```math\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def statements(block: str) -> list[Statement]:
    """The statements of a block: one a line of the formula, where a line that begins with &= goes on."""
    flat = re.sub(r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", _flat_matrix, block, flags=re.DOTALL)
    flat = re.sub(r"\\(begin|end)\{aligned\}|\\left(?!arrow)|\\right|\[4pt\]", "", flat)
    lines = re.sub(r"\\\\\s*&=", "=", flat).replace("&", "").split(r"\\")
    return [_statement(line) for line in lines]


def _flat_matrix(match: re.Match[str]) -> str:
    return "[" + re.sub(r"\s", "", match[1].replace("&", ",").replace(r"\\", ";")) + "]"


def _statement(line: str) -> Statement:
    name, sign, rest = re.split(r"(=|\\leftarrow)", line, maxsplit=1)
    *formulas, result = (part.strip() for part in rest.split("="))
    # Of a formula that is a single name, the numbers are the result.
    formula, numbers = (*formulas, result)[:2] if formulas else ("", "")
    prefix = "new " if sign != "=" else ""
    return Statement(prefix + name.strip(), formula, re.sub(r"\s", "", numbers), result)


def in_numbers(formula: str) -> str:
    """The formula with every name replaced by its number, without spaces."""
    pieces, end = [], 0
    for match in NAME.finditer(formula):
        gap, value = formula[end : match.start()], text(match[0])
        is_product = end > 0 and gap.isspace() and not value.startswith("[")
        pieces += [r"\cdot" if is_product else gap, f"({value})" if value.startswith("-") else value]
        end = match.end()
    joined = re.sub(r"\s", "", "".join([*pieces, formula[end:]]))
    joined = re.sub(r"\(\((-[\d.]+)\)\)", r"(\1)", joined)
    joined = re.sub(r"^\((-[\d.]+)\)$", r"\1", joined)
    return re.sub(r"\((\[[^]]*\])\)(?=\^)", r"\1", joined)


def evaluated(formula: str) -> Any:
    """The value of a formula: its names mean VALUES; two neighbours are multiplied, two matrices as matrices."""
    code = NAME.sub(lambda match: _variable(match[0]), formula).replace(r"^{\top}", ".T")
    code = re.sub(r"e\^\{(.*?)\}", r"exp(\1)", code).replace(r"\lvert", "abs(").replace(r"\rvert", ")")
    code = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", code)
    code = re.sub(r"\\cdot|\\odot", "*", code)
    code = re.sub(r"\\(log|max|sigma)", r"\1", code)
    code = re.sub(r"(M\d+\)?(?:\.T)?)\s+(?=\(?M)", r"\1 @ ", code)
    code = re.sub(r"(?<=[\w)])\s+(?=[NM(]|log)", " * ", code)
    return eval(code, {"__builtins__": {}, **FUNCTIONS, **VARIABLES})


def _variable(name: str) -> str:
    return f"{'M' if isinstance(VALUES[name], np.ndarray) else 'N'}{NAMES.index(name):03}"


FUNCTIONS = {"log": np.log, "exp": np.exp, "max": max, "abs": abs, "sigma": lambda z: 1 / (1 + np.exp(-z))}
VARIABLES = {_variable(name): VALUES[name] for name in NAMES}


@cache
def problems(statement: Statement) -> list[str]:
    """What is wrong with a statement of the page."""
    name, formula, numbers, result = statement
    if name not in EXPECTED:
        return [f"{name}: no quantity of this page"]
    found = [] if result == text(name) else [f"{name} is {text(name)}; the page says {result or statement}"]
    if not formula:
        return found if name in WITHOUT_FORMULA else [*found, f"{name}: no formula"]
    if numbers != (expected := in_numbers(formula)):
        found.append(f"{name}: {formula} is in numbers {expected}; the page says {numbers}")
    return [*found, *_false(name, formula)]


def _false(name: str, formula: str) -> list[str]:
    try:
        value = evaluated(formula)
    except (SyntaxError, NameError, TypeError, ValueError) as error:
        return [f"{name}: {formula} cannot be evaluated: {error}"]
    # A matrix of one row and one column is a number.
    value, expected = np.squeeze(value), np.squeeze(EXPECTED[name])
    right = value.shape == expected.shape and np.allclose(value, expected, rtol=1e-9, atol=1e-15)
    return [] if right else [f"{name}: {formula} is {value}; it should be {expected}"]


def missing_from(page: str) -> set[str]:
    """Expected quantities that the page does not state."""
    return set(EXPECTED) - {one.name for block in blocks(page) for one in statements(block)}


# The tests.


@pytest.mark.parametrize("block", blocks(PAGE))
def test_every_statement_is_true(block):
    assert [problem for statement in statements(block) for problem in problems(statement)] == []


def test_every_quantity_is_stated():
    assert missing_from(PAGE) == set()
    assert {r"z_1^1", r"a_2^1", r"\ell", r"\delta_2^1", slope("w_{2,3}^1"), "new b_1^2", "C"} < set(EXPECTED)
    assert len(EXPECTED) == 83


def test_an_empty_page_misses_everything():
    assert missing_from("") == set(EXPECTED)


def test_no_decimal_stands_outside_the_compared_statements():
    prose = re.sub(r"^```math\n.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"(?<![P\d])\d+\.\d", prose) == []


@pytest.mark.parametrize("block", blocks(PAGE))
def test_a_changed_number_is_noticed(block):
    names = {one.name for one in statements(block)}
    for last_digit in last_digits(block):
        changed = block[:last_digit] + str((int(block[last_digit]) + 1) % 10) + block[last_digit + 1 :]
        found = statements(changed)
        assert {one.name for one in found} != names or any(map(problems, found)), changed


def last_digits(block: str) -> list[int]:
    """Where each number of a block ends; indices of names are no numbers."""
    without_names = NAME.sub(lambda match: " " * len(match[0]), block.replace("[4pt]", "     "))
    return [match.end() - 1 for match in re.finditer(r"\d+(\.\d+)?", without_names)]


def test_hundreds_of_numbers_were_changed():
    assert sum(len(last_digits(block)) for block in blocks(PAGE)) > 450


@pytest.fixture
def network():
    made = Network(
        3,
        [Dense(2, "sigmoid"), Dense(1, "sigmoid")],
        loss="summed_binary_crossentropy",
        optimizer=SGD(LEARNING_RATE),
        dtype="float64",
    )
    made.parameters.set([(np.array(W1), np.array(B1)), (np.array(W2), np.array(B2))])
    return made


@pytest.mark.parametrize(("examples", "expected"), [(1, one_example()), (2, whole_batch())], ids=["one", "batch"])
def test_scratchnet_finds_the_same(network, examples, expected):
    inputs, targets = X[:examples], [[y] for y in Y[:examples]]
    flat = update([run(x, y) for x, (y,) in zip(inputs, targets, strict=True)], inputs)
    gradient, after = (np.concatenate([np.hstack([W, np.array([b]).T]).ravel() for W, b in pairs(p)]) for p in flat)
    of, new = (r"\ell", r"\ell_{\mathrm{new}}") if examples == 1 else ("C", r"C_{\mathrm{new}}")

    assert network.cost(inputs, targets) == pytest.approx(expected[of], rel=1e-13)
    np.testing.assert_allclose(network.gradient(inputs, targets), gradient, rtol=1e-13, atol=1e-16)
    network.train_epoch(network.prepare(inputs, targets), np.arange(examples), examples)
    np.testing.assert_allclose(network.parameters.vector, after, rtol=1e-13)
    assert network.cost(inputs, targets) == pytest.approx(expected[new], rel=1e-13)


def pairs(parts):
    return (parts[0], parts[1]), (parts[2], parts[3])
