"""Statements of the derivation that a computation decides: each is computed here and looked up in its page."""

import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
DERIVATION = DOCS / "derivation"
MATH = re.compile(r"```math\n(.*?)```", re.DOTALL)
TAG = re.compile(r"\\tag\{([^}]+)\}")
CITATION = re.compile(r"references\.md#([\w-]+)")
INLINE = re.compile(r"\$`([^`]+)`\$")
NO_SYMBOL = re.compile(r"\\(?:mathrm|text|begin|end|tag)\{[^}]*\}|\\\\\[\w+\]|\\[a-zA-Z]+")
"""Words, names of environments and numbers of equations, distances, commands."""
GREEK = re.compile(
    r"\\(alpha|beta|gamma|[dD]elta|epsilon|eta|theta|vartheta|kappa|lambda|mu|rho|sigma|tau|[pP]hi|varphi)(?![a-zA-Z])"
)


def page(name):
    """A page's text, with line breaks as spaces."""
    return " ".join((DERIVATION / f"{name}.md").read_text("utf-8").split())


def displays(path):
    return MATH.findall(path.read_text("utf-8"))


def display(name, tag):
    return next(text for text in displays(DERIVATION / f"{name}.md") if rf"\tag{{{tag}}}" in text)


def latin(formulas):
    """The letters that stand for something, whatever their face."""
    return {letter for text in formulas for letter in re.findall("[a-zA-Z]", NO_SYMBOL.sub(" ", text))}


def anchor(heading):
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def precision(scores, truth, threshold):
    chosen = [true for score, true in zip(scores, truth, strict=True) if score > threshold]
    return sum(chosen) / len(chosen)


def test_two_examples_are_enough_for_a_precision_that_falls():
    assert [precision([0.9, 0.8], [0, 1], threshold) for threshold in (0.75, 0.85)] == [0.5, 0.0]
    text = page("output-layer")
    assert "has two examples: scores 0.9 (no) and 0.8 (yes)" in text
    assert "1/2 for a threshold of 0.75, and 0 for 0.85" in text


def test_recall_never_rises():
    assert "Recall never rises." in page("output-layer")


def test_tanh_of_mean_0_has_another_mean():
    z, weights = np.array([2.0, -1.0]), np.array([1, 2]) / 3
    assert abs(weights @ z) < 1e-15
    mean = f"{weights @ np.tanh(z):.3f}".replace("-", "−")
    assert f"tanh has mean {mean}" in page("activations")


def test_the_sigmoid_that_gives_nan_is_the_other_form():
    z = np.float32(100)
    with np.errstate(over="ignore", invalid="ignore"):
        exponential = np.exp(z)
        assert np.isnan(exponential / (1 + exponential))
        assert 1 / (1 + np.exp(-z)) == 1
    assert "The formulas are $`e^z / (1 + e^z)`$ for the sigmoid" in page("activations")
    assert "(51) itself is right there" in page("activations")


def test_the_absolute_error_has_its_least_at_a_median_of_discrete_targets_too():
    y = np.array([0, 0, 1])
    costs = [np.abs(c - y).mean() for c in np.linspace(-1, 2, 301)]
    assert np.argmin(costs) == 100  # c = 0
    assert np.mean(y < 0) == 0 != np.mean(y > 0)
    text = page("output-layer")
    assert "For the targets 0, 0, 1 the median is 0, with $`P(y < 0) = 0`$ and $`P(y > 0) = 1/3`$." in text


@pytest.mark.parametrize("kappa", [3, 10])
def test_the_best_rate_multiplies_the_error_by(kappa):
    H = np.diag([1.0, kappa])
    rates = np.linspace(0.01, 2 / kappa, 20001)
    factors = np.abs(1 - rates[:, None] * np.diag(H)).max(axis=1)
    assert abs(factors.min() - (kappa - 1) / (kappa + 1)) < 1e-3
    text = page("gradient-descent")
    assert r"multiplies the error along these two by $`(\kappa - 1) / (\kappa + 1)`$ a step" in text


