"""What a page holds, as a reader without a browser sees it."""

import json
import re
from html.parser import HTMLParser
from typing import Any

LOADING = ("src", "href", "srcset", "data", "poster", "action", "formaction", "background")


class Read(HTMLParser):
    """Tags, attributes, texts of a page, and the text of each script."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.text = ""
        self._in = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in == "script":
            self.scripts.append(data)
        elif self._in == "style":
            self.styles.append(data)
        else:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def data(self) -> Any:
        """What its script draws."""
        return json.loads(self.scripts[0])

    @property
    def loaded(self) -> list[str]:
        """Whatever it would load, or leads to."""
        named = [value for _, attributes in self.tags for name, value in attributes.items() if name in LOADING]
        return named + [word for style in self.styles for word in ("url(", "@import") if word in style]

    @property
    def words(self) -> str:
        """Its text with single spaces."""
        return " ".join(self.text.split())


class OnPaper(HTMLParser):
    """The text of a page that the style sheet leaves on paper, by the classes that it hides there."""

    VOID = ("input", "link", "meta")

    def __init__(self, text: str) -> None:
        super().__init__()
        (block,) = re.findall(r"@media print \{(.*)\n\}", text, re.DOTALL)
        (selectors,) = re.findall(r"([^{}]*)\{\s*display: none;", block)
        self._hidden = set(re.findall(r"^\s*\.([\w-]+),?$", selectors, re.MULTILINE))
        self._open: list[bool] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        classes = set((dict(attrs).get("class") or "").split())
        if tag not in self.VOID:
            self._open.append(tag in ("script", "style") or bool(classes & self._hidden))

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self.text += "" if any(self._open) else data
