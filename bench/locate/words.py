"""The sentences of the report, which every form of it shares."""

from collections.abc import Iterator

import numpy as np

from bench.core.address import page
from bench.core.text import one_line
from bench.locate.document import Document, Finding, Reason, joined

KINDS = {
    "mistake": "mistake",
    "convention": "convention",
    "overflow": "large numbers",
    "precision": "precision",
}
UNKNOWN = {
    "mistake": "the equation is wrong in a way of its own",
    "convention": "the definition is one of your own",
    "overflow": "the equation is right elsewhere, and loses large numbers in a way of its own",
    "precision": "no equation is wrong",
}
"""Kind of a finding → what is said where no cause is known."""
MOST_CAUSES = 4
DIGITS, SAME_DIGITS = 9, 5e-7
"""Digits of a number; a ratio nearer to 1 would be shown as 1."""
DERIVED = "Derived in"


def headline(document: Document) -> str:
    """The first sentence."""
    name = one_line(document.subject, 80)
    if document.mistakes:
        first = document.mistakes[0]
        more = len(document.mistakes) - 1
        others = f" ({more} more below)" if more else ""
        blamed = f"{first.equation}, {first.title}{at_layer(first)}{or_else(first)}"
        return f"{name}: {first.tensor} is wrong: {blamed}{others}."
    if document.findings:
        said = joined(dict.fromkeys(KINDS[finding.kind] for finding in document.findings))
        return f"{name}: no mistake found; see what is said of: {said}."
    return f"{name} computes what the derivation computes: every tensor agrees in {document.steps} steps."


def at_layer(finding: Finding) -> str:
    """` in layer 2`, or nothing."""
    layers = {layer for reason in finding.causes[:1] for layer in reason.layers}
    if len(layers) > 1:
        return f" in layers {joined(map(str, sorted(layers)))}"
    return f" in layer {finding.layer}" if finding.layer else ""


def or_else(finding: Finding) -> str:
    """`; or (D2)`: the equations of the other causes, or nothing."""
    others = dict.fromkeys(reason.equation for reason in finding.causes if reason.equation != finding.equation)
    return "".join(f"; or {equation}" for equation in others)


def title(finding: Finding) -> str:
    """`Mistake: BP3.2, gradient of the weights in layer 2`."""
    return f"{KINDS[finding.kind].capitalize()}: {finding.equation}, {finding.title}{at_layer(finding)}"


def number(value: float, digits: int = DIGITS) -> str:
    """Enough digits to see where two numbers part, as a rule."""
    return f"{value + 0.0:.{digits}g}".replace("-", "−")  # a sum with 0 is never −0


def ratio(finding: Finding) -> str:
    """Yours over expected, in words, or why there is none."""
    if finding.ratio is None:
        return "no ratio" if np.isfinite(finding.yours) else "not a finite number"
    off = abs(finding.ratio - 1.0)
    if off < SAME_DIGITS:
        return f"off by {off:.0e} of it"
    return f"{finding.ratio + 0.0:.6g} times".replace("-", "−")


def numbers(finding: Finding) -> str:
    """Yours, expected, and their ratio, with as many digits as tell them apart."""
    values = finding.yours, finding.expected
    enough = (n for n in (DIGITS, 12, 15) if number(values[0], n) != number(values[1], n))
    digits = next(enough, 17)
    yours, expected = (number(value, digits) for value in values)
    return f"yours {yours}, expected {expected} ({ratio(finding)})"


AXES = {"Z": ("neuron", "example"), "A": ("neuron", "example"), "delta": ("neuron", "example")}
WEIGHTS = ("neuron", "input")


def element(finding: Finding) -> str:
    """`dW[2], neuron 4, input 2`: counted from 1, as the derivation does."""
    names = AXES.get(finding.tensor.partition("[")[0], WEIGHTS)
    places = [f"{name} {index + 1}" for name, index in zip(names, finding.index, strict=False)]
    return ", ".join([finding.tensor, *places])


def cause(finding: Finding) -> str:
    """Why, if the derivation's own code could be made to report the same."""
    if not finding.causes:
        tried = f"None of {finding.excluded} mistakes that were planted makes these numbers"
        return f"Cause: not known. {tried}; {UNKNOWN[finding.kind]}."
    said = [_told(reason, finding) for reason in finding.causes[:MOST_CAUSES]]
    left = len(finding.causes) - len(said)
    names = "; or: ".join(said) + (f"; or one of {left} more" if left else "")
    same = (
        "These make the same numbers here"
        if len(finding.causes) > 1
        else "With this planted, the derivation makes the same numbers"
    )
    return f"Cause: {names}. {same}: they equal yours to {distance(finding)}."


def _told(reason: Reason, finding: Finding) -> str:
    """Its text; with its equation where another cause has the same text."""
    alike = [other for other in finding.causes if other.cause == reason.cause]
    return f"{reason.cause} in {reason.equation}" if len(alike) > 1 else reason.cause


def distance(finding: Finding) -> str:
    """How near the reproduced numbers are."""
    return f"{finding.distance:.0e}" if finding.distance else "the last digit"


def lines_of(finding: Finding) -> Iterator[str]:
    """What is told of one finding, without its hint."""
    yield f"{finding.equation}, {finding.title}{at_layer(finding)}: {finding.formula}"
    yield f"First seen in {element(finding)}, {finding.moment}: {numbers(finding)}."
    if len(finding.tensors) > 1:
        yield f"It explains {joined(finding.tensors)}."
    yield cause(finding)
    if finding.note:
        yield f"Note: {finding.note}."
    yield f"{DERIVED} {page(finding.link)}"


def hint_of(document: Document) -> str:
    """A question that leads to the first mistake and does not tell it."""
    findings = document.mistakes or list(document.findings)
    if not findings:
        return "There is nothing to hint at: every tensor agrees."
    first = findings[0]
    return f"Look at {first.equation}, {first.title}{at_layer(first)}. {first.hint}"


def certificate(document: Document) -> Iterator[str]:
    """What was compared, where nothing is wrong."""
    yield f"Spec: {document.spec} ({document.problem}). Layout: {document.layout}. Numbers: {document.dtype}."
    asked = joined(["step", *document.offered])
    yield f"Compared: {len(document.tensors)} tensors in {document.steps} steps ({asked})."
    yield "Versions: " + ", ".join(f"{name} {version}" for name, version in document.versions.items()) + "."


def agreement(document: Document) -> str:
    """What central differences of the reported cost say."""
    if not document.differences:
        needed = "that needs cost(X, Y), or step() that returns the cost"
        return f"Cost and gradient were not held against each other: {needed}."
    off = [one for one in document.differences if not one.agrees]
    if not off:
        worst = max(one.ratio for one in document.differences)
        found = f"central differences: at most {worst:.0e} off"
        return f"Your gradient is the derivative of the cost that you report ({found})."
    names = joined(f"{one.tensor} ({one.ratio:.1g})" for one in off)
    return f"Your gradient is not the derivative of the cost that you report. Central differences disagree in {names}."
