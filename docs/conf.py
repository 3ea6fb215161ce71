"""How Sphinx builds the pages of this folder: Markdown as GitHub renders it, notebooks; a warning is an error.

The MathJax in `_static/mathjax` draws the formulas, so that the built site needs no network.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx

project = "scratchnet"
extensions = ["myst_nb", "sphinx.ext.mathjax"]
nb_execution_mode = "off"  # notebooks have their outputs; a test runs them
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
html_theme = "furo"
html_title = "scratchnet"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["fit.js"]
exclude_patterns = ["_build", "_static", "jupyter_execute"]  # myst-nb writes the last one beside the site

mathjax_path = "mathjax/tex-svg-full.js"
mathjax3_config = {
    "options": {"enableMenu": False},  # it would look for more files
    "svg": {"fontCache": "global"},
    "tex": {"packages": {"[-]": ["noundefined"]}},  # an unknown command is an error, not a word in red
}

PUNCTUATION = re.compile(r"[,.;:?!)]+")


def write_mathematics_as_github(app: Sphinx, doctree: nodes.document) -> None:
    """Inline: `$` with a backtick is GitHub's delimiter. Display: the formula alone, without Sphinx's `split`.

    In a `split`, which Sphinx puts around every formula of more than one line, MathJax refuses a \\tag.
    """
    for inline in list(doctree.findall(nodes.math)):
        text = inline.astext()
        if text.startswith("`") and text.endswith("`"):
            inline.children = [nodes.Text(text[1:-1])]
        keep_punctuation(inline)
    for display in doctree.findall(nodes.math_block):
        # Both spellings: the second is that of Sphinx before 8.2.
        display["no-wrap"] = display["nowrap"] = True
        display.children = [nodes.Text(rf"\[{display.astext()}\]")]


def keep_punctuation(inline: nodes.math) -> None:
    """Put a formula and the comma behind it into one box, else the next line could begin with the comma."""
    behind = inline.next_node(nodes.Text, descend=False, siblings=True)
    comma = PUNCTUATION.match(behind) if behind is not None else None
    if comma:
        inline.parent.replace(behind, nodes.Text(behind[comma.end() :]))
        box = nodes.inline(classes=["unbroken"])
        inline.parent.replace(inline, box)
        box += [inline, nodes.Text(comma[0])]


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("doctree-read", write_mathematics_as_github)
