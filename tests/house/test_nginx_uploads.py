# SPDX-License-Identifier: Apache-2.0
"""docker/nginx.conf bounds no body: large uploads come through, by whatever protocol."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import httpx
import pytest

from tests.needing import needs
from tests.running import free_port

from .test_compose import nginx_files

pytestmark = needs("nginx")
ADDRESS = "127.0.0.1"
DIGEST = "0" * 64
BODY = b"x" * 9_000_000  # more than nginx takes by itself
CHUNK = b"x" * 1_000_000
SECONDS = 60
LEFT: SimpleQueue[int] = SimpleQueue()  # of a body, after each piece that was read

UPLOADS = (
    ("PUT", f"/api/v1/blobs/sha256:{DIGEST}"),
    ("PUT", f"/api/lfs/objects/{DIGEST}"),
    ("PUT", f"/api/lfs/parts/{DIGEST}/1"),
    ("POST", f"/api/xet/v1/xorbs/default/{DIGEST}"),
    ("POST", "/api/xet/v1/shards"),
    ("POST", "/api/models/demo/mine/commit/main"),
    ("POST", "/api/v1/outputs/media"),
    ("POST", "/api/v1/outputs/batch"),
)


class Answers(BaseHTTPRequestHandler):
    """Stands for the web process: reads what comes, and takes it."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        left = int(self.headers["Content-Length"])
        while left:
            left -= len(self.rfile.read(min(left, len(CHUNK))))
            LEFT.put(left)
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT  # noqa: N815 (the name that http.server looks for)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Nothing."""


@pytest.fixture
def behind() -> Iterator[ThreadingHTTPServer]:
    while not LEFT.empty():
        LEFT.get()
    with ThreadingHTTPServer((ADDRESS, 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(behind: ThreadingHTTPServer, tmp_path: Path) -> Iterator[httpx.Client]:
    """Of nginx, before the server."""
    port = free_port()
    places = (
        ("listen 80;", f"listen {ADDRESS}:{port};"),
        (f"{ADDRESS}:8000", f"{ADDRESS}:{behind.server_port}"),
    )
    main = nginx_files(tmp_path, *places)
    with subprocess.Popen(["nginx", "-p", str(tmp_path), "-c", str(main)]) as nginx:
        try:
            with httpx.Client(
                base_url=f"http://{ADDRESS}:{port}", transport=httpx.HTTPTransport(retries=8)
            ) as client:
                yield client
        finally:
            nginx.terminate()


@pytest.mark.parametrize(("method", "path"), UPLOADS)
def test_only_the_registry_bounds_a_body(client: httpx.Client, method: str, path: str) -> None:
    assert client.request(method, path, content=BODY).status_code == 201


def test_nginx_keeps_no_body_back(client: httpx.Client) -> None:
    assert client.post("/").status_code == 201  # it is up
    url = client.base_url
    head = f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {2 * len(CHUNK)}\r\n\r\n"
    with socket.create_connection((url.host, url.port), timeout=SECONDS) as wire:
        wire.sendall(head.encode() + CHUNK)
        assert LEFT.get(timeout=SECONDS) == len(CHUNK)
        wire.sendall(CHUNK)
        assert wire.recv(12) == b"HTTP/1.1 201"
