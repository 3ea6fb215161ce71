"""Turns what a subject reported into findings: mistakes that reproduce it, or else the equation that is to blame."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from bench.locate.blame import Blame, factor_of
from bench.locate.compare import Comparison, Pair, Place, rank
from bench.locate.differences import differences
from bench.locate.document import Difference, Document, Finding, Kind, Reason, Tensor
from bench.locate.equations import REFERENCE
from bench.locate.explain import explained
from bench.locate.graph import UPDATE, equation
from bench.locate.mistakes.library import library
from bench.locate.mistakes.loss import smoothed
from bench.locate.mistakes.mistake import Mistake, times
from bench.locate.parts import wrong_parts
from bench.locate.rules import clipping_of, equation_of
from bench.locate.search import Cause, Search
from bench.locate.state import Key
from bench.locate.survey import Survey, check_forgets

SINGLE = "float32"
KINDS = ("mistake", "precision", "convention", "overflow")
"""In which order they are told."""
ROUNDED = 0.5
"""Share of the elements that arithmetic in float32 rounds at least."""
OF_ONE_COST = ("cost", "delta", "dW", "db")
"""Tensors that another cost makes different; it changes neither the forward pass nor the step."""
NOTHING_PARTS = 1e-6
"""Of a factor: nearer to 1 it says nothing."""


def diagnose(survey: Survey) -> Document:
    """Everything that is to be told."""
    comparison = Comparison(survey)
    search = Search(comparison, library(survey.net))
    first = search.pairs
    told = differences(survey)
    findings = _precision(comparison, search) or list(_findings(comparison, search, told))
    return Document(
        survey.name,
        survey.net.spec.name,
        problem(survey),
        survey.layout.words,
        survey.dtype,
        survey.offered,
        tuple(sorted(findings, key=lambda finding: KINDS.index(finding.kind))),
        tuple(_tensors(comparison, first)),
        tuple(told),
        sum(len(seen.given) for seen in survey.seen),
        search.tried,
        survey.notes,
    )


def problem(survey: Survey) -> str:
    """`5-6-3, tanh and softmax, categorical_crossentropy, sgd`."""
    net = survey.net
    widths = "-".join(map(str, net.widths))
    return f"{widths}, {', '.join(net.activations)}, {net.spec.loss}, {net.optimizer.name}"


def _precision(comparison: Comparison, search: Search) -> list[Finding]:
    """A subject that holds float64 and computes in float32 is off by the roundings of float32, and by no more."""
    survey = comparison.survey
    if not search.left or survey.dtype == SINGLE:
        return []
    coarse = Comparison(survey, SINGLE)
    first = search.left[0]
    if _share_off(comparison, search) < ROUNDED:
        return []
    if coarse.wrong(coarse.pairs(search.equations)) or search.would_explain_all():
        return []  # small mistakes of the library make the same numbers to the digits of float64
    note = (
        "the numbers differ by no more than roundings of float32: parameters are float64, something computes in float32"
    )
    found = _finding(comparison, first, search.pairs[first], equation(first.key, survey.net), search.tried)
    return [replace(found, kind="precision", note=note)]


def _share_off(comparison: Comparison, search: Search) -> float:
    """Of the elements of the tensors that are off: arithmetic in float32 rounds nearly all of them."""
    usual = [search.pairs[place] for place in search.left if not comparison.is_large(place)]
    off = sum(np.count_nonzero(pair.off()) for pair in usual)
    return float(off / max(sum(np.count_nonzero(pair.expected) for pair in usual), 1))


def _findings(comparison: Comparison, search: Search, told: Sequence[Difference]) -> Iterator[Finding]:
    while search.left:
        causes = search.next()
        if causes:
            yield from (_of_cause(comparison, cause, search.tried) for cause in causes)
            continue
        if _is_rounding(comparison, search):
            search.excuse(search.left[:1])
            continue
        blame = Blame(comparison, search.pairs, search.left)
        apart = _apart_from_gradients(search, blame)
        if apart:
            yield from apart
            search.excuse(blame.explained)
            continue
        names = wrong_parts(comparison, search.equations, blame)
        factor = _stray_factor(comparison, search, blame.key, names)
        yield factor or _unexplained(comparison, search, blame, names, told)
        if not factor:
            search.excuse(blame.explained)


def _apart_from_gradients(search: Search, blame: Blame) -> list[Finding]:
    """Where right gradients are reported, and the steps are those of wrong ones: what is wrong in the step's own."""
    if not _beside_gradients(blame):
        return []
    alone, causes = search.of_steps()
    note = "step() does not use the gradient that gradients() reports: it computes another one, with this mistake in it"
    return [replace(_of_cause(alone, cause, search.tried), note=note) for cause in causes]


