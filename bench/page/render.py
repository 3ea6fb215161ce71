"""Renders a page from templates, data to draw, and the style and script that its content security policy allows."""

import base64
import hashlib
import html
import math
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.core.text import one_line
from bench.page.axis import AXES
from bench.page.facts import fact_lines
from bench.page.filters import FILTERS

STYLES = ("uPlot.min.css", "page.css")
SCRIPTS = ("uPlot.iife.min.js", "table.js", "curves.js", "details.js")
LICENCE = "uPlot.LICENSE.txt"

Colors = Mapping[str, tuple[str, str]]
"""Name of a CSS variable → its colour in the light and in the dark scheme."""


class Pages:
    """The pages of one package: its own templates beside the shared ones."""

    def __init__(self, package: str, filters: Mapping[str, Callable[..., Any]]) -> None:
        """StrictUndefined: a name that a template is not given is an error."""
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader(package), PackageLoader("bench.page")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_printable,
        )
        self._environment.policies["json.dumps_kwargs"] = {}  # keeps the order of names, as that of the measures
        self._environment.filters.update({**FILTERS, **filters})
        self._environment.globals.update(AXES, fact_lines=fact_lines)

    def render(self, template: str, data: Mapping[str, Any], colors: Colors, **values: Any) -> str:
        """The whole page. `data` is what its scripts draw, `values` what its template shows."""
        style = f"{_variables(colors)}\n{_static(STYLES)}"
        script = f"/*\n{_static([LICENCE])}*/\n{_static(SCRIPTS)}"
        return self._environment.get_template(template).render(
            **values,
            data=data,
            style=Markup(style),
            script=Markup(script),
            policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}",
        )


def framed(page: str) -> str:
    """The page within a frame, so that its scripts and styles touch nothing else of a notebook."""
    return f'<iframe width="100%" height="700" style="border: 0" srcdoc="{html.escape(page)}"></iframe>'


def finite(value: Any) -> Any:
    """The same, with None for every number that is not finite, as JSON has no such number."""
    if isinstance(value, Mapping):
        return {name: finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _printable(value: Any) -> Any:
    """A name on one line without characters that UTF-8 cannot hold; empty for None."""
    if value is None:
        return ""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _variables(colors: Colors) -> str:
    light, dark = ("; ".join(f"{name}: {pair[i]}" for name, pair in colors.items()) for i in (0, 1))
    return f":root {{{light}}}\n@media (prefers-color-scheme: dark) {{:root {{{dark}}}}}"


def _static(names: Sequence[str]) -> str:
    folder = files("bench.page") / "static"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def _hash(text: str) -> str:
    """The hash for the content security policy: only this text may run, whatever a name contains."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"
