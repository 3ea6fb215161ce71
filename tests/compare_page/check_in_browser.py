"""Uses the pages of a comparison, of a run and of a site as people do, in headless Chromium: a phone and a desktop.

`python tests/compare_page/check_in_browser.py` prints what is wrong and exits 1; `--screenshots FOLDER` keeps pictures
to look at. Not part of the ordinary tests: a machine may have no browser. It needs the extra `browser`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.extend(str(Path(__file__).resolve().parents[1] / name) for name in ("results", "compare", "history"))

import cluster_runs
import documents
import page_runs
from browser import Browser, found
from cluster_runs import FAST, SLOW, machine
from made_runs import day, run
from playwright.sync_api import Error

from bench.compare.page import page
from bench.records.run import Records
from bench.report.page import page as page_of_a_run
from bench.report.tables import Tables
from bench.site.page import index
from bench.site.runs import add_run, run_folders

SIZES = {"small phone": (360, 740), "phone": (390, 844), "desktop": (1280, 900)}

WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FORM = "form[data-table=rows]"
ROW = "[data-row='{number}']"
INK = """(() => {
  const canvas = document.querySelector("[data-row='0'] canvas");
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.filter((value, place) => place % 4 === 3 && value > 0).length;
})()"""
INKED = """(canvas) =>
  canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0)"""
CHOOSE = """(() => {{
  const field = document.querySelector("form[data-table=rows]").elements["{name}"];
  field.value = "{value}";
  field.dispatchEvent(new Event("input", {{ bubbles: true }}));
}})()"""

PICTURE = "https://example.org/picture.png"
STRANGE = f"""(() => {{
  const [script, image] = ["script", "img"].map((tag) => document.createElement(tag));
  script.textContent = "window.strange = true";
  image.src = "{PICTURE}";
  document.body.append(script, image);
  return new Promise((done) => setTimeout(() => done(window.strange), 100));
}})()"""

Check = Callable[[Browser, bool], Iterator[str]]
Pages = dict[str, tuple[str, tuple[Check, ...]]]


def expect(what: str, got: Any, wanted: Any) -> Iterator[str]:
    """A complaint where the two are not the same."""
    if got != wanted:
        yield f"{what}: {got!r}; wanted {wanted!r}"


def one(browser: Browser, selector: str, name: str) -> Any:
    """A property of the first element that matches."""
    return browser.value(f"document.querySelector({json.dumps(selector)}).{name}")


def each(browser: Browser, selector: str, name: str) -> list[Any]:
    """A property of every element that matches."""
    return browser.value(f"[...document.querySelectorAll({json.dumps(selector)})].map((element) => element.{name})")


def column(browser: Browser, number: int) -> list[str]:
    """What the shown rows are sorted by in that column, in their order."""
    return each(browser, "#rows > tbody:not([hidden])", f"rows[0].cells[{number}].dataset.value")


def press(browser: Browser, phone: bool, selector: str) -> None:
    """With a finger or with the mouse."""
    (browser.tap if phone else browser.click)(selector)


def reset(browser: Browser, phone: bool) -> Iterator[str]:
    """Press the table's reset: every row is back."""
    press(browser, phone, f"{FORM} button[type=reset]")
    every = len(each(browser, "#rows > tbody", "hidden"))
    yield from expect("count after reset", one(browser, f"{FORM} output", "value"), f"{every} of {every} rows")
    yield from expect("rows hidden after reset", sum(each(browser, "#rows > tbody", "hidden")), 0)


def as_numbers(values: list[str]) -> list[float]:
    """Those that are there."""
    return [float(value) for value in values if value]


def check_fits(browser: Browser, phone: bool) -> Iterator[str]:
    """A page wider than the window has to be pushed to and fro."""
    yield from expect("pixels wider than the window", browser.value(WIDER), 0)


