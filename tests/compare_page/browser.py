"""One headless Chromium and one page in it, driven in Chromium's own protocol through a pair of pipes.

Fed by a path of a page; feeds `check_in_browser.py`. It needs no driver, no package and no port.
"""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)
FREE_FROM = 10
"""Chromium reads file 3 and writes file 4; the pipes' own numbers must not be these."""
SECONDS = 20.0
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

    def __init__(self, command: str) -> None:
        self.complaints: list[str] = []
        self._folder = tempfile.TemporaryDirectory()
        theirs_in, self._out = _pipe()
        self._in, theirs_out = _pipe()

        def connect() -> None:
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        self._process = subprocess.Popen(
            [command, *OPTIONS, f"--user-data-dir={self._folder.name}"],
            preexec_fn=connect,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest, self._number, self._session = b"", 0, None
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(SECONDS)
        os.close(self._in)
        os.close(self._out)
        shutil.rmtree(self._folder.name, ignore_errors=True)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol, and its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            self._note(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            more = os.read(self._in, 1 << 20)
            if not more:
                raise RuntimeError("the browser ended")
            self._rest += more
        line, _, self._rest = self._rest.partition(b"\0")
        return json.loads(line)

    def _note(self, event: dict[str, Any]) -> None:
        complaint = COMPLAINTS.get(event.get("method", ""), lambda _: None)(event["params"])
        if complaint:
            self.complaints.append(complaint)

    def open(self, path: Path, width: int, height: int, dark: bool) -> None:
        """Show a page in a window of that size; a narrow one is a phone with a touch screen."""
        phone = width < 600
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.send("Page.navigate", url=path.as_uri())
        self.wait(f"document.readyState === 'complete' && location.href === {json.dumps(path.as_uri())}")

    def value(self, script: str) -> Any:
        """What an expression gives in the page."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script}: {answer['exceptionDetails']['exception']['description']}")
        return answer["result"].get("value")

    def wait(self, script: str) -> None:
        """Until an expression is true."""
        end = time.monotonic() + SECONDS
        while not self.value(script):
            if time.monotonic() > end:
                raise RuntimeError(f"never true within {SECONDS:.0f} s: {script}")
            time.sleep(0.02)

    def settle(self) -> None:
        """Until the page has drawn what changed."""
        self.value(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 20))))"
        )

    def box(self, selector: str) -> tuple[Point, Point]:
        """The corners of an element, scrolled into the middle of the window."""
        place = f"document.querySelector({json.dumps(selector)})"
        self.value(f"{place}.scrollIntoView({{ block: 'center', inline: 'center' }})")
        self.settle()
        left, top, right, bottom = self.value(
            f"(({{ left, top, right, bottom }}) => [left, top, right, bottom])({place}.getBoundingClientRect())"
        )
        return Point(left, top), Point(right, bottom)

    def click(self, selector: str, times: int = 1) -> None:
        """Press the mouse in the middle of an element."""
        start, end = self.box(selector)
        self._mouse(Point((start.x + end.x) / 2, (start.y + end.y) / 2), times)
        self.settle()

    def _mouse(self, at: Point, times: int) -> None:
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=at.x, y=at.y)
        for count in range(1, times + 1):
            for kind in ("mousePressed", "mouseReleased"):
                self.send("Input.dispatchMouseEvent", type=kind, x=at.x, y=at.y, button="left", clickCount=count)

    def drag(self, selector: str, start: float, end: float) -> None:
        """Press in an element, move to the right, let go; both places as a share of its width."""
        points = self._line(selector, start, end)
        self.send("Input.dispatchMouseEvent", type="mouseMoved", x=points[0].x, y=points[0].y)
        self.send(
            "Input.dispatchMouseEvent", type="mousePressed", x=points[0].x, y=points[0].y, button="left", clickCount=1
        )
        for at in points[1:]:
            self.send("Input.dispatchMouseEvent", type="mouseMoved", x=at.x, y=at.y, button="left", buttons=1)
        self.send(
            "Input.dispatchMouseEvent",
            type="mouseReleased",
            x=points[-1].x,
            y=points[-1].y,
            button="left",
            clickCount=1,
        )
        self.settle()

    def swipe(self, selector: str, start: float, end: float) -> None:
        """The same with a finger."""
        points = self._line(selector, start, end)
        for kind, at in zip(("touchStart", *["touchMove"] * (len(points) - 1)), points, strict=True):
            self.send("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": at.x, "y": at.y}])
            time.sleep(FINGER_SECONDS)  # what is let go at speed glides on, and the next touch would only stop it
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.settle()

    def tap(self, selector: str, times: int = 1) -> None:
        """Touch the middle of an element."""
        start, end = self.box(selector)
        at = {"x": (start.x + end.x) / 2, "y": (start.y + end.y) / 2}
        for _ in range(times):
            self.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[at])
            self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.settle()

    def _line(self, selector: str, start: float, end: float) -> list[Point]:
        first, last = self.box(selector)
        width, y = last.x - first.x, (first.y + last.y) / 2
        return [Point(first.x + width * (start + (end - start) * step / 8), y) for step in range(9)]

    def press(self, selector: str, key: str, code: int, text: str = "") -> None:
        """Put the focus on an element and press a key."""
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)
        self.settle()

    def write(self, selector: str, text: str) -> None:
        """Put the focus on a field and type."""
        self.value(f"document.querySelector({json.dumps(selector)}).focus()")
        self.send("Input.insertText", text=text)
        self.settle()

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """What the window shows, or the whole page, as PNG."""
        shot = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    moved = (
        fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, FREE_FROM),
        fcntl.fcntl(writing, fcntl.F_DUPFD_CLOEXEC, FREE_FROM),
    )
    os.close(reading)
    os.close(writing)
    return moved


def _request(event: dict[str, Any]) -> str | None:
    url = str(event["request"]["url"])
    return None if url.startswith(("file:", "data:")) else f"asked for {url}"


def _entry(event: dict[str, Any]) -> str | None:
    entry = event["entry"]
    return f"console: {entry['text']}" if entry["level"] == "error" else None


COMPLAINTS: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "Network.requestWillBeSent": _request,
    "Log.entryAdded": _entry,
    "Runtime.exceptionThrown": lambda event: f"exception: {event['exceptionDetails']}",
    "Page.javascriptDialogOpening": lambda event: f"dialogue: {event['message']}",
}
