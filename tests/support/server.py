"""A server that is started by a command and prints the address with its token."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

# What takes a second on a quiet machine takes a minute on a busy one; waits only bound a hang.
PATIENCE_S = 300.0


def hear_ctrl_c() -> None:
    """Restore Ctrl-C in a child process, as ``preexec_fn``: tests in the background ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def until(condition: Callable[[], object]) -> None:
    """Wait for something that another thread or process does."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited for {PATIENCE_S:g} s"
        time.sleep(0.05)


class Server:
    """A running ``dkd <arguments>``.

    Args:
        arguments: what is served and how.
        folder: for its settings, runtime files and log.
        announced: what it prints before its address.
        data: the data folder that notebooks see; the project's own by default.
        cwd: the folder that it is started in.

    Attributes:
        process: the server.
        printed_url: the address that it printed for its user.
    """

    def __init__(
        self, arguments: list[str], folder: Path, announced: str, data: Path | None = None, cwd: Path | None = None
    ):
        environment = {name: value for name, value in os.environ.items() if name != "JUPYTER_TOKEN"}
        for kind in ("CONFIG", "RUNTIME", "DATA"):
            environment[f"JUPYTER_{kind}_DIR"] = str(folder / kind.lower())
        environment["IPYTHONDIR"] = str(folder / "ipython")  # of its own, too: the history is a file that kernels lock
        if data is not None:
            environment["DKD_DATA"] = str(data)
        self._log = folder / "server.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dkd", *arguments], env=environment, cwd=cwd, stdout=output,
                stderr=subprocess.STDOUT, preexec_fn=hear_ctrl_c,
            )  # fmt: skip
        try:
            self.printed_url = self._wait_for_url(announced)
        except BaseException:  # Ctrl-C, too: nothing is left behind
            self.process.kill()
            self.process.wait()
            raise

    def _wait_for_url(self, announced: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(rf"{announced} (\S+)\n", self._log.read_text()):
                return found[1]
            time.sleep(0.1)
        raise RuntimeError(f"dkd did not start:\n{self._log.read_text()[-3000:]}")

    @property
    def url(self) -> str:
        """Address of the server, without a slash at the end."""
        return "http://" + urlsplit(self.printed_url).netloc

    @property
    def token(self) -> str:
        """What the server lets its user in with."""
        return parse_qs(urlsplit(self.printed_url).query)["token"][0]
