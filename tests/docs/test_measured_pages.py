"""Every measured number of activations.md, initialization.md and output-layer.md is the one its script wrote as JSON.

Fed by docs/derivation and docs/experiments/results. Tables and phrases are written here from the numbers alone; in a
section on something measured no other number may stand; and each number, changed in a copy, must be found.
"""

import json
import math
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from scratchnet.losses import LOSSES
from scratchnet.metrics import precision_recall_curve

DOCS = Path(__file__).parents[2] / "docs"
NUMBER = re.compile(r"(?<![\w.^])\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]\d+)?")
MEASURED = re.compile(r"^#+ [^\n]*measured.*?(?=^#|\Z)", re.MULTILINE | re.DOTALL | re.IGNORECASE)
"""A section whose heading says so, up to the next heading."""
NO_PROSE = re.compile(r"```.*?```|\$`.*?`\$|`[^`]*`|!?\[[^\]]*\]\([^)]*\)|\([A-Z]?\d+\)", re.DOTALL)
"""Formulas, code, links and the numbers of equations."""


class Expected(NamedTuple):
    """What a page must contain: by the first line of each table its rows, and phrases of its text."""

    tables: dict[str, list[str]]
    phrases: list[str]


def result(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DOCS / f"experiments/results/{name}.json").read_text("utf-8"))
    return loaded


def page(name: str) -> str:
    return (DOCS / "derivation" / f"{name}.md").read_text("utf-8")


def row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def shown(value: float | str, form: str = ".4g") -> str:
    """A number as the pages have it, with a minus sign; "nan" and "inf" are text in the JSON."""
    text = value if isinstance(value, str) else f"{value:{form}}" if value else "0"
    return re.sub(r"^-", "−", text)


def percent(share: float, form: str = ".2f") -> str:
    return f"{100 * share:{form}}"


def activations() -> Expected:
    numbers = result("activations")
    values = ("textbook", "computed", "exact")
    shifts = {"nothing": "without", "the largest z of the batch": "batch", "the largest z of each example": "own"}
    places = ("f_least", "slope_least", "slope_most")
    tables = {
        "| activation | z | textbook | scratchnet | exact |": [
            row(one["activation"], shown(one["z"], "g"), *(shown(one[key]) for key in values))
            for one in numbers["careless"]
        ],
        "| subtracted | outputs |": [
            row(name, ", ".join(shown(a, ".3f") for a in numbers["softmax_shifts"][key]))
            for name, key in shifts.items()
        ],
        "| activation | z | slope from a | exact |": [
            row(one["activation"], shown(one["z"], "g"), shown(one["computed"], ".3e"), shown(one["exact"], ".3e"))
            for one in numbers["slopes"]
        ],
        "| activation | least f | at z | least slope | at z | greatest slope | at z |": [
            row(
                one["activation"],
                *(shown(one[key][part], form) for key in places for part, form in (("value", ".4f"), ("z", ".2f"))),
            )
            for one in numbers["extremes"]
        ],
    }
    return Expected(tables, [*ranges(numbers["extremes"]), *overflows()])


def ranges(extremes: list[dict[str, Any]]) -> Iterator[str]:
    """The cells of the summary that come from the same grid."""
    for one in extremes:
        least, low, high = (one[key]["value"] for key in ("f_least", "slope_least", "slope_most"))
        yield rf"| $`[{least:.3f}, \infty)`$ | $`[{low:.3f}, {high:.3f}]`$ |"


def overflows() -> Iterator[str]:
    yield f"below $`z = -{math.log(np.finfo(np.float32).max):.1f}`$ in float32"
    yield f"below $`-{math.log(np.finfo(np.float64).max):.1f}`$ in float64"


def initialization() -> Expected:
    gradient, symmetry = result("vanishing_gradient"), result("symmetry_breaking")
    predicted = {
        ("sigmoid", "glorot_uniform"): f"at most {1 / 4:.3f}",
        ("sigmoid", "he_uniform"): f"at most {math.sqrt(2) / 4:.3f}",
        ("tanh", "he_uniform"): "nothing",
    }
    names = ("activation", "initializer")
    tables = {
        "| activation | initializer | layer 1 | layer 6 | layer 11 | factor | predicted |": [
            row(
                *(one[name] for name in names),
                *(f"{one[layer]:#.2g}" for layer in ("first", "middle", "last")),
                f"{one['factor']:.3f}",
                predicted.get((one["activation"], one["initializer"]), f"{1:.3f}"),
            )
            for one in gradient["results"]
        ],
        "| activation | initializer | after 1 epoch | after 5 epochs | least | most | different answers |": [
            row(
                *(one[name] for name in names),
                percent(one["after_first_epoch"]),
                *(percent(one["accuracy"][key]) for key in ("mean", "least", "most")),
                max(one["answers"]),
            )
            for one in gradient["results"]
        ],
        "| activation | start | largest difference of rows | rank | accuracy |": [
            row(
                one["activation"],
                one["start"],
                shown(one["largest_row_difference"], ".3f"),
                " to ".join(map(str, sorted({min(one["ranks"]), max(one["ranks"])}))),
                percent(one["accuracy"]),
            )
            for one in symmetry["results"]
        ],
    }
    phrases = [*gradient_settings(gradient["settings"]), *symmetry_settings(symmetry["settings"])]
    return Expected(tables, phrases)