def backward_to_forward(*widths):
    """Multiply-adds of (F6): BP3.2 with BP4.2 in each layer, BP2.2 above layer 1."""
    layers = list(zip(widths[1:], widths[:-1], strict=True))
    forward = sum(n * (below + 1) for n, below in layers)
    return (forward + sum(n * below for n, below in layers[1:])) / forward


def test_the_count_of_a_backward_pass():
    _, _, error = display("why-backpropagation", "F6").splitlines()[1:4]
    assert r"n_l \, n_{l-1}" in error
    text = page("why-backpropagation")
    assert f"{backward_to_forward(784, 30, 10):.2f} for 784-30-10" in text
    assert f"nearly {backward_to_forward(*[10**6] * 5):.2f} for four equal layers" in text


def test_the_sum_of_o7_is_over_the_whole_term():
    assert re.search(r"\\sum_\{i=1\}\^\{n_L\} *\\Bigl\(.*\\Bigr\)", display("output-layer", "O7"))


def test_the_sums_over_threads_are_the_whole_t11_and_t12():
    rng, parts = np.random.default_rng(0), ([0, 1, 2], [3, 4])
    W, A = rng.normal(size=(3, 6)), np.vstack([rng.normal(size=(5, 4)), np.ones(4)])
    columns = [[*parts[0]], [*parts[1], 5]]  # the biases go with the last share
    np.testing.assert_allclose(sum(W[:, own] @ A[own] for own in columns), W @ A, rtol=1e-13)
    W, delta = rng.normal(size=(5, 7)), rng.normal(size=(5, 4))
    np.testing.assert_allclose(sum(W[own].T @ delta[own] for own in parts), W.T @ delta, rtol=1e-13)
    assert r"\sum_{q=1}^{Q} \tilde{\mathbf{W}}^L_{\cdot R_q}" in display("training-step", "T11")
    assert r"\sum_{q=1}^{Q} (\mathbf{W}^l_{R_q})^{\top}" in display("training-step", "T12")


def test_the_worked_example_names_the_equation_that_it_uses():
    assert "The error of the output in two steps, (32) and then (31):" in page("worked-example")


def errors_of_the_map():
    """The rows of the map whose equation begins with an error, as row or column."""
    found = {tag: text for text in displays(DERIVATION / "backward.md") for tag in TAG.findall(text)}
    for entry in tomllib.loads((DOCS / "equations.toml").read_text("utf-8"))["equation"]:
        text = found.get(entry["id"], "")
        if re.match(r"\(?\\boldsymbol\{\\delta\}", text):
            yield pytest.param(text, entry["shape"], id=entry["id"])


@pytest.mark.parametrize(("text", "shape"), list(errors_of_the_map()))
def test_the_map_has_the_shape_of_the_page(text, shape):
    assert shape.startswith("`(1, ") == text.startswith("("), "a row where the page has a column, or the reverse"


def test_the_map_says_what_it_holds():
    tags = [tag for path in DERIVATION.glob("*.md") for text in displays(path) for tag in TAG.findall(text)]
    rows = tomllib.loads((DOCS / "equations.toml").read_text("utf-8"))["equation"]
    assert f"holds {len(rows)} of the {len(tags)} numbered equations" in page("index")


def cited():
    paths = [path for path in DOCS.rglob("*.md") if path.name != "references.md"]
    return {name for path in paths for name in CITATION.findall(path.read_text("utf-8"))}


def listed():
    return {anchor(name) for name in re.findall("^### (.*)$", (DERIVATION / "references.md").read_text("utf-8"), re.M)}


def test_every_reference_is_cited_and_every_citation_is_listed():
    assert listed() == cited()


@pytest.mark.parametrize("path", sorted(DERIVATION.glob("*.md")), ids=lambda path: path.stem)
def test_the_notation_names_every_letter_of_a_display_latin_ones_or_a_sentence_of_its_page(path):
    notation = (DERIVATION / "index.md").read_text("utf-8").partition("## Notation")[2].partition("## Beside")[0]
    used = {letter for text in displays(path) for letter in GREEK.findall(text)}
    assert used - set(GREEK.findall(notation)) == set()
    said = INLINE.findall(notation) + INLINE.findall(path.read_text("utf-8"))
    assert latin(displays(path)) - latin(said) == set()
