"""Debian's Firefox, driven by WebDriver BiDi, which it speaks itself: Playwright drives only a Firefox of its own."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from websocket import WebSocket, create_connection

from tests.support.server import PATIENCE_S, until

NAMES = ("firefox-esr", "firefox")
# What a host or a page must not be kept from, and what would ask the network for something.
_SETTINGS = {
    "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False, "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False, "browser.aboutwelcome.enabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}  # fmt: skip
KEYS = {"ArrowRight": "\ue014", "ArrowLeft": "\ue012", "ArrowDown": "\ue015", "Home": "\ue011", "End": "\ue010"}


class Firefox:
    """A headless Firefox with one page.

    Args:
        folder: for its profile.
        dark: whether the system is said to be dark.

    Raises:
        RuntimeError: there is no Firefox.
    """

    def __init__(self, folder: Path, dark: bool = False):
        found = next(filter(None, map(shutil.which, NAMES)), None)
        if found is None:
            raise RuntimeError(f"expected a Firefox ({', '.join(NAMES)}), found none; apt-get install firefox-esr")
        folder.mkdir(parents=True, exist_ok=True)
        settings = {**_SETTINGS, "layout.css.prefers-color-scheme.content-override": 0 if dark else 1}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()]
        (folder / "user.js").write_text("\n".join(lines))
        log = folder / "firefox.log"
        command = [found, "--headless", "--profile", str(folder), "--remote-debugging-port=0", "about:blank"]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "HOME": str(folder)}
            )
        self._numbers = itertools.count(1)
        self._socket: WebSocket | None = None
        try:
            address = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
            until(lambda: address.search(log.read_text(errors="replace")))
            found_address = address.search(log.read_text(errors="replace"))
            assert found_address is not None
            self._socket = create_connection(f"{found_address[1]}/session", timeout=PATIENCE_S, suppress_origin=True)
            self.version = self._ask("session.new", capabilities={})["capabilities"]["browserVersion"]
            self._page = self._ask("browsingContext.getTree")["contexts"][0]["context"]
            self._ask("browsingContext.setViewport", context=self._page, viewport={"width": 1500, "height": 950})
        except BaseException:
            self.close()
            raise

    def _ask(self, method: str, **given: Any) -> Any:
        assert self._socket is not None
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                if answer["type"] == "error":
                    raise AssertionError(f"{method}: {answer['error']}: {answer['message']}")
                return answer["result"]

    def goto(self, url: str) -> None:
        """Open a page and wait until it has loaded."""
        self._ask("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def evaluate(self, function: str, given: Any = None) -> Any:
        """Call a JavaScript function with a value of JSON in the page, and return its result, a value of JSON."""
        code = f"async (text) => JSON.stringify(await ({function})(JSON.parse(text)) ?? null)"
        answer = self._ask(
            "script.callFunction", functionDeclaration=code, awaitPromise=True, target={"context": self._page},
            arguments=[{"type": "string", "value": json.dumps(given)}],
        )  # fmt: skip
        if answer["type"] == "exception":
            raise AssertionError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def wait(self, condition: str) -> None:
        """Wait for a JavaScript expression to be true."""
        until(lambda: self.evaluate(f"() => Boolean({condition})"))

    def press(self, *keys: str) -> None:
        """Press keys, one after the other; what has the focus hears them."""
        actions = [{"type": kind, "value": KEYS.get(key, key)} for key in keys for kind in ("keyDown", "keyUp")]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self._ask("input.performActions", context=self._page, actions=[source])

    def click(self, x: float, y: float) -> None:
        """Click at a place of the window."""
        actions: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": round(x), "y": round(y)}, {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]  # fmt: skip
        source = {"type": "pointer", "id": "mouse", "actions": actions}
        self._ask("input.performActions", context=self._page, actions=[source])

    def screenshot(self, path: Path) -> None:
        """Save what is seen as PNG."""
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(base64.b64decode(self._ask("browsingContext.captureScreenshot", context=self._page)["data"]))

    def close(self) -> None:
        """End it."""
        if self._socket is not None:
            self._socket.close()
        self._process.terminate()
        deadline = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