def _beside_gradients(blame: Blame) -> bool:
    return blame.key == UPDATE and blame.has_gradients


def _is_rounding(comparison: Comparison, search: Search) -> bool:
    """Whether it is what a mended mistake leaves of large numbers, whose roundings were not estimated with it."""
    first = search.left[0]
    mended = search.equations is not REFERENCE
    return mended and comparison.is_large(first) and search.pairs[first].deviation < NOTHING_PARTS


def _of_cause(comparison: Comparison, cause: Cause, tried: int) -> Finding:
    main = cause.mistakes[0]
    name = _named(main, comparison)
    found = _finding(comparison, cause.first, cause.pair, name, tried - len(cause.mistakes))
    by_text = {(one.cause, one.equation): one for one in reversed(cause.mistakes)}
    distinct = [one for one in cause.mistakes if by_text[one.cause, one.equation] is one]
    reasons = tuple(Reason(one.id, one.cause, _named(one, comparison), one.layers) for one in distinct)
    kinds = {one.kind for one in cause.mistakes}
    kind: Kind = main.kind if len(kinds) == 1 else "mistake"
    layer = main.layers[-1] if main.layers else found.layer
    return replace(
        found,
        kind=kind,
        layer=layer,
        causes=reasons,
        distance=cause.distance,
        tensors=_names(cause.fixed),
        note=_either(kinds),
    )


def _either(kinds: Collection[str]) -> str:
    if set(kinds) == {"convention", "mistake"}:
        return "a convention as well, if the cost is meant so: report it by cost(X, Y), and this is decided"
    return ""


def _named(mistake: Mistake, comparison: Comparison) -> str:
    numbers = {"update": equation_of, "clipping": clipping_of}
    return numbers[mistake.equation](comparison.net) if mistake.equation in numbers else mistake.equation


def _stray_factor(comparison: Comparison, search: Search, key: Key, names: Collection[str]) -> Finding | None:
    """A number by which all elements of the equation's results are off: then that factor is the cause."""
    pair = search.pairs[search.left[0]]
    factor = factor_of(pair)
    if factor is None or abs(factor - 1.0) < NOTHING_PARTS:
        return None
    causes = search.try_these([one for name in names for one in _factors(name, key, factor)])
    if not causes:
        return None
    return _of_cause(comparison, causes[0], search.tried)


Planted = tuple[tuple[str, tuple[str, ...]], ...]
OF_COST: Planted = (("(22)", ("(22)",)), ("(24)", ("(24)",)))
OF_ACTIVATION: Planted = (("(20)", ("(20)",)), ("(20)", ("f", "f'")), ("(D35)", ("(D35)",)))
PLANTED: dict[str, Planted] = {
    "(22)": OF_COST,
    "(24)": OF_COST,
    "(20)": OF_ACTIVATION,
    "(18) or (20)": OF_ACTIVATION,
    **{name: ((name, ("shrink",)),) for name in ("(D28)", "(D29)", "(D30)")},
}
"""An equation → where a factor in it may stand: another equation that makes the same numbers, and what is changed."""