def check_heads(browser: Browser, phone: bool) -> Iterator[str]:
    """No head of a column lies over its neighbour, and the names of backends are not broken."""
    wide = "[...document.querySelectorAll('thead th')].filter((head) => head.scrollWidth > head.clientWidth).length"
    yield from expect("heads over their neighbours", browser.value(wide), 0)
    lines = """[...document.querySelectorAll("td.backend")].map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return range.getClientRects().length;
    })"""
    yield from expect("lines of a backend's name", set(browser.value(lines)), {1})


def check_sorting(browser: Browser, phone: bool) -> Iterator[str]:
    """By tap or click, by keyboard, and back."""
    head = "#rows thead th:nth-child(4)"
    before = column(browser, 3)
    press(browser, phone, f"{head} button")
    rising = as_numbers(column(browser, 3))
    yield from expect("rows in rising order", rising, sorted(as_numbers(before)))
    yield from expect("aria-sort", one(browser, head, "ariaSort"), "ascending")
    browser.press(f"{head} button", "Enter")
    falling = as_numbers(column(browser, 3))
    yield from expect("rows in falling order, by keyboard", falling, rising[::-1])
    press(browser, phone, "#rows thead th:nth-child(2) button")
    names = column(browser, 1)
    yield from expect("rows by backend", names, sorted(names))
    yield from expect("aria-sort of the column before", one(browser, head, "ariaSort"), "none")
    yield from reset(browser, phone)
    yield from expect("order after reset", column(browser, 3), before)


def check_filtering(browser: Browser, phone: bool) -> Iterator[str]:
    """By words, by decision, by backend, and back."""
    browser.write(f"{FORM} input", "512-512 KERAS-fit-tuned")
    yield from expect("backends found", set(column(browser, 1)), {"keras-fit-tuned"})
    yield from expect("specs found", len(column(browser, 0)), 3)
    yield from expect("count", one(browser, f"{FORM} output", "value"), "3 of 45 rows")
    yield from reset(browser, phone)
    browser.value(CHOOSE.format(name="state", value="worse"))
    states = each(browser, "#rows > tbody:not([hidden])", "dataset.state")
    yield from expect("states shown", set(states), {"worse"})
    browser.value(CHOOSE.format(name="backend", value="keras-fit"))
    yield from expect("backends shown", set(column(browser, 1)), {"keras-fit"})
    yield from reset(browser, phone)


def check_opening(browser: Browser, phone: bool) -> Iterator[str]:
    """Curves, matrices and pictures are drawn, once, inside the window; the keyboard opens and closes, too."""
    body = ROW.format(number=0)
    press(browser, phone, f"{body} .open")
    yield from expect("hidden", one(browser, f"{body} .details", "hidden"), False)
    yield from expect("aria-expanded", one(browser, f"{body} .open", "ariaExpanded"), "true")
    yield from expect("curves", len(each(browser, f"{body} canvas", "width")), 2)
    yield from expect("a curve is drawn", browser.value(INK) > 1000, True)
    yield from expect("matrices", len(each(browser, f"{body} .matrix table", "className")), 3)
    browser.box(f"{body} .pictures img")
    yield from expect("width of a picture", one(browser, f"{body} .pictures img", "naturalWidth"), 28)
    browser.value("document.querySelector('#rows').parentElement.scrollLeft = 9999")
    start, end = browser.box(f"{body} .sheet")
    inside = start.x >= 0 and end.x <= browser.value("document.documentElement.clientWidth")
    yield from expect("details in the window though the table is scrolled", inside, True)
    browser.value("document.querySelector('#rows').parentElement.scrollLeft = 0")
    yield from check_fits(browser, phone)
    browser.press(f"{body} .open", "Enter")
    yield from expect("closed by keyboard", one(browser, f"{body} .details", "hidden"), True)
    browser.press(f"{body} .open", "Enter")
    yield from expect("opened again, drawn once", len(each(browser, f"{body} canvas", "width")), 2)


