"""Statements of the derivation that a small computation decides, each looked up in its page."""

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

DERIVATION = Path(__file__).resolve().parents[2] / "docs" / "derivation"


def page(name):
    """Its words, whatever the line breaks."""
    return " ".join((DERIVATION / f"{name}.md").read_text("utf-8").split())


def test_inputs_of_mean_0_do_not_give_tanh_a_mean_of_0():
    z, probability = np.array([2.0, -1.0]), np.array([1 / 3, 2 / 3])
    assert z @ probability == pytest.approx(0, abs=1e-15)
    assert f"the mean of their tanh is $`{np.tanh(z) @ probability:.3f}`$" in page("activations")


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_which_form_of_the_sigmoid_is_not_a_number():
    z = np.float32(100)
    assert np.isnan(np.exp(z) / (1 + np.exp(z)))
    assert 1 / (1 + np.exp(-z)) == 1
    assert "The form $`e^z / (1 + e^z)`$ overflows" in page("activations")
    assert "does not: it is exact there" in page("activations")


def test_the_median_of_targets_that_repeat():
    y = np.array([0.0, 0.0, 1.0])
    answers = np.linspace(-1, 2, 301)
    best = answers[np.argmin([np.abs(y - answer).mean() for answer in answers])]
    assert best == pytest.approx(0)
    assert ((y < 0).mean(), (y > 0).mean()) == (0, 1 / 3)
    assert "For the targets 0, 0 and 1 that is $`c = 0`$" in page("output-layer")
    assert r"$`P(y < 0) = 0`$ and $`P(y > 0) = \frac{1}{3}`$" in page("output-layer")


@pytest.mark.parametrize("kappa", [1.0, 3.0, 100.0])
def test_the_best_single_rate_multiplies_the_slowest_coordinate(kappa):
    eigenvalues = np.array([1.0, kappa])
    factors = np.abs(1 - 2 / eigenvalues.sum() * eigenvalues)
    np.testing.assert_allclose(factors, (kappa - 1) / (kappa + 1))
    assert r"the slowest coordinate is multiplied by $`(\kappa - 1) / (\kappa + 1)`$ in a step" in page(
        "gradient-descent"
    )


def test_the_sum_of_the_losses_of_all_labels_is_one_sum():
    z, y = np.array([2.0, -1.5, 0.3]), np.array([1.0, 0.0, 1.0])
    a = 1 / (1 + np.exp(-z))
    expected = -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a))
    assert np.sum(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))) == pytest.approx(expected)
    term = r"\Bigl( \max(z_i, 0) - z_i \, y_i + \log \bigl( 1 + e^{-\lvert z_i \rvert} \bigr) \Bigr)"
    assert rf"\ell = \sum_{{i=1}}^{{n_L}} {term}" in page("output-layer")


def test_the_products_of_a_backward_pass_are_counted_without_the_bias_where_the_error_goes_on():
    assert r"M \sum_{l=2}^{L} n_l \, n_{l-1} && \text{BP2.2}" in page("why-backpropagation")
    n = (784, 30, 10)
    forward = sum(above * (below + 1) for below, above in pairwise(n))
    backward = forward + sum(above * below for below, above in pairwise(n[1:]))
    assert f"only {backward / forward:.2f} for 784-30-10" in page("why-backpropagation")


def test_the_index_counts_the_numbered_equations():
    tags = [set(re.findall(r"\\tag\{([^}]*)\}", path.read_text("utf-8"))) for path in DERIVATION.glob("*.md")]
    listed = re.findall(r"^id = ", (DERIVATION.parent / "equations.toml").read_text("utf-8"), re.MULTILINE)
    assert f"(1) to (51) and BP1.1 to BP4.2, {len(listed)} in all" in page("index")
    assert f"The pages number {sum(map(len, tags))} equations" in page("index")


def test_every_reference_is_cited_and_every_citation_listed():
    pages = {path.name: path.read_text("utf-8") for path in DERIVATION.glob("*.md")}
    headings = re.findall(r"^### (.*)$", pages["references.md"], re.MULTILINE)
    listed = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    cited = set(re.findall(r"references\.md#([a-z0-9-]+)", " ".join(pages.values())))
    within = set(re.findall(r"\]\(#([a-z0-9-]+)\)", pages["references.md"]))
    assert listed - cited - within == set()
    assert cited - listed == set()


@pytest.mark.parametrize("symbol", ["eta", "mu", "rho", "beta", "lambda", "kappa"])
def test_a_greek_letter_of_a_setting_stands_in_the_notation(symbol):
    assert f"`\\{symbol}" in page("index") or f"\\{symbol}_" in page("index")
