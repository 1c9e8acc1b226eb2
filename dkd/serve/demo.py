"""Server of one lesson as a page without code, for a lecture: Voilà, on this machine only, with a random token.

Voilà runs as a separate application, not within Jupyter's server: there is no file browser and no terminal behind the
page, and the page can use widgets but not run code. Every page has its own kernel.
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
from dkd.serve.lab import COOKIES, existing_notebook, keep_out_of_logs, send_at_once, set_jupyter_environment

TEMPLATES = Path(__file__).resolve().parent / "lecture"
DEFAULT_PORT = 8866
THEMES = ("light", "dark")
_CULL_AFTER_S = 60  # a page stops its kernel when it closes; this is for pages that could not


class LessonServer(Voila):
    """Voilà with the page template of ``dkd/serve/lecture`` and a callback for when it accepts connections."""

    when_listening: Callable[[], None]

    def setup_template_dirs(self) -> None:
        super().setup_template_dirs()
        self.template_paths.insert(0, str(TEMPLATES))

    def launch_browser(self) -> None:
        """Call the callback; Voilà runs this method when it is listening."""
        self.when_listening()

    def open_page(self, url: str) -> None:
        """Open ``url`` in the user's browser through a private file: other users could read a token in arguments."""
        page = Path(self.connection_dir) / "open.html"  # a private folder of this user, removed when the server stops
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
    """Serve ``notebook`` as a page without its code until stopped; its kernels are stopped too.

    Each time the page is opened, all cells run in a new kernel of this Python environment, which ends with the page.

    Args:
        notebook: the lesson to show; by default the first one. It runs in its own folder.
        port: the port to serve on; if it is in use, another free one near it.
        open_browser: whether to open the page in the user's browser.
        theme: ``"light"`` or ``"dark"``; ``&theme=dark`` at the end of the address overrides it for one page.
        announce: called once with the URL, including the token, when the server accepts connections.

    Raises:
        ConfigError: the notebook, port or theme does not exist.
    """
    notebook = existing_notebook(notebook)
    if not 1 <= port <= 65535:
        raise ConfigError(f"expected a port in 1..65535, got {port}; leave it out to get {DEFAULT_PORT}")
    if theme not in THEMES:
        raise ConfigError(f"there is no theme {theme!r}{nearest_name(theme, THEMES)} Themes: {', '.join(THEMES)}.")
    set_jupyter_environment()
    send_at_once(KernelWebsocketHandler)
    token = os.environ.get("JUPYTER_TOKEN") or secrets.token_urlsafe(32)
    keep_out_of_logs(token)
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
    """Return Voilà's settings for :func:`run_demo`."""
    return Config(
        {
            "Voila": {
                "ip": "127.0.0.1",
                "port": port,
                "token": token,
                # Accepts only the token: Voilà's default would also accept a password and let a visitor set one.
                "identity_provider_class": VoilaIdentityProvider,
                # User settings, in particular a voila.py in the folder, must not weaken these.
                "config_file_paths": [],
                "tornado_settings": {
                    # Protects against DNS rebinding: another site's name pointing to this machine.
                    "allow_remote_access": False,
                    # A closing page can only send a request without headers to stop its kernel. Such requests need the
                    # kernel's random id, which other sites do not know, and their origin is checked.
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
                # Pictures in the notebook's folder are embedded in the page; no files are served.
                "file_allowlist": [],
                # The page's template shows one plain sentence for an error, which Voilà would hide completely.
                "show_tracebacks": True,
            },
            "VoilaIdentityProvider": {"cookie_options": COOKIES},
            "MappingKernelManager": {"cull_idle_timeout": _CULL_AFTER_S, "cull_interval": _CULL_AFTER_S // 2},
        }
    )