def _factors(name: str, key: Key, factor: float) -> Iterator[Mistake]:
    """The factor in that equation of the tensor that is blamed: at all layers, or at this one."""
    text = f"a stray factor of {factor:.6g}"
    of_update: Planted = (("update", ("rate",)),)
    default = of_update if key.name[0] == "u" else ((name, (name,)),)
    for label, entries in PLANTED.get(name, default):
        id, changes = f"factor-{entries[0]}", {entry: times(factor) for entry in entries}
        yield Mistake(id, label, text, changes)
        if entries != ("rate",) and key.layer:
            yield Mistake(f"{id}@{key.layer}", label, text, changes, (key.layer,))


def _unexplained(
    comparison: Comparison, search: Search, blame: Blame, names: Collection[str], told: Sequence[Difference]
) -> Finding:
    place = blame.first
    if not place.moment:
        check_forgets(comparison.survey)
    agree = bool(told) and all(one.agrees for one in told)
    costs = {at: pair for at, pair in search.pairs.items() if at.key.name == "cost" and not comparison.is_large(at)}
    other_cost = any(pair.wrong for pair in costs.values())
    if (agree or smoothed(comparison.net)) and other_cost and blame.is_of_unseen_outputs:
        names = (*names, "(22)")  # other targets or another loss, in cost and gradient alike, may make the numbers too
    found = _finding(comparison, place, search.pairs[place], " or ".join(names), search.tried)
    layer = blame.key.layer or found.layer
    kind: Kind = "convention" if agree and other_cost and blame.key.name in OF_ONE_COST else "mistake"
    kind = "overflow" if comparison.is_large(place) else kind
    return replace(found, kind=kind, layer=layer, tensors=_names(blame.explained), note=_note(kind, blame))


def _note(kind: Kind, blame: Blame) -> str:
    if kind == "convention":
        return "your gradient is the derivative of the cost that you report; that cost is another one than the spec's"
    if kind == "mistake" and _beside_gradients(blame):
        return "step() may also compute another gradient than the one that gradients() reports"
    if kind == "mistake" and blame.first.key.name[0] == "u" and not blame.has_gradients:
        return "only steps show it: report gradients(X, Y) and forward(X), and these equations are told apart"
    return ""


def _finding(comparison: Comparison, place: Place, pair: Pair, name: str, excluded: int) -> Finding:
    """One element of the first wrong tensor, and what is told of the equation."""
    about, index = explained(name), pair.worst
    yours, expected = float(pair.given[index]), float(pair.expected[index])
    moment = comparison.moment(place)
    ratio = yours / expected if expected and np.isfinite(yours) and np.isfinite(expected) else None
    return Finding(
        "mistake",
        name,
        about.title,
        about.plain,
        about.link,
        about.hint,
        place.key.layer,
        str(place.key),
        moment.label,
        index,
        yours,
        expected,
        ratio,
        (),
        None,
        (str(place.key),),
        excluded,
    )


def _names(places: Sequence[Place]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(place.key) for place in places))


def _tensors(comparison: Comparison, pairs: dict[Place, Pair]) -> Iterator[Tensor]:
    """Each tensor over all moments, in the order in which they are computed."""
    by_key: dict[Key, list[Pair]] = {}
    usual = [place for place in pairs if not comparison.is_large(place)]
    for place in sorted(usual, key=lambda place: _order(place, comparison)):
        by_key.setdefault(place.key, []).append(pairs[place])
    for key, all_of in by_key.items():
        worst = max(pair.deviation for pair in all_of)
        wrong = any(pair.wrong for pair in all_of)
        yield Tensor(str(key), equation(key, comparison.net), worst, _allowed(all_of), not wrong, len(all_of))


def _order(place: Place, comparison: Comparison) -> tuple[int, ...]:
    return rank(place, comparison.net.depth)


def _allowed(pairs: Sequence[Pair]) -> float:
    """What rounding may make of the largest number, as a share of it, where that is finite."""
    shares = [float(np.max(pair.bound)) / (float(np.max(np.abs(pair.expected))) or 1.0) for pair in pairs]
    return max((share for share in shares if np.isfinite(share)), default=float("inf"))
