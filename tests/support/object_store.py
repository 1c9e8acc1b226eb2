"""A server that speaks S3 on loopback, behind a connection that can be cut: a store that is away, and comes back."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest


class ObjectStore:
    """moto's server in a process of its own. It keeps what it has while it cannot be reached.

    Attributes:
        port: where it is reached.
        cut_after: number of bytes after which the next request that is longer than that is cut; ``None``: none is.
    """

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._inner = free.getsockname()[1]
        self.cut_after: int | None = None
        self._is_away = False
        self._open: set[socket.socket] = set()
        self._process: subprocess.Popen[bytes] | None = None
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]

    def start(self) -> None:
        """Start the server and the door before it."""
        self._start_server()
        threading.Thread(target=self._serve, daemon=True).start()

    def restart(self) -> None:
        """Start the server again, which forgets all that it had."""
        self._end_server()
        self._start_server()

    def _start_server(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._inner)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            assert self._process.poll() is None, "the server of S3 ended"
            try:
                socket.create_connection(("127.0.0.1", self._inner), 1).close()
                break
            except OSError:
                time.sleep(0.05)

    def stop(self) -> None:
        """End both."""
        self.go_away()
        self._door.close()
        self._end_server()

    def _end_server(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def go_away(self) -> None:
        """Cut all connections, and every new one."""
        self._is_away = True
        for one in list(self._open):
            _close(one)

    def come_back(self) -> None:
        """Let connections through again."""
        self._is_away = False

    def put(self, name: str, data: bytes) -> None:
        """Put an object into the bucket ``clips``."""
        import s3fs

        store = s3fs.S3FileSystem(skip_instance_cache=True)
        store.makedirs("clips", exist_ok=True)
        store.pipe_file(f"clips/{name}", data)

    def names(self, below: str) -> list[str]:
        """Return the names of the objects of the bucket ``clips`` that begin with ``below/``, without it."""
        import s3fs

        store = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
        return sorted(name.removeprefix(f"clips/{below}/") for name in store.find(f"clips/{below}"))

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._door.accept()
                if self._is_away:
                    _close(client)
                    continue
                server = socket.create_connection(("127.0.0.1", self._inner))
                self._open |= {client, server}
                for one, other, is_request in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pump, args=(one, other, is_request), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, is_request: bool) -> None:
        n_bytes = 0
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                n_bytes += len(data)
                if is_request and self.cut_after is not None and n_bytes > self.cut_after:
                    self.cut_after = None
                    other.sendall(data[: len(data) // 2])
                    break
                other.sendall(data)
        for each in (one, other):
            _close(each)
            self._open.discard(each)


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextlib.contextmanager
def object_store() -> Iterator[ObjectStore]:
    """Yield a server that s3fs of this process and its children finds."""
    import s3fs

    store = ObjectStore()
    environment = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store.port}", "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1",
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        store.start()
        s3fs.S3FileSystem.clear_instance_cache()  # file systems of an earlier store, whose address they keep
        try:
            yield store
        finally:
            store.stop()
            s3fs.S3FileSystem.clear_instance_cache()