def check_zooming(browser: Browser, phone: bool) -> Iterator[str]:
    """By mouse or finger, by keyboard, and back; a second curve goes along."""
    over, shown = f"{ROW.format(number=0)} .u-over", f"{ROW.format(number=0)} .zoom output"
    select = browser.swipe if phone else browser.drag
    yield from expect("all epochs", one(browser, shown, "value"), "epochs 1 to 10 of 10")
    before = browser.value(INK)
    select(over, 0.3, 0.7)
    yield from expect("zoomed into the middle", one(browser, shown, "value"), "epochs 4 to 7 of 10")
    yield from expect("drawn anew", browser.value(INK) != before, True)
    press(browser, phone, f"{ROW.format(number=0)} .zoom button")
    yield from expect("after reset", one(browser, shown, "value"), "epochs 1 to 10 of 10")
    yield from expect("drawn as before", browser.value(INK), before)
    select(over, 0.3, 0.7)
    (browser.tap if phone else browser.click)(over, times=2)
    yield from expect("after a double click or tap", one(browser, shown, "value"), "epochs 1 to 10 of 10")
    for _ in range(3):
        browser.press(f"{ROW.format(number=0)} .zoom input", "ArrowRight")
    yield from expect("by keyboard", one(browser, shown, "value"), "epochs 4 to 10 of 10")
    press(browser, phone, f"{ROW.format(number=0)} .zoom button")


def check_zooming_into_few_epochs(browser: Browser, phone: bool) -> Iterator[str]:
    """A drag between two of three epochs shows two whole epochs."""
    over, shown = f"{ROW.format(number=0)} .u-over", f"{ROW.format(number=0)} .zoom output"
    press(browser, phone, f"{ROW.format(number=0)} .open")
    yield from expect("all of three epochs", one(browser, shown, "value"), "epochs 1 to 3 of 3")
    (browser.swipe if phone else browser.drag)(over, 0.3, 0.7)
    yield from expect("two of three epochs", one(browser, shown, "value"), "epochs 2 to 3 of 3")


def check_zooming_of_a_run(browser: Browser, phone: bool) -> Iterator[str]:
    """The curves of the first spec, which are open."""
    over, shown = "details[open] .u-over", "details[open] .zoom output"
    (browser.swipe if phone else browser.drag)(over, 0.3, 0.7)
    yield from expect("zoomed into the middle", one(browser, shown, "value"), "epochs 4 to 7 of 10")
    press(browser, phone, "details[open] .zoom button")
    yield from expect("after reset", one(browser, shown, "value"), "epochs 1 to 10 of 10")


def check_table_fits(browser: Browser, phone: bool) -> Iterator[str]:
    """On a desktop every column of the table is seen."""
    hidden = browser.value("(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(rows.parentElement)")
    yield from expect("pixels of the table that are hidden on a desktop", 0 if phone else hidden, 0)


def check_print(browser: Browser, phone: bool) -> Iterator[str]:
    """On paper every column has its place, and what can only be pressed is not there."""
    browser.page.emulate_media(media="print")
    browser.page.set_viewport_size({"width": 1032, "height": 700})
    wide = browser.value("document.querySelector('#rows').getBoundingClientRect().right - innerWidth")
    yield from expect("the table is no wider than the paper", wide <= 0, True)
    displays = browser.value("[...document.querySelectorAll('.filter')].map((e) => getComputedStyle(e).display)")
    yield from expect("filters on paper", set(displays), {"none"})
    words = browser.value("document.body.innerText.match(/\\b(click|tap|drag|press|slider)\\w*/gi)")
    yield from expect("what to press, on paper", words, None)
    browser.page.emulate_media(media="screen")


def few_epochs() -> documents.Document:
    """A comparison of one row with three epochs."""
    curve = {side: {0: [0.5, 0.3, 0.2]} for side in ("a", "b")}
    return documents.document([documents.row(curves={"cost": curve, "test_accuracy": curve})])