def gradient_settings(of: dict[str, Any]) -> Iterator[str]:
    width, layers, seeds = of["neurons"], of["hidden_layers"], of["seeds"]
    yield f"784 inputs, {layers} hidden layers of {width} neurons, 10 outputs"
    yield f"the cost of {of['gradient_examples']:,} examples; medians over {seeds} seeds"
    yield f"over layers {layers} to 2, which are all {width} × {width}"
    yield "nearly linear, it is 1;"
    yield f"learning rate {of['learning_rate']}, batches of {of['batch_size']},"
    yield f"{of['epochs']} epochs of all 60,000 digits"
    yield f"over the {seeds} seeds"


def symmetry_settings(of: dict[str, Any]) -> Iterator[str]:
    yield f"MNIST, {'-'.join(map(str, of['widths']))} with softmax, SGD with learning rate {of['learning_rate']},"
    yield f"batches of {of['batch_size']}, {of['epochs']} epochs, {of['seeds']} seeds"
    yield f"every weight is {of['equal']}, random biases are normal with standard deviation {of['bias_sigma']},"
    yield f"looked for every {of['steps_between_looks']} steps"
    yield f"is {percent(of['most_frequent_class'])} % of the test set"
    yield "not small, it is 0:"


def output_layer() -> Expected:
    numbers, founding = result("thresholds"), result("founding_accuracy")
    counts = ("true_positives", "false_positives", "false_negatives")
    digits = [numbers["counterexamples"][digit] for digit in (numbers["settings"]["digit"], numbers["deepest_digit"])]
    shares = ("accuracy", "binary_accuracy", "micro_precision", "micro_recall", "macro_precision", "macro_recall")
    tables = {
        "| loss | best constant answer |": best_constants(),
        "| threshold | TP | FP | FN | precision | recall |": [
            row(
                one["threshold"],
                *(f"{one[key]:,}" for key in counts),
                *(f"{one[key]:.4f}" for key in ("precision", "recall")),
            )
            for one in numbers["table"]
        ],
        "| digit | threshold | TP | FP | precision | recall |": [
            row(
                one["digit"],
                f"{one[end]['threshold']:.4f}",
                *(one[end][key] for key in counts[:2]),
                *(f"{one[end][key]:.4f}" for key in ("precision", "recall")),
            )
            for one in digits
            for end in ("low", "high")
        ],
        "| outputs | accuracy | each output alone | micro precision | recall | macro precision | recall | w | u |": [
            row(one["name"], *(percent(one[key]) for key in (*shares, "wrong_above", "none_above")))
            for one in founding["rows"]
        ],
    }
    return Expected(
        tables,
        [
            *threshold_phrases(numbers, *digits),
            *founding_phrases(founding),
            f"which is {math.log((0.9 + 0.1 / 10) / (0.1 / 10)):.2f} for $`s = 0.1`$ and ten classes",
        ],
    )


def best_constants() -> list[str]:
    """The constant answer with the least loss over five targets, searched among thousandths."""
    Y, answers = np.array([[0.0, 0.2, 0.5, 0.9, 10.0]]), np.arange(0.0, 10.0, 0.001)
    labels = {
        "mean_squared_error": "`mean_squared_error`: the mean",
        "huber": r"`huber`, $`\tau = 1`$",
        "mean_absolute_error": "`mean_absolute_error`: the median",
    }
    costs = {name: [LOSSES[name]().per_example(np.full_like(Y, c), Y).mean() for c in answers] for name in labels}
    return [row(label, f"{answers[np.argmin(costs[name])]:.2f}") for name, label in labels.items()]


