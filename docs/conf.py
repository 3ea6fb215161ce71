"""How Sphinx builds the pages of this folder: Markdown as GitHub renders it, warnings as errors (see tox.ini)."""

project = "scratchnet"
extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = "scratchnet"
exclude_patterns = ["_build"]