def check_odd(browser: Browser, phone: bool) -> Iterator[str]:
    """A hundred classes, names of classes, colours, one seed, 300 epochs of 10 seeds."""
    press(browser, phone, "#rows thead th:nth-child(9) button")
    yield from expect("without a time ratio, last", column(browser, 8)[-1], "")
    yield from reset(browser, phone)
    for number in range(4):
        press(browser, phone, f"{ROW.format(number=number)} .open")
    yield from expect(
        "cells shown of a large matrix", len(each(browser, f"{ROW.format(number=0)} .pairs tbody tr", "id")), 20
    )
    yield from expect("height of a picture", one(browser, f"{ROW.format(number=0)} .pictures img", "naturalHeight"), 32)
    yield from expect("matrices with names", len(each(browser, f"{ROW.format(number=1)} .matrix table", "id")), 3)
    yield from expect("curves where there are none", len(each(browser, f"{ROW.format(number=2)} canvas", "id")), 0)
    yield from expect(
        "matrices where there are none", one(browser, f"{ROW.format(number=2)} .confusion", "hidden"), True
    )
    yield from expect("curves of one kind", len(each(browser, f"{ROW.format(number=3)} canvas", "id")), 1)
    yield from check_fits(browser, phone)


def check_hostile(browser: Browser, phone: bool) -> Iterator[str]:
    """Every row opens, and nothing that a name holds becomes part of the page."""
    yield from check_fits(browser, phone)
    rows = len(each(browser, "[data-row]", "hidden"))
    for number in range(rows):
        press(browser, phone, f"{ROW.format(number=number)} .open")
    yield from expect("open rows", len(each(browser, ".open[aria-expanded=true]", "id")), rows)
    yield from expect("scripts", browser.value("document.scripts.length"), 2)
    yield from expect("pictures that nobody put there", browser.value("document.images.length"), 0)
    yield from check_fits(browser, phone)


def check_policy(browser: Browser, phone: bool) -> Iterator[str]:
    """A script that did break out of a name would still not run, and no picture would be asked for."""
    yield from expect("a strange script ran", browser.value(STRANGE), None)
    refused = [complaint for complaint in browser.complaints if "Content Security Policy" in complaint]
    yield from expect("refused by the policy", len(refused), 2)
    planted = (*refused, f"asked for {PICTURE}")  # the protocol tells of a request before the policy stops it
    browser.complaints[:] = [complaint for complaint in browser.complaints if complaint not in planted]


def check_many(browser: Browser, phone: bool) -> Iterator[str]:
    """Five hundred rows."""
    yield from check_fits(browser, phone)
    browser.write(f"{FORM} input", "spec 499")
    yield from expect("rows found of 500", len(column(browser, 0)), 1)
    yield from reset(browser, phone)


def check_run(browser: Browser, phone: bool) -> Iterator[str]:
    """A row of a run's page lays its backend over the reference; a filter finds what was lost; a log opens."""
    yield from check_fits(browser, phone)
    yield from expect("charts of the first spec are drawn at once", drawn_charts(browser, "details[open]"), 3)
    body = ROW.format(number=4)
    press(browser, phone, f"{body} .open")
    yield from expect("charts of a row", drawn_charts(browser, body), 3)
    yield from expect("matrices", len(each(browser, f"{body} .matrix table", "id")), 3)
    browser.box(f"{body} .pictures img")  # a picture is loaded where it is seen
    yield from expect("pictures", each(browser, f"{body} .pictures img", "naturalWidth"), [28] * 3)
    yield from expect("whose", each(browser, f"{body} h5", "textContent"), [
        "Only keras-fit is right: 2 of these 3", "Only tf-xla is right: 1 of these 3",
    ])  # fmt: skip
    yield from expect("pictures of the reference", len(each(browser, f"{ROW.format(number=1)} img", "id")), 0)
    press(browser, phone, f"{ROW.format(number=1)} .open")
    yield from expect("matrices of the reference", len(each(browser, f"{ROW.format(number=1)} .matrix table", "id")), 1)
    yield from check_fits(browser, phone)
    browser.value(CHOOSE.format(name="state", value="lost"))
    lost = {"keras-fit-tuned", "tf-graph", "tf-xla"}
    yield from expect("backends that lost a seed", set(column(browser, 1)), lost)
    browser.value(CHOOSE.format(name="speed", value="faster"))
    yield from expect("faster among them", set(column(browser, 1)) <= lost, True)
    yield from reset(browser, phone)
    browser.press(".failures summary", "Enter")
    yield from expect("log, opened by keyboard", one(browser, ".failures details", "open"), True)


