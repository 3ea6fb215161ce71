"""One page at a time in a headless Chromium that is installed here, used as people do: mouse, finger and keyboard."""

import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from playwright.sync_api import BrowserContext, ConsoleMessage, Dialog, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND")
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))))"
FINGER_SECONDS = 0.04


class Point(NamedTuple):
    """A place in the window, CSS pixels."""

    x: float
    y: float


def found() -> str | None:
    """The browser on this machine."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A running Chromium with one page.

    `complaints` holds what no page may do: an exception, an error in the console, a dialogue, a request to a network.
    """

    page: Page

    def __init__(self, command: str) -> None:
        self.complaints: list[str] = []
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=command, args=OPTIONS)
        self._context: BrowserContext | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._browser.close()
        self._playwright.stop()

    def open(self, path: Path, width: int, height: int) -> None:
        """Show a page in a window of that size; a narrow one is a phone with a touch screen."""
        if self._context is not None:
            self._context.close()
        phone = width < 600
        self._context = self._browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=2 if phone else 1,
            is_mobile=phone,
            has_touch=phone,
            color_scheme="light",
        )
        self.page = self._context.new_page()
        self._protocol = self._context.new_cdp_session(self.page)
        self.page.on("pageerror", lambda error: self.complaints.append(f"exception: {error}"))
        self.page.on("console", self._heard)
        self.page.on("dialog", self._asked)
        self.page.on("request", self._requested)
        self.page.goto(path.as_uri())

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _asked(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialogue: {dialog.message}")
        dialog.dismiss()

    def _requested(self, request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            self.complaints.append(f"asked for {request.url}")

    def value(self, script: str) -> Any:
        """What an expression gives in the page."""
        return self.page.evaluate(script)

    def settle(self) -> None:
        """Until the page has drawn what changed."""
        self.value(SETTLED)

    def box(self, selector: str) -> tuple[Point, Point]:
        """The corners of an element, scrolled into the middle of the window."""
        element = self.page.locator(selector).first
        element.evaluate("(element) => element.scrollIntoView({ block: 'center', inline: 'center' })")
        self.settle()
        box = element.bounding_box()
        if box is None:
            raise RuntimeError(f"{selector} is not shown")
        return Point(box["x"], box["y"]), Point(box["x"] + box["width"], box["y"] + box["height"])

    def click(self, selector: str, times: int = 1) -> None:
        """Press the mouse in the middle of an element."""
        start, end = self.box(selector)
        self.page.mouse.click((start.x + end.x) / 2, (start.y + end.y) / 2, click_count=times)
        self.settle()

    def drag(self, selector: str, start: float, end: float) -> None:
        """Press in an element, move to the right, let go; both places as a proportion of its width."""
        first, *others = self._line(selector, start, end)
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for at in others:
            self.page.mouse.move(*at)
        self.page.mouse.up()
        self.settle()

    def swipe(self, selector: str, start: float, end: float) -> None:
        """The same with a finger."""
        for number, at in enumerate(self._line(selector, start, end)):
            self._touch("touchMove" if number else "touchStart", at)
            time.sleep(FINGER_SECONDS)  # what is let go at speed glides on, and the next touch would only stop it
        self._touch("touchEnd")
        self.settle()

    def _touch(self, kind: str, *at: Point) -> None:
        points = [point._asdict() for point in at]
        self._protocol.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def tap(self, selector: str, times: int = 1) -> None:
        """Touch the middle of an element."""
        start, end = self.box(selector)
        for _ in range(times):
            self.page.touchscreen.tap((start.x + end.x) / 2, (start.y + end.y) / 2)
        self.settle()

    def _line(self, selector: str, start: float, end: float) -> list[Point]:
        first, last = self.box(selector)
        width, y = last.x - first.x, (first.y + last.y) / 2
        return [Point(first.x + width * (start + (end - start) * step / 8), y) for step in range(9)]

    def press(self, selector: str, key: str) -> None:
        """Put the focus on an element and press a key."""
        self.page.locator(selector).first.press(key)
        self.settle()

    def write(self, selector: str, text: str) -> None:
        """Put the focus on a field and type."""
        self.page.locator(selector).first.focus()
        self.page.keyboard.insert_text(text)
        self.settle()

    def screenshot(self, path: Path) -> None:
        """The whole page, as PNG."""
        self.page.screenshot(path=path, full_page=True)
