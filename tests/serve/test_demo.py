"""``dkd demo``: a lesson as a page without code, access control, error messages, and shutdown."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import psutil
import pytest
import tornado.httpclient
import tornado.websocket
from playwright.sync_api import Browser, expect

from dkd.cli.main import main
from tests.conftest import ROOT
from tests.support.browser import place, screenshot, write_notebook
from tests.support.server import PATIENCE_S, Server, until

FAILS = (
    "import sys; print('said_first'); print('said_to_the_terminal', file=sys.stderr)",
    "secret_of_the_source = 1 / 0",
    "print('said_last')",
)

# Text that is seen and too small for the last row of a lecture hall.
SMALL_TEXT = """() => {
    const small = [...document.querySelectorAll('body *')].filter((e) => {
        const isText = [...e.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
        return isText && e.checkVisibility({ visibilityProperty: true }) && !e.closest('script, style, .dkd-unseen')
            && parseFloat(getComputedStyle(e).fontSize) < 13;
    });
    return small.map((e) => e.outerHTML.slice(0, 120));
}"""


class Demo(Server):
    """A running ``dkd demo``, with settings, runtime files and the log in ``folder``."""

    def __init__(self, notebook: Path, folder: Path, *arguments: str, data: Path | None = None):
        command = ["demo", "--no-browser", str(notebook), *arguments]
        super().__init__(command, folder, "The lesson is shown at", data, cwd=notebook.parent)

    def kernels(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    def stop(self) -> None:
        """Stop it like Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=PATIENCE_S)
        finally:
            self.process.kill()


