"""A study on a Ray cluster that was started by ``ray start``: its driver is killed, and the next one goes on."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dkd import Study
from tests.studies.test_study import NoWorker, make, same_results

STOPS = (5, 30, 10)
LONG = pytest.mark.skipif("DKD_LONG" not in os.environ, reason="a cluster is started; make cluster runs it")
pytestmark = LONG


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """The address of a cluster of one machine with two processors, on loopback, in a temporary folder."""
    folder = tempfile.mkdtemp(prefix="dkd", dir="/tmp")  # the paths of sockets are limited to about 100 characters
    port = free_port()
    environment = {
        "HOME": str(home), "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": os.urandom(16).hex(),
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0",
    }  # fmt: skip
    program = (  # as the command does, but it listens on loopback only
        "import sys; from ray._private import ray_constants; ray_constants.ENABLE_RAY_CLUSTER = False\n"
        "from ray.scripts.scripts import main; sys.exit(main())"
    )
    command = [
        sys.executable, "-c", program, "start", "--head", "--block", "--node-ip-address", "127.0.0.1", "--port",
        str(port), "--num-cpus", "2", "--object-store-memory", str(80 * 2**20), "--include-dashboard", "false",
        "--temp-dir", folder, "--disable-usage-stats", "--min-worker-port", "0", "--max-worker-port", "0",
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        with open(Path(folder, "said.txt"), "w") as said:
            head = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        while "Ray runtime started" not in (text := Path(folder, "said.txt").read_text()):
            assert head.poll() is None, text
            time.sleep(0.1)
        yield f"127.0.0.1:{port}"
        started = psutil.Process(head.pid).children(recursive=True)
        head.send_signal(signal.SIGTERM)
        head.wait(60)
        for process in psutil.wait_procs(started, 30)[1]:
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The study as one process of this machine does it."""
    study = make(tmp_path_factory.mktemp("done"), *STOPS)
    assert [one.error for one in study.run(1)] == [None] * len(STOPS)
    return study


def test_a_killed_driver_loses_nothing_and_the_next_one_goes_on(
    tmp_path: Path, done: Study, address: str, home: Path
) -> None:
    study = make(tmp_path, *STOPS)
    command = [
        sys.executable, "-m", "dkd", "study", "run", str(study.folder), "--engine", "ray", "--address", address,
        "--workers", "1", "--quiet",
    ]  # fmt: skip
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not list(study.folder.glob("joints/**/*.parquet")):
        assert driver.poll() is None, driver.communicate()[1]
        time.sleep(0.02)
    driver.kill()
    driver.communicate()
    finished = {part: part.stat().st_mtime_ns for part in study.folder.glob("joints/**/*.parquet")}
    assert 0 < len(finished) < len(STOPS)
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    same_results(study, done)
    assert {part: part.stat().st_mtime_ns for part in finished} == finished  # what was finished is not done again
    assert list(study.run(engine=NoWorker({}))) == []
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_the_cluster_is_left_running_and_listens_on_loopback_only(tmp_path: Path, done: Study, address: str) -> None:
    study = make(tmp_path, *STOPS)
    command = [
        sys.executable, "-m", "dkd", "study", "run", str(study.folder), "--engine", "ray", "--address", address
    ]  # fmt: skip
    ran = subprocess.run([*command, "--quiet"], capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    same_results(study, done)
    host, _, port = address.rpartition(":")
    socket.create_connection((host, int(port)), 5).close()
    listening = set()
    for process in psutil.Process().children(recursive=True):
        listening |= {one.laddr.ip for one in process.net_connections("inet") if one.status == "LISTEN"}
    assert listening and listening <= {"127.0.0.1", "::1", "::ffff:127.0.0.1"}
