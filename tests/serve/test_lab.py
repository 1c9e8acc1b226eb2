"""``dkd lab``: a real JupyterLab in a real browser, its settings, and its errors."""

from __future__ import annotations

import asyncio
import copy
import socket
import sys
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import tornado.httpserver
import tornado.web
import tornado.websocket
from playwright.sync_api import Page, expect
from tornado.testing import bind_unused_port

from dkd.cli.main import main
from dkd.errors import ConfigError
from dkd.serve.lab import PROJECT_ROOT, run_lab, send_at_once, server_arguments
from tests.support.browser import Lab, open_notebook, python, run_all, screenshot, switch_notebook, wait_for_kernel
from tests.support.server import until

SLIDER = """\
import sys
import ipywidgets
slider = ipywidgets.IntSlider(value=3, max=10)
label = ipywidgets.Label()
slider.observe(lambda change: setattr(label, "value", f"moved to {change['new']} by {sys.executable}"), "value")
ipywidgets.VBox([slider, label])
"""


def test_a_widget_lives_in_the_real_lab(jupyter_lab: Lab, lab_window: Page) -> None:
    """The slider's value goes to the kernel and back, and the kernel uses the workbench's Python."""
    switch_notebook(lab_window, jupyter_lab, jupyter_lab.write_notebook("slider.ipynb", SLIDER))
    assert run_all(lab_window) == []
    handle = lab_window.locator(".jupyter-widgets .noUi-handle")
    handle.focus()
    handle.press("ArrowRight")
    expect(lab_window.locator(".widget-label").last).to_have_text(f"moved to 4 by {sys.executable}")
    assert screenshot(lab_window, "lab_slider").stat().st_size > 10_000


def test_an_error_in_a_cell_is_reported(jupyter_lab: Lab, lab_window: Page) -> None:
    switch_notebook(lab_window, jupyter_lab, jupyter_lab.write_notebook("fails.ipynb", "x = 1", "x / 0"))
    (error,) = run_all(lab_window)
    assert error.startswith("cell 1: ZeroDivisionError")


def test_the_first_page_has_no_distractions(jupyter_lab: Lab, page: Page) -> None:
    """No question about news, no check for updates, and no requests to other machines."""
    settings = jupyter_lab.request("GET", "/lab/api/settings/@jupyterlab/apputils-extension:notification")
    defaults = {name: settings["schema"]["properties"][name]["default"] for name in ("fetchNews", "checkForUpdates")}
    assert defaults == {"fetchNews": "false", "checkForUpdates": False}
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    open_notebook(page, jupyter_lab, "harness.ipynb")
    page.wait_for_load_state("networkidle")
    expect(page.locator(".Toastify__toast")).to_have_count(0)
    elsewhere = [url for url in requests if not url.startswith((jupyter_lab.url, "data:", "blob:"))]
    assert elsewhere == []


def test_messages_of_widgets_go_over_no_subshell(jupyter_lab: Lab, lab_window: Page) -> None:
    """Lab deletes subshells to which it still sends: a reloaded page then lost its widgets' requests."""
    switch_notebook(lab_window, jupyter_lab, "harness.ipynb")
    lab_window.wait_for_function("() => jupyterapp.serviceManager.kernels.commsOverSubshells === 'disabled'")


def test_plotly_is_sent_once_and_no_message_is_lost(jupyter_lab: Lab, page: Page) -> None:
    """Its 5 MB are not in a figure's state, where they delayed a reloaded page."""
    changes = "first.add_scatter(y=[1, 2, 3])\nfirst.data[0].y = [4, 5, 6, 7]"
    cell = f"""
from ipywidgets import VBox
from widgets.panels.figures import Figure
first, second, asked = Figure(), Figure(), []
for figure in (first, second):
    figure.on_msg(lambda _, message, __: asked.append(message))
display(VBox([first, second]))
{changes}
size = len(str(first.get_state()))"""  # the kernel hears of the page's wish when the cell has run
    open_notebook(page, jupyter_lab, jupyter_lab.write_notebook("figures.ipynb", cell))
    assert run_all(page) == []
    plots = "document.querySelectorAll('.js-plotly-plot')"
    drawn = f"() => JSON.stringify([...({plots}[0]?.data?.[0]?.y ?? [])])"
    page.wait_for_function(f"() => {plots}.length === 2 && ({drawn})() === '[4,5,6,7]'")
    python(page, "first.data[0].y = [8, 9]")
    page.wait_for_function(f"() => ({drawn})() === '[8,9]'")
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_function(f"() => ({drawn})() === '[8,9]'")
    assert python(page, "[len(asked), size < 100_000]") == [2, True]  # asked once a page


