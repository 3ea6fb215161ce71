"""Uses the page of `bench compare` as people do, in headless Chromium at the size of a phone and of a desktop.

Fed by documents made up and real; `python tests/compare_page/check_in_browser.py` prints what is wrong and exits 1;
`--screenshots FOLDER` keeps pictures to look at. Not part of the ordinary tests: a machine may have no browser.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import documents
from browser import Browser, found

from bench.compare.page import page

SIZES = {"phone": (360, 740), "desktop": (1280, 900)}

ORDER = "[...document.querySelectorAll('#{table} > tbody:not([hidden])')].map((body) => body.rows[0].cells[{column}].dataset.value)"
RANGE = "document.querySelector('[data-row=\"{row}\"] .zoom output').value"
WIDER = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth) - innerWidth"
INK = (
    "(canvas => { const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
    " let count = 0; for (let i = 3; i < pixels.length; i += 4) count += pixels[i] > 0; return count; })"
    "(document.querySelector('[data-row=\"0\"] canvas'))"
)

Check = Callable[[Browser, bool], Iterator[str]]


def expect(what: str, got: Any, wanted: Any) -> Iterator[str]:
    """A complaint where the two are not the same."""
    if got != wanted:
        yield f"{what}: {got!r}; wanted {wanted!r}"


def column(browser: Browser, number: int, table: str = "rows") -> list[str]:
    return browser.value(ORDER.format(table=table, column=number))


def press(browser: Browser, phone: bool, selector: str) -> None:
    (browser.tap if phone else browser.click)(selector)


def as_numbers(values: list[str]) -> list[float]:
    return [float(value) for value in values if value]


def check_fits(browser: Browser, phone: bool) -> Iterator[str]:
    yield from expect("pixels wider than the window", browser.value(WIDER), 0)


def check_sorting(browser: Browser, phone: bool) -> Iterator[str]:
    head = "#rows thead th:nth-child(4)"
    before = column(browser, 3)
    press(browser, phone, f"{head} button")
    rising = as_numbers(column(browser, 3))
    yield from expect("rows in rising order", rising, sorted(rising))
    yield from expect("rows kept", len(rising), len(before))
    yield from expect("aria-sort", browser.value(f"document.querySelector('{head}').ariaSort"), "ascending")
    browser.press(f"{head} button", "Enter", 13, "\r")
    falling = as_numbers(column(browser, 3))
    yield from expect("rows in falling order, by keyboard", falling, sorted(falling, reverse=True))
    press(browser, phone, "#rows thead th:nth-child(2) button")
    names = column(browser, 1)
    yield from expect("rows by backend", names, sorted(names))
    yield from expect(
        "aria-sort of the column before", browser.value(f"document.querySelector('{head}').ariaSort"), "none"
    )
    press(browser, phone, "form[data-table=rows] button[type=reset]")
    yield from expect("rows after reset", column(browser, 3), before)


def check_filtering(browser: Browser, phone: bool) -> Iterator[str]:
    every = len(column(browser, 0))
    browser.write("form[data-table=rows] input", "512-512 KERAS-fit-tuned")
    yield from expect("backends found", set(column(browser, 1)), {"keras-fit-tuned"})
    yield from expect("specs found", len(column(browser, 0)), 3)
    yield from expect(
        "count", browser.value("document.querySelector('form[data-table=rows] output').value"), f"3 of {every} rows"
    )
    press(browser, phone, "form[data-table=rows] button[type=reset]")
    browser.wait(f"document.querySelector('form[data-table=rows] output').value === '{every} of {every} rows'")
    choose = "(name, value) => {{ const field = document.querySelector('form[data-table=rows]').elements[name]; field.value = value; field.dispatchEvent(new Event('input', {{ bubbles: true }})); }}"
    browser.value(f"({choose.format()})('state', 'worse')")
    states = browser.value(
        "[...document.querySelectorAll('#rows > tbody:not([hidden])')].map((body) => body.dataset.state)"
    )
    yield from expect("states shown", set(states), {"worse"})
    browser.value(f"({choose.format()})('backend', 'keras-fit')")
    yield from expect("backends shown", set(column(browser, 1)), {"keras-fit"})
    press(browser, phone, "form[data-table=rows] button[type=reset]")
    browser.wait(f"document.querySelector('form[data-table=rows] output').value === '{every} of {every} rows'")


def check_opening(browser: Browser, phone: bool) -> Iterator[str]:
    body = "#rows > tbody[data-row='0']"
    press(browser, phone, f"{body} .open")
    yield from expect(
        "open",
        browser.value(
            f"[!document.querySelector('{body} .details').hidden, document.querySelector('{body} .open').ariaExpanded]"
        ),
        [True, "true"],
    )
    yield from expect("curves", browser.value(f"document.querySelectorAll('{body} canvas').length"), 2)
    yield from expect("a curve is drawn", browser.value(INK) > 1000, True)
    yield from expect("matrices", browser.value(f"document.querySelectorAll('{body} .matrix table').length"), 3)
    loaded = f"[...document.querySelectorAll('{body} .pictures img')].every((image) => image.naturalWidth === 28 || !image.complete)"
    yield from expect(
        "pictures", browser.value(f"document.querySelectorAll('{body} .pictures img').length > 0 && {loaded}"), True
    )
    seen = f"(({{ left, right }}) => [Math.round(left) >= 0, Math.round(right) <= innerWidth])(document.querySelector('{body} .sheet').getBoundingClientRect())"
    browser.value("document.querySelector('#rows').parentElement.scrollLeft = 9999")
    browser.settle()
    yield from expect("details inside the window though the table is scrolled", browser.value(seen), [True, True])
    browser.value("document.querySelector('#rows').parentElement.scrollLeft = 0")
    yield from check_fits(browser, phone)
    browser.press(f"{body} .open", "Enter", 13, "\r")
    yield from expect("closed by keyboard", browser.value(f"document.querySelector('{body} .details').hidden"), True)
    browser.press(f"{body} .open", "Enter", 13, "\r")
    yield from expect(
        "opened again, drawn once", browser.value(f"document.querySelectorAll('{body} canvas').length"), 2
    )


def check_zooming(browser: Browser, phone: bool) -> Iterator[str]:
    over = "#rows > tbody[data-row='0'] .u-over"
    epochs = RANGE.format(row=0)
    yield from expect("all epochs", browser.value(epochs), "epochs 1 to 10 of 10")
    (browser.swipe if phone else browser.drag)(over, 0.3, 0.7)
    yield from expect("zoomed into the middle", browser.value(epochs), "epochs 4 to 7 of 10")
    both = "[...document.querySelectorAll('[data-row=\"0\"] .u-over')].length"
    yield from expect("charts moved together", browser.value(both), 2)
    press(browser, phone, "[data-row='0'] .zoom button")
    yield from expect("after reset", browser.value(epochs), "epochs 1 to 10 of 10")
    (browser.swipe if phone else browser.drag)(over, 0.3, 0.7)
    browser.click(over, times=2)
    yield from expect("after a double click", browser.value(epochs), "epochs 1 to 10 of 10")
    for _ in range(3):
        browser.press("[data-row='0'] .zoom input", "ArrowRight", 39)
    yield from expect("by keyboard", browser.value(epochs), "epochs 4 to 10 of 10")
    press(browser, phone, "[data-row='0'] .zoom button")


def check_hostile(browser: Browser, phone: bool) -> Iterator[str]:
    yield from check_fits(browser, phone)
    count = browser.value("document.querySelectorAll('[data-row]').length")
    for number in range(count):
        press(browser, phone, f"[data-row='{number}'] .open")
    yield from expect(
        "open rows", browser.value("document.querySelectorAll('.open[aria-expanded=true]').length"), count
    )
    yield from expect("scripts", browser.value("document.scripts.length"), 2)
    yield from expect("pictures that nobody put there", browser.value("document.querySelectorAll('img').length"), 0)
    yield from check_fits(browser, phone)


def check_benchmarks(browser: Browser, phone: bool) -> Iterator[str]:
    yield from check_fits(browser, phone)
    press(browser, phone, "#benchmarks thead th:nth-child(3) button")
    ratios = column(browser, 2, "benchmarks")
    rising = as_numbers(ratios)
    yield from expect("benchmarks in rising order", rising, sorted(rising))
    yield from expect("without a ratio, last", ratios[-1], "")
    browser.write("form[data-table=benchmarks] input", "backward")
    yield from expect("benchmarks found", len(column(browser, 0, "benchmarks")), 1)
    press(browser, phone, "form[data-table=benchmarks] button[type=reset]")


def check_many(browser: Browser, phone: bool) -> Iterator[str]:
    yield from check_fits(browser, phone)
    browser.write("form[data-table=rows] input", "spec 499")
    yield from expect("rows found of 500", len(column(browser, 0)), 1)
    press(browser, phone, "form[data-table=rows] button[type=reset]")


def benchmarks() -> dict[str, Any]:
    made = [
        documents.benchmark("test_forward[784-30-10]", "+", 1.12),
        documents.benchmark("test_backward[784-30-10]", "-", 0.84),
        documents.benchmark("test_update[784-30-10]", "~", 1.01),
        documents.benchmark("test_gather[784-30-10]", "!", ratio=None, reason="B has 2 rounds; at least 5 are needed"),
    ]
    return documents.document(
        verdict="1 of 4 benchmarks is slower in B: test_forward[784-30-10], 1.12 times",
        decision="worse",
        benchmarks=made,
    )


def pages() -> dict[str, tuple[str, tuple[Check, ...]]]:
    """Name → page and what is tried on it."""
    real, pictures = documents.realistic()
    return {
        "real": (page(real, pictures), (check_fits, check_sorting, check_filtering, check_opening, check_zooming)),
        "hostile": (page(documents.hostile(), {}), (check_hostile,)),
        "benchmarks": (page(benchmarks(), {}), (check_benchmarks,)),
        "many": (page(documents.document([documents.bare(f"spec {n}") for n in range(500)]), {}), (check_many,)),
        "empty": (page(documents.document(decision="undecided", seeds_needed=12), {}), (check_fits,)),
    }


def problems(browser: Browser, screenshots: Path | None) -> Iterator[str]:
    """What is wrong with any page at any size."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, checks) in pages().items():
            path = Path(folder) / f"{name}.html"
            path.write_text(text, "utf-8")
            for size, (width, height) in SIZES.items():
                browser.open(path, width, height, dark=False)
                tried = [f"{check.__name__}: {found}" for check in checks for found in check(browser, size == "phone")]
                yield from (f"{name}, {size}, {problem}" for problem in (*tried, *browser.complaints))
                browser.complaints.clear()
                if screenshots:
                    look(browser, screenshots, f"{name}-{size}")


def look(browser: Browser, folder: Path, name: str) -> None:
    """The whole page as it stands after the checks, in the light and in the dark scheme."""
    for scheme in ("light", "dark"):
        browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.value("scrollTo(0, 0)")
        browser.settle()
        browser.screenshot(folder / f"{name}-{scheme}.png", whole=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screenshots", type=Path, help="a folder for pictures of each page")
    arguments = parser.parse_args()
    command = found()
    if command is None:
        print("no Chromium on this machine; install Debian's package chromium")
        return 1
    if arguments.screenshots:
        arguments.screenshots.mkdir(parents=True, exist_ok=True)
    with Browser(command) as browser:
        wrong = list(problems(browser, arguments.screenshots))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"5 pages at {len(SIZES)} sizes in {command}: {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
