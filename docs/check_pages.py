"""Checks every built page: no formula lost or failed, nothing loaded from the network, nothing wider than a phone.

`python docs/check_pages.py docs/_build` prints what is wrong and exits with code 1. Only code may scroll sideways.
"""

import argparse
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

SOURCE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
WIDTHS = (1280, 390)
"""Pixels: a desktop and a phone."""
SECONDS = 300

FENCE = re.compile(r"^(`{3,})(\w*)[^`\n]*\n.*?^\1`*[ \t]*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"\$`[^`]+`\$")
IN_NOTEBOOKS = re.compile(r"\$\$[^$]+\$\$|\$[^$]+\$")
CODE_SPAN = re.compile(r"(?<!`)(`{2,})(?!`).+?(?<!`)\1(?!`)", re.DOTALL)

# Each page in turn in a frame of that width: one start of the browser for all pages.
HARNESS = """<!doctype html><meta charset="utf-8"><body><script>
const pages = %s, widths = %s, found = [];
const settled = (frame) => new Promise((done) => frame.addEventListener("load", done, { once: true }));
async function look(page, width) {
  const frame = document.createElement("iframe");
  frame.style.width = width + "px"; frame.style.height = "900px"; frame.src = page;
  const loaded = settled(frame);
  document.body.append(frame);
  await loaded;
  const view = frame.contentWindow, content = frame.contentDocument;
  const boxes = [content.documentElement, ...content.querySelectorAll(".content")];
  const style = (box) => view.getComputedStyle(box).overflowX;
  const scrolls = (box) => box.scrollWidth > box.clientWidth + 1 && /auto|scroll/.test(style(box));
  if (view.MathJax?.startup?.promise) await view.MathJax.startup.promise;
  found.push({ page, width,
    drawn: content.querySelectorAll("mjx-container > svg").length,
    errors: [...content.querySelectorAll("[data-mjx-error]")].map((node) => node.getAttribute("data-mjx-error")),
    scrolling: [...content.querySelectorAll("article *:not(pre, pre *)")].filter(scrolls)
      .map((box) => box.className + ": " + box.textContent.trim().slice(0, 40)),
    beyond: Math.max(...boxes.map((box) => box.scrollWidth - box.clientWidth)) });
  frame.remove();
}
addEventListener("load", async () => {
  try { for (const page of pages) for (const width of widths) await look(page, width); }
  catch (error) { found.push({ failure: String(error) }); }
  const result = document.createElement("pre");
  result.id = "found"; result.textContent = JSON.stringify(found);
  document.body.replaceChildren(result);
});
</script>"""


class Page(HTMLParser):
    """Counts the formulas of a built page, and collects the scripts, styles and pictures that come from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.formulas = 0
        self.remote: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.formulas += "math" in values.get("class", "").split()
        loaded = values.get("href" if tag == "link" else "src", "") if tag != "a" else ""
        if loaded.startswith(("http:", "https:", "//")):
            self.remote.append(loaded)


def formulas(markdown: str) -> int:
    """How many formulas a page's source has: ```math fences, and inline ones outside all other code."""
    fences = list(FENCE.finditer(markdown))
    prose = CODE_SPAN.sub("", FENCE.sub("", markdown))
    return sum(fence[2] == "math" for fence in fences) + len(INLINE.findall(prose))


def formulas_of_notebook(text: str) -> int:
    """The same of a notebook, whose formulas have no backticks."""
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    return sum(len(IN_NOTEBOOKS.findall("".join(cell["source"]))) for cell in cells)


COUNTS = {".md": formulas, ".ipynb": formulas_of_notebook}


def pages(built: Path) -> dict[Path, int]:
    """The built pages that have a source, each with the number of formulas in it."""
    sources = (path.relative_to(SOURCE) for path in sorted(SOURCE.rglob("*")) if path.suffix in COUNTS)
    return {
        built / source.with_suffix(".html"): COUNTS[source.suffix]((SOURCE / source).read_text("utf-8"))
        for source in sources
        if source.parts[0] not in ("_build", "_static", "jupyter_execute")
    }


def check_files(expected: dict[Path, int]) -> Iterator[str]:
    """What can be seen without a browser."""
    for path, count in expected.items():
        if not path.is_file():
            yield f"{path}: not built"
            continue
        page = Page(path.read_text("utf-8"))
        if page.formulas != count:
            yield f"{path}: {page.formulas} formulas; its source has {count}"
        for address in page.remote:
            yield f"{path}: loads {address}; allowed: files of the site only"


def check_rendered(expected: dict[Path, int], browser: str) -> Iterator[str]:
    """What only a browser sees, with the network off."""
    paths = {path.as_uri(): path for path in expected}
    for seen in _look(list(paths), browser):
        if "failure" in seen:
            yield f"the browser stopped: {seen['failure']}"
            continue
        path, width = paths[seen["page"]], seen["width"]
        if seen["drawn"] != expected[path]:
            yield f"{path}: {seen['drawn']} formulas drawn; its source has {expected[path]}"
        for error in sorted(set(seen["errors"])):
            yield f"{path}: a formula failed: {error}"
        for box in seen["scrolling"]:
            yield f"{path}: scrolls sideways on a screen of {width} px; allowed: code only: {box!r}"
        if seen["beyond"] > 0:
            yield f"{path}: {seen['beyond']} px wider than a screen of {width} px"


def _look(addresses: list[str], browser: str) -> list[dict]:
    """What the harness found on each page at each width."""
    with tempfile.TemporaryDirectory() as folder:
        harness = Path(folder) / "harness.html"
        harness.write_text(HARNESS % (json.dumps(addresses), json.dumps(WIDTHS)), "utf-8")
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--allow-file-access-from-files",
            f"--user-data-dir={folder}/profile",
            f"--virtual-time-budget={SECONDS * 1000}",
            "--dump-dom",
            harness.as_uri(),
        ]
        dump = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False).stdout
    result = re.search(r'<pre id="found">(.*)</pre>', dump, re.DOTALL)
    return json.loads(html.unescape(result[1])) if result else [{"failure": "it printed no result"}]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("built", type=Path, help="the folder that sphinx-build wrote")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--static", action="store_true", help="read the files only, start no browser")
    choice.add_argument("--require", action="store_true", help="fail where there is no Chromium")
    arguments = parser.parse_args()

    expected = pages(arguments.built.resolve())
    problems = list(check_files(expected))
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not problems and not arguments.static and browser:
        problems += check_rendered(expected, browser)
    if arguments.require and not browser:
        problems.append("no Chromium on this machine; install Debian's package chromium, or leave out --require")

    print(*problems, sep="\n", end="\n" if problems else "")
    how = "files only" if arguments.static else f"drawn by {browser}" if browser else "files only: no Chromium here"
    print(f"{len(expected)} pages, {sum(expected.values())} formulas ({how}): {len(problems)} problems")
    return 1 if problems or not expected else 0


if __name__ == "__main__":
    sys.exit(main())