def check_legend(browser: Browser, phone: bool) -> Iterator[str]:
    """A name in the legend hides its curve, by tap, click or keyboard."""
    hidden = "details[open] .chart .u-legend .mean"
    name = f"{hidden} th"
    press(browser, phone, name)
    yield from expect("hidden", "u-off" in one(browser, hidden, "className"), True)
    browser.press(name, "Enter")
    yield from expect("shown again by keyboard", "u-off" in one(browser, hidden, "className"), False)
    colors = each(browser, "details[open] .chart:first-of-type .u-legend .mean .u-marker", "style.borderColor")
    yield from expect("colours of the legend", len(set(colors)), 4)


def drawn_charts(browser: Browser, within: str) -> int:
    """How many canvases there hold ink."""
    return browser.value(f"[...document.querySelectorAll({json.dumps(within + ' canvas')})].filter({INKED}).length")


def check_hostile_run(browser: Browser, phone: bool) -> Iterator[str]:
    """Every row and every list of facts opens, and nothing that a name holds becomes part of the page."""
    rows = len(each(browser, "[data-row] .open", "id"))
    for number in range(rows):
        press(browser, phone, f"{ROW.format(number=number)} .open")
    browser.value("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    browser.settle()
    yield from expect("open rows", len(each(browser, ".open[aria-expanded=true]", "id")), rows)
    yield from expect("scripts", browser.value("document.scripts.length"), 2)
    yield from expect("pictures that nobody put there", browser.value("document.images.length"), 0)
    yield from check_fits(browser, phone)


def check_site(browser: Browser, phone: bool) -> Iterator[str]:
    """A search finds runs, a head sorts them, a ratio's row draws its history; both tables keep to themselves."""
    yield from check_fits(browser, phone)
    form, bodies = "form[data-table=runs]", "#runs > tbody:not([hidden])"
    browser.write(f"{form} input", "run-3 made")
    yield from expect("runs found", each(browser, f"{bodies} a", "textContent"), ["run-3"])
    yield from expect("count", one(browser, f"{form} output", "value"), "1 of 7 runs")
    yield from expect("ratios are not filtered", sum(each(browser, "#rows > tbody", "hidden")), 0)
    press(browser, phone, f"{form} button[type=reset]")
    press(browser, phone, "#runs thead th:nth-child(3) button")
    ratios = as_numbers(each(browser, bodies, "rows[0].cells[2].dataset.value"))
    yield from expect("runs by ratio", ratios, sorted(ratios))
    body = ROW.format(number=0)
    browser.press(f"{body} .open", "Enter")
    yield from expect("history drawn", drawn_charts(browser, body), 1)
    yield from expect("zoom", one(browser, f"{body} .zoom output", "value"), "runs 1 to 6 of 6")
    browser.press(f"{body} .zoom input", "ArrowRight")
    yield from expect("zoomed by keyboard", one(browser, f"{body} .zoom output", "value"), "runs 2 to 6 of 6")
    yield from check_fits(browser, phone)


def losses() -> str:
    """The page of a run in which much was lost."""
    records = Records(page_runs.with_losses())
    with tempfile.TemporaryDirectory() as folder:
        log = f"Traceback\n  a line that is {'long ' * 60}\nValueError: bad\n"
        page_runs.write_log(Path(folder), records, log)
        return page_of_a_run(Tables(records), Path(folder))


def real_run() -> str:
    """The page of the committed run."""
    return page_of_a_run(Tables(Records.read(documents.RUN)), documents.RUN)


def two_machines() -> str:
    """The page of a run whose cells are from two machines with long names."""
    nodes = [
        machine("node1.cluster.example"),
        machine("node2.cluster.example", "A processor with a name of 40 letters"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        made = cluster_runs.write(Path(folder) / "run", [nodes[0]] * 3 + [nodes[1]] * 3, FAST + SLOW)
        return page_of_a_run(Tables(Records.read(made)), made)


def site() -> str:
    """The index of six runs on one machine and one on another."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "results"
        for number in range(6):
            run(root / f"run-{number}", 0.5 - 0.05 * number, day(number), seeds=(0, 1, 2))
        run(root / "other", 2.0, day(9), environment={"cpu_model": "other machine", "usable_cores": 4})
        return index([add_run(each, root, Path(folder) / "site") for each in run_folders(root)])


REAL: tuple[Check, ...] = (check_fits, check_sorting, check_filtering, check_opening, check_zooming)


def pages() -> Pages:
    """Name → page and what is tried on it."""
    real, pictures = documents.realistic()
    return {
        "real": (page(real, pictures), REAL),
        "few epochs": (page(few_epochs(), {}), (check_zooming_into_few_epochs,)),
        "print": (page(real, pictures), (check_print,)),
        "odd": (page(*documents.odd()), (check_odd,)),
        "hostile": (page(documents.hostile(), {}), (check_hostile, check_policy)),
        "many": (page(documents.document([documents.bare(f"spec {n}") for n in range(500)]), {}), (check_many,)),
        "run": (losses(), (check_run, check_legend, check_policy)),
        "real run": (real_run(), (check_fits, check_table_fits, check_sorting, check_zooming_of_a_run)),
        "hostile run": (page_of_a_run(Tables(page_runs.hostile()), Path("nowhere")), (check_hostile_run, check_policy)),
        "two machines": (two_machines(), (check_fits, check_table_fits, check_heads)),
        "site": (site(), (check_site, check_policy)),
        "empty": (page(documents.document(decision="undecided", seeds_needed=12), {}), (check_fits,)),
    }


def problems(browser: Browser, made: Pages, screenshots: Path | None) -> Iterator[str]:
    """What is wrong with any page at any size."""
    with tempfile.TemporaryDirectory() as folder:
        for name, (text, checks) in made.items():
            path = Path(folder) / f"{name}.html"
            path.write_text(text, "utf-8")
            for size, (width, height) in SIZES.items():
                browser.open(path, width, height)
                tried = [problem for check in checks for problem in results(check, browser, "phone" in size)]
                yield from (f"{name}, {size}, {problem}" for problem in (*tried, *browser.complaints))
                browser.complaints.clear()
                if screenshots:
                    look(browser, screenshots, f"{name}-{size}")


def results(check: Check, browser: Browser, phone: bool) -> Iterator[str]:
    """A check's complaints, with its name; where the page lacks what it needs, that."""
    try:
        yield from (f"{check.__name__}: {complaint}" for complaint in check(browser, phone))
    except (Error, RuntimeError) as error:
        yield f"{check.__name__} stopped: {' '.join(str(error).split())}"


def look(browser: Browser, folder: Path, name: str) -> None:
    """The whole page as it stands after the checks, in the light and in the dark scheme."""
    for scheme in ("light", "dark"):
        browser.page.emulate_media(color_scheme=scheme)
        browser.value("scrollTo(0, 0)")
        browser.settle()
        browser.screenshot(folder / f"{name}-{scheme}.png")


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
    made = pages()
    with Browser(command) as browser:
        wrong = list(problems(browser, made, arguments.screenshots))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"{len(made)} pages at {len(SIZES)} sizes in {command}: {len(wrong)} problems")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