def get(url: str, **headers: str) -> tuple[int, str, str]:
    """Return status, final address and body of the server's answer."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return answer.status, answer.url, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.url or "", error.read().decode(errors="replace")


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Demo, str]]:
    """Serve a lesson whose second cell fails, next to other files, and return the page."""
    folder = tmp_path_factory.mktemp("failing")
    for name in ("picture.png", "data.csv", "other.ipynb"):
        (folder / name).write_text("not for everybody")
    write_notebook(folder / "fails.ipynb", *FAILS)
    # Settings that lie in the folder where it is started are not read.
    (folder / "voila.json").write_text('{"Voila": {"token": ""}, "VoilaConfiguration": {"file_allowlist": [".*"]}}')
    demo = Demo(folder / "fails.ipynb", tmp_path_factory.mktemp("failing_server"))
    yield demo, get(demo.printed_url)[2]
    demo.stop()


def test_a_cell_that_fails_is_one_plain_block(failing: tuple[Demo, str]) -> None:
    _, page = failing
    (block,) = re.findall(r'<div class="dkd-failed".*?</div>', page, re.S)
    assert "ZeroDivisionError: division by zero" in block and 'role="alert"' in block
    assert "The following parts were not run" in block
    assert "said_first" in page
    for hidden in ("secret_of_the_source", "Traceback", "said_to_the_terminal", "said_last"):
        assert hidden not in page
    assert page.rstrip().endswith("</html>")  # it is whole: the browser does not wait for more


@pytest.mark.parametrize(
    "path",
    ["/", "/?token=wrong", "/fails.ipynb", "/api/kernels/{kernel}", "/api/kernels", "/api/contents", "/voila/tree",
     "/voila/files/picture.png", "/voila/files/data.csv", "/voila/files/fails.ipynb", "/voila/static/..%2ffails.ipynb"],
)  # fmt: skip
def test_nothing_is_shown_without_the_token(failing: tuple[Demo, str], path: str) -> None:
    demo, page = failing
    running = len(demo.kernels())
    status, address, body = get(demo.url + path.format(kernel=kernel_of(page)))
    assert status in (403, 404) or (status == 200 and urlsplit(address).path == "/login"), (status, address)
    assert "not for everybody" not in body and "dkd-failed" not in body
    assert len(demo.kernels()) == running


def kernel_of(page: str) -> str:
    return re.findall(r'"kernelId": "([\w-]+)"', page)[0]


def test_the_kernel_listens_to_none_but_the_page(failing: tuple[Demo, str]) -> None:
    demo, page = failing
    channel = f"{demo.url.replace('http', 'ws')}/api/kernels/{kernel_of(page)}/channels"

    async def connect(address: str) -> None:
        (await tornado.websocket.websocket_connect(address)).close()

    with ThreadPoolExecutor() as pool:  # the browser's driver runs an event loop in this thread
        with pytest.raises(tornado.httpclient.HTTPClientError, match="403"):
            pool.submit(asyncio.run, connect(channel)).result()
        pool.submit(asyncio.run, connect(f"{channel}?token={demo.token}")).result()


def test_the_token_opens_this_page_and_no_file(failing: tuple[Demo, str]) -> None:
    demo, _ = failing
    for path in ("/voila/files/picture.png", "/voila/files/data.csv", "/other.ipynb", "/api/contents", "/voila/tree"):
        status, _, body = get(f"{demo.url}{path}?token={demo.token}")
        assert status in (403, 404), path
        assert "not for everybody" not in body
    # A page of another site that gave its own name this machine's address.
    assert get(demo.printed_url, Host="elsewhere.example")[0] == 403
    assert urlsplit(demo.url).hostname == "127.0.0.1" and len(demo.token) >= 32
    (address,) = {c.laddr.ip for c in psutil.Process(demo.process.pid).net_connections() if c.status == "LISTEN"}
    assert address == "127.0.0.1"


def cookies_of(url: str) -> list[str]:
    with urllib.request.urlopen(url) as answer:
        return answer.headers.get_all("Set-Cookie") or []


def test_cookies_are_for_this_page_only_and_the_token_is_in_no_log(failing: tuple[Demo, str]) -> None:
    demo, _ = failing
    given = [cookie for cookie in cookies_of(demo.printed_url) if not cookie.startswith("_xsrf")]
    assert given and all("SameSite=Strict" in cookie and "HttpOnly" in cookie for cookie in given)
    get(f"{demo.url}/voila/files/data.csv?token={demo.token}", Referer=demo.printed_url)
    assert "/voila/files/data.csv?token=[secret]" in demo._log.read_text()
    assert demo._log.read_text().count(demo.token) == 1  # the address that is printed for its user


def test_a_port_in_use_is_passed_over_and_ctrl_c_ends_all(failing: tuple[Demo, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        notebook = tmp_path / "works.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(6 * 7)")]), notebook)
        demo = Demo(notebook, tmp_path, "--port", str(port), "--theme", "dark")
    try:
        assert urlsplit(demo.url).port != port
        assert demo.token != failing[0].token
        _, _, page = get(demo.printed_url)
        assert "42" in page and 'data-jp-theme-light="false"' in page
        (kernel,) = demo.kernels()
    finally:
        demo.stop()
    assert demo.process.returncode == 0
    assert not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.ipynb"], "expected a notebook"),
        (["--theme", "drak"], "did you mean 'dark'?"),
        (["--port", "70000"], "expected a port in 1..65535"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--no-browser", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_the_first_lesson_is_a_live_page_without_code(
    browser: Browser, lab_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("lecture")
    notebook = Path(shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", folder))
    before = notebook.read_bytes()
    demo = Demo(notebook, tmp_path_factory.mktemp("lecture_server"), data=lab_data)
    context = browser.new_context(viewport={"width": 1600, "height": 1000}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_S * 1e3)
    try:
        page = context.new_page()
        page.goto(demo.url)
        expect(page.get_by_role("button", name="Log in")).to_be_visible()
        assert demo.kernels() == []
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        page.goto(demo.printed_url, wait_until="commit")
        expect(page.get_by_role("progressbar", name="Cells that have run")).to_be_visible()
        expect(page.locator("#loading_text")).to_have_text(re.compile(r"\d+ of \d+ parts are ready"))
        # The page can be read while its cells run, and says nothing of JupyterLab.
        expect(page.get_by_role("heading", name="Start here")).to_be_visible()
        expect(page.get_by_role("progressbar", name="Cells that have run")).to_be_visible()
        screenshot(page, "demo_progress")
        expect(page.locator(".dkd-preview [data-dkd-filmstrip] img")).to_be_visible()
        screenshot(page, "demo_preview")
        bench = page.locator(".dkd-workbench")
        page.wait_for_function("() => document.querySelector('.dkd-workbench')?.dkd?.store?.shown?.frame === 24")
        expect(page.locator(".jp-InputArea-editor, .dkd-failed, [data-dkd-filmstrip]:visible")).to_have_count(0)
        expect(page.locator("#loading, .dkd-preview")).to_have_count(0)
        expect(page.get_by_text("Run All Cells")).to_be_hidden()
        assert "default_sample" not in page.content()
        bench.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_function("() => document.querySelector('.dkd-workbench').dkd.store.shown.frame === 25")
        page.wait_for_function("() => document.querySelector('.dkd-workbench').dkd.store.detail?.frame === 25")
        expect(page.locator(".js-plotly-plot")).to_be_visible()
        page.set_viewport_size({"width": 1280, "height": 720})
        page.wait_for_function("() => innerHeight === 720")
        assert page.evaluate(SMALL_TEXT) == []
        place(bench)
        page.evaluate("() => document.querySelector('.dkd-workbench').scrollIntoView()")
        screenshot(page, "demo_workbench")
        for part in (".dkd-title", ".dkd-frame", ".dkd-transport", ".dkd-timeline"):
            expect(bench.locator(part)).to_be_in_viewport(ratio=0.95)
        elsewhere = [url for url in requests if not url.startswith((demo.url, "data:", "blob:"))]
        assert elsewhere == []
        assert len(demo.kernels()) == 1
        page.close(run_before_unload=True)
        until(lambda: demo.kernels() == [])
    finally:
        context.close()
        demo.stop()
    assert notebook.read_bytes() == before
