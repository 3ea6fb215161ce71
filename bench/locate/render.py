"""The report as text, as Markdown, as JSON and as an HTML page."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from tabulate import tabulate

from bench.core.address import page
from bench.core.text import escaped, one_line
from bench.locate import words
from bench.locate.document import Document, Finding
from bench.locate.explain import explained

WIDTH = 100


def text(document: Document) -> str:
    """For a terminal."""
    return "\n".join(_text_lines(document)) + "\n"


def _text_lines(document: Document) -> Iterator[str]:
    yield words.headline(document)
    for number, finding in enumerate(document.findings, start=1):
        yield f"\n{number}. {words.KINDS[finding.kind]}"
        yield from (f"   {line}" for line in words.lines_of(finding))
    yield f"\nRight, do not change it: {right(document)}"
    yield words.agreement(document)
    yield "\n" + "\n".join(words.certificate(document))
    yield from (f"Note: {note}." for note in document.notes)
    if not document.mistakes:
        yield "\n" + str(tabulate(rows(document), HEADERS, tablefmt="simple", disable_numparse=True))


HEADERS = ("tensor", "equation", "moments", "largest deviation", "rounding allows")


def rows(document: Document) -> list[tuple[str, ...]]:
    """A line for each tensor; shares of its largest number."""
    return [
        (
            one.name,
            one.equation,
            str(one.moments),
            f"{one.deviation:.1e}" if one.deviation else "0",
            f"{one.allowed:.1e}",
        )
        for one in document.tensors
    ]


def right(document: Document) -> str:
    """The tensors that agree."""
    names = [tensor.name for tensor in document.right]
    if len(names) == len(document.tensors):
        return "every tensor that was reported"
    return ", ".join(names) if names else "nothing that was reported"


def markdown(document: Document) -> str:
    """For GitHub."""
    return "\n\n".join(_markdown_parts(document)) + "\n"


def _markdown_parts(document: Document) -> Iterator[str]:
    yield f"**{escaped(words.headline(document))}**"
    for finding in document.findings:
        yield f"### {words.title(finding)}"
        yield f"```math\n{explained(finding.equation).formula}\n```"
        *lines, _ = words.lines_of(finding)
        yield "\n".join(f"- {escaped(line, 2000)}" for line in lines)
        yield f"{words.DERIVED} [{finding.link}]({page(finding.link)})"
        yield f"<details><summary>A hint</summary>\n\n{escaped(finding.hint)}\n\n</details>"
    yield f"Right: {escaped(right(document), 4000)}"
    yield escaped(words.agreement(document), 2000)
    yield "\n".join(f"- {escaped(line, 1000)}" for line in (*words.certificate(document), *document.notes))
    table: str = tabulate(rows(document), HEADERS, tablefmt="pipe", disable_numparse=True)
    yield table


def as_json(document: Document) -> str:
    """Everything, for a program."""
    return json.dumps(document.as_dict(), indent=2, ensure_ascii=False) + "\n"


def html(document: Document) -> str:
    """One file that asks the network for nothing."""
    environment = _environment()
    return environment.get_template("page.html").render(fragment=fragment(document), title=words.headline(document))


def fragment(document: Document) -> str:
    """The page without its frame: what a notebook shows."""
    return (
        _environment()
        .get_template("report.html")
        .render(
            document=document,
            words=words,
            rows=rows(document),
            headers=HEADERS,
            right=right(document),
            drawn=drawn,
            page=page,
        )
    )


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("bench.locate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: one_line(value) if type(value) is str else value,
    )


def drawn(finding: Finding) -> str:
    """The equation as a data URI of an SVG picture, in black on nothing."""
    from matplotlib import mathtext
    from matplotlib.font_manager import FontProperties

    buffer = io.BytesIO()
    size = FontProperties(size=15)
    mathtext.math_to_image(f"${explained(finding.equation).formula}$", buffer, prop=size, format="svg")
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def hint(document: Document) -> str:
    """The hint alone."""
    return words.hint_of(document) + "\n"


FORMATS: dict[str, Callable[[Any], str]] = {"text": text, "markdown": markdown, "json": as_json, "html": html}