def threshold_phrases(numbers: dict[str, Any], judged: dict[str, Any], deepest: dict[str, Any]) -> Iterator[str]:
    of, digit = numbers["settings"], judged["digit"]
    yield f"784-{of['hidden']}-10 on real MNIST"
    yield f"SGD with learning rate {of['learning_rate']}, batches of {of['batch_size']}, {of['epochs']} epoch ("
    yield f"output of the {digit} alone is judged, on the {of['examples']:,} test digits, of which {of['positives']}"
    yield f"{of['positives']} are an {digit}:"
    yield f"under its ROC curve is {numbers['roc_auc']:.4f} ("
    yield f"precision falls in {judged['precision_falls']} of {judged['steps']:,} steps, and recall rises in"
    yield f"recall rises in {judged['recall_rises']}."
    yield f"falls little for the {digit}. It falls deepest for the {deepest['digit']}, whose"
    chosen = deepest["high"]["true_positives"] + deepest["high"]["false_positives"]
    assert deepest["high"]["false_positives"] == 1
    yield f"whose {chosen} highest scores include one digit that is none"
    dropped = deepest["low"]["true_positives"] - deepest["high"]["true_positives"]
    assert deepest["low"]["false_positives"] == deepest["high"]["false_positives"]
    yield f"two thresholds of the {deepest['digit']}, no false positive is dropped, and {dropped} true ones are"


def founding_phrases(founding: dict[str, Any]) -> Iterator[str]:
    of, rows = founding["settings"], {one["name"]: one for one in founding["rows"]}
    gain, flattered = (rows["trained"][key] - rows["untrained"][key] for key in ("accuracy", "binary_accuracy"))
    yield f"{'-'.join(map(str, of['widths']))} with {', '.join(of['activations'])}, SGD with learning rate"
    yield f"SGD with learning rate {of['learning_rate']}, batches of {of['batch_size']}, {of['epochs']} epochs, trained"
    yield f"mean of {of['seeds']} seeds"
    yield "ten outputs of 0:"
    yield "the share of the digit 0."
    yield f"true accuracy by {percent(gain)} points and the other by {percent(flattered)}."


PAGES: dict[str, Callable[[], Expected]] = {
    "activations": activations,
    "initialization": initialization,
    "output-layer": output_layer,
}
LEAST = {"activations": 55, "initialization": 130, "output-layer": 120}


def rows_below(header: str, text: str) -> list[str]:
    """The rows of the table that begins with that line."""
    lines = text.splitlines()
    rows = []
    for line in lines[lines.index(header) + 2 :] if header in lines else []:
        if not line.startswith("|"):
            break
        rows.append(line)
    return rows


def flat(text: str) -> str:
    """A text with line breaks as spaces."""
    return " ".join(text.split())


def compared(expected: Expected, text: str) -> set[tuple[int, int]]:
    """Start and end of each number in the expected rows and phrases, as they stand in the page's text."""
    found = set()
    for piece in (*(row for rows in expected.tables.values() for row in rows), *expected.phrases):
        for place in re.finditer(r"\s+".join(map(re.escape, piece.split())), text):
            found |= {number.span() for number in NUMBER.finditer(text, *place.span())}
    return found


def unexplained(expected: Expected, text: str) -> list[str]:
    """Numbers in the sections on something measured that are in no expected row, phrase or first line of a table."""
    prose = NO_PROSE.sub(lambda found: " " * len(found[0]), text)
    for header in expected.tables:
        prose = prose.replace(header, " " * len(header))
    numbers = {
        number.span() for section in MEASURED.finditer(text) for number in NUMBER.finditer(prose, *section.span())
    }
    return [text[start:end] for start, end in sorted(numbers - compared(expected, text))]


def mistakes(expected: Expected, text: str) -> list[str]:
    """Where a page parts from the numbers."""
    found = [header for header, rows in expected.tables.items() if rows_below(header, text) != rows]
    found += [phrase for phrase in expected.phrases if phrase not in flat(text)]
    return found + unexplained(expected, text)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_was_measured(name: str) -> None:
    assert mistakes(PAGES[name](), page(name)) == []


@pytest.mark.parametrize("name", PAGES)
def test_so_many_numbers_are_compared_and_a_change_of_any_is_found(name: str) -> None:
    expected, text = PAGES[name](), page(name)
    numbers = compared(expected, text)
    assert len(numbers) >= LEAST[name]
    for start, end in numbers:
        other = str((int(text[end - 1]) + 1) % 10)
        changed = text[: end - 1] + other + text[end:]
        assert mistakes(expected, changed), f"{text[start - 20 : end + 20]!r} could end in {other}"


def test_the_constructed_example_of_falling_precision() -> None:
    thresholds, precision, recall = precision_recall_curve(np.array([0.9, 0.8]), np.array([False, True]))
    assert thresholds.tolist() == [0.8, 0.9]
    assert precision.tolist() == pytest.approx([1 / 2, 0])
    assert recall.tolist() == [1, 0]
    assert "The precision is 1/2 for a threshold of 0.75, and 0 for 0.85." in flat(page("output-layer"))