def test_a_figure_closed_before_plotly_came_does_not_keep_it_from_the_next(jupyter_lab: Lab, page: Page) -> None:
    """The page has plotly from the first kernel that sends it; one that was stopped before never will."""
    shown = "from widgets.panels.figures import Figure\ndisplay(Figure())\n"
    busy = shown + "import time\nwhile True:\n    time.sleep(0.1)"  # the kernel cannot answer
    sent: list[str | bytes] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda part: sent.append(part)))
    open_notebook(page, jupyter_lab, jupyter_lab.write_notebook("never_plotted.ipynb", busy))
    page.evaluate("() => void jupyterapp.commands.execute('notebook:run-all-cells')")

    def has_asked() -> bool:
        page.wait_for_timeout(20)  # lets messages come in
        return any(b'"kind":"plotly"' in (part.encode() if isinstance(part, str) else part) for part in sent)

    until(has_asked)
    switch_notebook(page, jupyter_lab, jupyter_lab.write_notebook("plotted.ipynb", shown))
    assert run_all(page) == []
    expect(page.locator(".js-plotly-plot")).to_have_count(1)


def test_the_printed_url_opens_the_notebook(jupyter_lab: Lab, page: Page) -> None:
    page.goto(jupyter_lab.printed_url)
    expect(page.locator(".lm-TabBar-tab.lm-mod-current .lm-TabBar-tabLabel", has_text="harness.ipynb")).to_be_visible()
    wait_for_kernel(page)


def test_a_second_lab_takes_another_port_and_token(jupyter_lab: Lab, tmp_path: Path) -> None:
    taken = urlsplit(jupyter_lab.url).port
    assert taken
    second = Lab(tmp_path, jupyter_lab.root, port=taken)
    try:
        assert urlsplit(second.url).hostname == "127.0.0.1"
        assert second.url != jupyter_lab.url
        assert second.token != jupyter_lab.token
        assert len(second.token) >= 32
        with urllib.request.urlopen(second.printed_url) as answer:
            given = answer.headers.get_all("Set-Cookie") or []
        assert {cookie.split("=")[0].split("-")[0] for cookie in given} >= {"username", "_xsrf"}
        assert all("SameSite=Strict" in cookie for cookie in given), given
        stranger = copy.copy(second)
        stranger.printed_url = second.printed_url.replace(second.token, jupyter_lab.token)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            stranger.stop_kernels()
    finally:
        second.stop()


@pytest.mark.parametrize("wrapped", [False, True])
def test_websockets_send_at_once(wrapped: bool) -> None:
    """Tornado does not set TCP_NODELAY (so this matters), and it is set if ``send_at_once`` wrapped the handler."""
    options: list[int] = []

    class Handler(tornado.websocket.WebSocketHandler):
        async def open(self, *args: str, **kwargs: str) -> None:
            assert self.ws_connection is not None
            stream = self.ws_connection.stream
            assert stream is not None
            options.append(stream.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    if wrapped:
        send_at_once(Handler)

    async def connect() -> None:
        listener, port = bind_unused_port()
        server = tornado.httpserver.HTTPServer(tornado.web.Application([("/", Handler)]))
        server.add_socket(listener)
        connection = await tornado.websocket.websocket_connect(f"ws://127.0.0.1:{port}/")
        connection.close()
        server.stop()

    # In a thread of its own: the browser's driver runs an event loop in this one.
    with ThreadPoolExecutor() as pool:
        pool.submit(asyncio.run, connect()).result()
    assert [bool(option) for option in options] == [wrapped]


def test_lab_shows_the_project_or_the_notebooks_own_folder(tmp_path: Path) -> None:
    inside = server_arguments(PROJECT_ROOT / "notebooks" / "a b.ipynb", 1, True, "t")
    assert f"--ServerApp.root_dir={PROJECT_ROOT}" in inside
    assert "--LabApp.default_url=/lab/tree/notebooks/a%20b.ipynb" in inside
    outside = server_arguments(tmp_path / "x.ipynb", 1, True, "t")
    assert f"--ServerApp.root_dir={tmp_path}" in outside


@pytest.mark.parametrize("name", ["missing.ipynb", "note.txt"])
def test_other_files_are_rejected(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "note.txt").write_text("not a notebook")
    with pytest.raises(ConfigError, match="expected a notebook"):
        run_lab(tmp_path / name)
    assert main(["lab", str(tmp_path / name)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
