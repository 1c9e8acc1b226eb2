"""Serves one lesson as a page without code, for a lecture: Voilà, on this machine only, behind a random token.

Voilà runs as an application of its own, not within Jupyter's server: so there is no file browser and no terminal
behind the page, and the page may move widgets but not run code. Every page has a kernel of its own.
"""

from __future__ import annotations

import html
import os
import secrets
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from traitlets.config import Config
from voila.app import Voila
from voila.voila_identity_provider import VoilaIdentityProvider

from dkd.errors import ConfigError, nearest_name
from dkd.serve.lab import existing_notebook, send_at_once, set_jupyter_environment

TEMPLATES = Path(__file__).resolve().parent / "lecture"
DEFAULT_PORT = 8866
THEMES = ("light", "dark")
_CULL_AFTER_S = 60  # a page that closes stops its kernel itself; this is for those that could not


class LessonServer(Voila):
    """Voilà with the page of ``dkd/serve/lecture``, and with a call once it accepts connections."""

    when_listening: Callable[[], None]

    def setup_template_dirs(self) -> None:
        super().setup_template_dirs()
        self.template_paths.insert(0, str(TEMPLATES))

    def launch_browser(self) -> None:
        """Voilà calls this when it listens."""
        self.when_listening()

    def open_page(self, url: str) -> None:
        """Open ``url`` in the user's browser, by a private file: a token in arguments could be read by every user."""
        page = Path(self.connection_dir) / "open.html"  # a folder of this user only, gone when the server stops
        page.write_text(f'<meta http-equiv="refresh" content="0;url={html.escape(url)}">', encoding="utf-8")
        threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True).start()


def run_demo(
    notebook: Path | None = None,
    *,
    port: int = DEFAULT_PORT,
    open_browser: bool = True,
    theme: str = "light",
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve ``notebook`` as a page without its code until it is stopped; then its kernels are stopped, too.

    Each time that the page is opened all cells run in a new kernel, which is this very Python; it ends with the page.

    Args:
        notebook: the lesson to show; default the first one. It runs in its own folder.
        port: the port to serve on; another free one near it is taken when it is in use.
        open_browser: open the page in the user's browser too.
        theme: ``"light"`` or ``"dark"``; ``&theme=dark`` at the end of the address does it for one page.
        announce: is called once with the URL, token included, when the server accepts connections.

    Raises:
        ConfigError: there is no such notebook, port or theme.
    """
    notebook = existing_notebook(notebook)
    if not 1 <= port <= 65535:
        raise ConfigError(f"expected a port in 1..65535, got {port}; leave it out to get {DEFAULT_PORT}")
    if theme not in THEMES:
        raise ConfigError(f"there is no theme {theme!r}{nearest_name(theme, THEMES)} Themes: {', '.join(THEMES)}.")
    set_jupyter_environment()
    send_at_once(KernelWebsocketHandler)
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(32)
    server = LessonServer(config=server_settings(port, token, theme))

    def when_listening() -> None:
        url = f"http://127.0.0.1:{server.port}/?token={quote(token)}"
        if announce is not None:
            announce(url)
        if open_browser:
            server.open_page(url)

    server.when_listening = when_listening
    server.initialize(argv=[str(notebook)])
    server.start()


def server_settings(port: int, token: str, theme: str) -> Config:
    """Voilà's settings for :func:`run_demo`."""
    return Config(
        {
            "Voila": {
                "ip": "127.0.0.1",
                "port": port,
                "token": token,
                # Knows the token only: Voilà's default would also take a password, and let a visitor set one.
                "identity_provider_class": VoilaIdentityProvider,
                # Nobody's own settings, least of all a voila.py that lies in the folder, may open what is closed here.
                "config_file_paths": [],
                "tornado_settings": {
                    # A page elsewhere must not reach this one by giving its own name this machine's address.
                    "allow_remote_access": False,
                    # A page that closes can only send a bare request to stop its kernel. All that can be asked for so
                    # needs the kernel's random id, which no page elsewhere knows; and where it comes from is checked.
                    "disable_check_xsrf": True,
                },
                "open_browser": True,  # calls launch_browser
                "log_level": "WARN",
            },
            "VoilaConfiguration": {
                "theme": theme,
                "strip_sources": True,
                "allow_template_override": "NO",
                "preheat_kernel": False,
                # Pictures in the notebook's folder are put into the page; no file is served to whoever asks.
                "file_allowlist": [],
                # The page's template makes one plain sentence of an error, which Voilà would hide altogether.
                "show_tracebacks": True,
            },
            "MappingKernelManager": {"cull_idle_timeout": _CULL_AFTER_S, "cull_interval": _CULL_AFTER_S // 2},
        }
    )
