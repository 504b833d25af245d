# SPDX-License-Identifier: Apache-2.0
"""Serves a `World` over HTTP on loopback: routes, tokens, idempotency keys, and scripted faults."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from typing_extensions import override

from assay.signing.digests import sha256
from assay.signing.errors import AssayError

from .registry_world import TOKEN, Refusal, World

Body = Mapping[str, object]


class Kind(StrEnum):
    """What goes wrong at the registry."""

    REFUSE = "refuse"
    """503, and nothing happens."""
    FORGET_TO_ANSWER = "forget"
    """It happens, and the connection breaks before the answer."""
    CORRUPT = "corrupt"
    """The answer's bytes are others."""


@dataclass(kw_only=True)
class Fault:
    """The next `times` requests whose `METHOD path` matches go wrong."""

    pattern: str
    kind: Kind = Kind.REFUSE
    times: int = 1


class Server(ThreadingHTTPServer):
    """A world that listens."""

    daemon_threads = True

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.world = world
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        world.url = f"http://127.0.0.1:{self.server_port}"

    def fault_for(self, request: str) -> Kind | None:
        for fault in self.faults:
            if fault.times and re.search(fault.pattern, request):
                fault.times -= 1
                return fault.kind
        return None

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed breaks its connection; that is no error here."""


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for the acknowledgement of its head

    def do_GET(self) -> None:
        self._handle(b"")

    def do_POST(self) -> None:
        self._handle(self._read())

    def do_PUT(self) -> None:
        self._handle(self._read())

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _read(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _handle(self, data: bytes) -> None:
        request = f"{self.command} {self.path}"
        with self.server.world.lock:
            self.server.requests.append(request)
            fault = self.server.fault_for(request)
        if fault is Kind.REFUSE:
            self._send(503, {"code": "unavailable", "detail": "restarting"})
            return
        status, answer = self._outcome(request, data)
        if fault is Kind.FORGET_TO_ANSWER:
            self.close_connection = True
            return
        if fault is Kind.CORRUPT and isinstance(answer, bytes):
            answer = bytes(byte ^ 1 for byte in answer)
        self._send(status, answer)

    def _outcome(self, request: str, data: bytes) -> tuple[int, object]:
        world = self.server.world
        try:
            with world.lock:
                return self._route(request, data)
        except Refusal as refusal:
            if refusal.is_misuse:
                world.misuses.append(f"{request}: {refusal}")
            return refusal.status, {"code": refusal.code, "detail": str(refusal)}
        except AssayError as error:
            world.misuses.append(f"{request}: {error}")
            return 422, {"code": error.code, "detail": str(error)}

    def _route(self, request: str, data: bytes) -> tuple[int, object]:
        if self.path != "/.well-known/assay/trust-root.json":
            self._check_token()
        for pattern, answer in ROUTES.items():
            match = re.fullmatch(pattern, request)
            if match:
                return answer(self, match.groups(), data)
        raise Refusal(404, "not-found", "no such route")

    def _check_token(self) -> None:
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            raise Refusal(401, "unauthenticated", "expected the token")

    def _send(self, status: int, answer: object) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status != 204:
            self.wfile.write(content)


Answer = Callable[[Handler, tuple[str, ...], bytes], tuple[int, object]]


def _get(find: Callable[[World, tuple[str, ...]], object]) -> Answer:
    return lambda handler, parts, _data: (200, find(handler.server.world, parts))


def _post(status: int, act: Callable[[World, tuple[str, ...], Body], object]) -> Answer:
    """Act once for each idempotency key: the same body gets the same answer, another none."""

    def answer(handler: Handler, parts: tuple[str, ...], data: bytes) -> tuple[int, object]:
        world = handler.server.world
        key = handler.headers["Idempotency-Key"]
        world.expect("checkpoints" not in handler.path or key, "a submission without a key")
        known = world.answers.get(f"{handler.path} {key}")
        if known is not None:
            world.expect(known[0] == sha256(data), "a key was used with another body")
            return known[1]
        found = act(world, parts, json.loads(data))
        answered = (204, None) if found is None else (status, found)
        if key is not None:
            world.answers[f"{handler.path} {key}"] = (sha256(data), answered)
        return answered

    return answer


def _submit(world: World, parts: tuple[str, ...], body: Body) -> object:
    return world.submit(parts[0], body)


def _blob(handler: Handler, parts: tuple[str, ...], data: bytes) -> tuple[int, object]:
    world = handler.server.world
    if parts[0] not in world.blobs:
        raise Refusal(404, "not-found", "no such blob")
    return 200, world.blobs[parts[0]]


def _store(handler: Handler, parts: tuple[str, ...], data: bytes) -> tuple[int, object]:
    world = handler.server.world
    world.expect(sha256(data) == parts[0], "a blob of another digest")
    is_new = parts[0] not in world.blobs
    world.blobs[parts[0]] = data
    return (201 if is_new else 200), {}


ROUTES: dict[str, Answer] = {
    r"GET /\.well-known/assay/trust-root\.json": _get(lambda world, _parts: world.trust_root()),
    r"GET /api/v1/conduct/(.+)": _get(lambda world, parts: world.show_conduct(parts[0])),
    r"GET /api/v1/checkpoints/([^?]+)\?project=[^?]+": _get(
        lambda world, parts: world.show_checkpoint(parts[0])
    ),
    r"GET /api/v1/blobs/sha256:([0-9a-f]{64})": _blob,
    r"PUT /api/v1/blobs/sha256:([0-9a-f]{64})": _store,
    r"POST /api/v1/nodes": _post(201, lambda world, _parts, body: world.join(body)),
    r"POST /api/v1/nodes/([^/]+)/heartbeat": _post(
        200, lambda world, parts, body: world.greet(parts[0], body)
    ),
    r"POST /api/v1/leases": _post(201, lambda world, _parts, body: world.lease(body)),
    r"POST /api/v1/leases/([^/]+)/heartbeat": _post(
        200, lambda world, parts, body: world.beat(parts[0], body)
    ),
    r"POST /api/v1/leases/([^/]+)/losses": _post(
        204, lambda world, parts, body: world.take_losses(parts[0], body)
    ),
    r"POST /api/v1/leases/([^/]+)/checkpoints": _post(202, _submit),
    r"POST /api/v1/leases/([^/]+)/(complete|release)": _post(
        204, lambda world, parts, _body: world.end(parts[0], is_complete=parts[1] == "complete")
    ),
    r"POST /api/v1/generation/lease": _post(200, lambda world, _parts, body: world.lease_job(body)),
    r"POST /api/v1/generation/([^/]+)/(complete|fail)": _post(
        204, lambda world, parts, body: world.end_job(parts[0], parts[1], body)
    ),
}


@contextmanager
def serving(world: World) -> Iterator[Server]:
    """A world on loopback; afterwards, nobody may have misused it."""
    with Server(world) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
    assert world.misuses == []
