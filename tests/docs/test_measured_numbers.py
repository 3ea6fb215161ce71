"""Every measured number of three pages of the derivation is the one in the JSON that its script wrote.

Fed by docs/derivation and docs/experiments/results; what a page must contain is written here from the numbers alone.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DOCS = Path(__file__).parents[2] / "docs"
MINUS = str.maketrans("-", "−")


def page(name: str) -> str:
    """A page's text, with line breaks as spaces."""
    return " ".join((DOCS / "derivation" / f"{name}.md").read_text("utf-8").split())


def result(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DOCS / f"experiments/results/{name}.json").read_text("utf-8"))
    return loaded


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def gradient_descent() -> Iterator[str]:
    numbers = result("batch_sizes")
    variance = numbers["variance"]
    costs = ("cost_after_one_epoch", "cost_after_all_epochs", "cost_after_100_steps", "cost_after_2000_steps")
    for line in numbers["table"]:
        sizes = (f"{line['batch_size']:,}", f"{line['steps_an_epoch']:,}")
        yield row(*sizes, *(f"{line[name]:.3f}" for name in costs))
    yield f"the first {numbers['examples']:,} digits"
    yield rf"$`\eta = {numbers['learning_rate']}`$ for all"
    yield f"It starts at {numbers['initial_cost']:.3f}."
    yield f"after {numbers['epochs']} epochs"
    yield f"after {numbers['steps']:,} steps"
    yield f"{numbers['draws']} draws for each of {len(variance['batch_size'])} batch sizes"
    yield f"the fitted exponent is {variance['exponent']:.2f}".translate(MINUS)
    yield f"({variance['exponent_of_prediction']:.2f} predicted".translate(MINUS)
    yield f"off the predicted one by more than {np.ceil(1000 * variance['largest_ratio_error']) / 10:.1f} %"


def why_backpropagation() -> Iterator[str]:
    numbers = result("why_backpropagation")
    for size in numbers["sizes"]:
        yield row(
            str(size["n"]),
            f"{size['parameters']:,}",
            spread(size["differences_to_forward"], ",.0f"),
            spread(size["backward_to_forward"], ".2f"),
            spread(size["differences_to_backpropagation"], ",.0f"),
        )
    for label, name in (("forward, (50)", "forward"), ("central", "central")):
        found = numbers["errors"][f"{name}_summary"]
        yield row(label, f"{found['order']:.2f}", f"{found['best_epsilon']:.0e}", f"{found['least_error']:.1e}")
    last = numbers["sizes"][-1]
    gain = last["differences_to_backpropagation"]["median"]
    yield f"{gain:,.0f} times less work at {last['parameters']:,} parameters"
    yield f"like $`P^{{{numbers['exponents']['differences']:.2f}}}`$, those of backpropagation"
    yield f"$`P^{{{numbers['exponents']['backpropagation']:.2f}}}`$, and the quotient"
    yield f"quotient of the two like $`P^{{{numbers['exponents']['quotient']:.2f}}}`$"
    yield f"the {last['multiply_adds_backward_to_forward']:.2f} of (F6)"
    yield f"a batch of {numbers['examples']} examples"


def spread(value: dict[str, float], form: str) -> str:
    return f"{value['median']:{form}} ({value['least']:{form}} to {value['most']:{form}})"


def keras() -> Iterator[str]:
    """Sizes of a rounding to float32: no measurement, but numbers all the same."""
    for label, value in (("SGD's `momentum` 0.9", 0.9), ("`weight_decay` 0.004", 0.004)):
        yield row(label, "yes", rounding(value))
    yield row("L1's and L2's factor 0.001", "yes", rounding(0.001))
    yield row("slope of `leaky_relu`, 0.2", "yes", rounding(0.2))
    yield row(r"$`\sqrt{1/2}`$ in the exact GELU", "yes", rounding(np.sqrt(0.5)))
    yield f"in float32 | {rounding(0.1)} |"
    yield f"a rate of 0.1 is off by {float(rounding(0.1)):.1e}".replace("e-0", "e-")
    beta_1, beta_2 = float(np.float32(0.9)), float(np.float32(0.999))
    rate = np.sqrt(1 - beta_2) / (1 - beta_1) / (np.sqrt(1 - 0.999) / (1 - 0.9))
    yield f"| {abs(rate - 1):.1e} of $`\\alpha_1`$ |"


def rounding(value: float) -> str:
    return f"{abs(float(np.float32(value)) / value - 1):.1e}"


PAGES = {"gradient-descent": gradient_descent, "why-backpropagation": why_backpropagation, "keras": keras}
STATEMENTS = [(name, text) for name, statements in PAGES.items() for text in statements()]


@pytest.mark.parametrize(("name", "text"), STATEMENTS)
def test_a_page_says_what_was_measured(name: str, text: str) -> None:
    assert text in page(name)


@pytest.mark.parametrize(("name", "least"), [("gradient-descent", 13), ("why-backpropagation", 12), ("keras", 8)])
def test_a_page_is_compared_in_so_many_places(name: str, least: int) -> None:
    assert sum(name == other for other, _ in STATEMENTS) >= least


@pytest.mark.parametrize("network", ["784-30-10", "784-128-10", "784-512-512-10"])
def test_the_page_of_speed_says_what_the_formulations_took(network: str) -> None:
    spreads = [spread(value, ",.0f") for value in result("formulations")["microseconds"][network].values()]
    assert row(network, *spreads) in (DOCS / "speed.md").read_text("utf-8")


@pytest.mark.parametrize(("backend", "label"), [(name, f"`{name}`") for name in ("scratchnet", "tf-graph", "tf-xla")])
def test_the_page_of_parity_says_how_exact_float32_is(backend: str, label: str) -> None:
    measured, text = result("float32_error"), (DOCS / "parity.md").read_text("utf-8")
    assert row(label, *(f"{measured['errors'][backend][name]:.2e}" for name in ("relu", "tanh"))) in text
    assert f"over {measured['steps']:,} steps, the median over {measured['seeds']} seeds" in " ".join(text.split())


@pytest.mark.parametrize("noise", ["normal", "heavy tails", "unlucky"])
def test_the_page_of_histories_says_how_often_a_step_is_wrong_or_found(noise: str) -> None:
    measured, text = result("history_steps"), (DOCS / "history.md").read_text("utf-8")
    found = (f"{measured['found'][noise][step]:.0f} %" for step in ("2", "3", "5", "10"))
    assert row(noise, f"{measured['false'][noise]:.1f} %", *found) in text
    *first, last = (f"{value:.1f}" for value in measured["false of eight runs"].values())
    words = " ".join(text.split())
    assert f"With 8 runs, {', '.join(first)} and {last} % of histories without a step have a false one." in words
    assert f"{measured['false of drifting']:.0f} % of histories without a change" in words


def test_no_table_of_measurements_has_a_row_that_is_not_compared() -> None:
    compared = [text for _, text in STATEMENTS if text.startswith("| ")]
    for name, first, rows in (("gradient-descent", "| 1 | 10,240", 4), ("why-backpropagation", "| 12 |", 4)):
        lines = (DOCS / "derivation" / f"{name}.md").read_text("utf-8").splitlines()
        start = next(i for i, line in enumerate(lines) if line.startswith(first))
        table = [line for line in lines[start : start + rows + 1] if line.startswith("|")]
        assert len(table) == rows
        assert set(table) <= set(compared)
