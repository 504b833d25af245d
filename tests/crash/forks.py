# SPDX-License-Identifier: Apache-2.0
"""A registry process that forks for each order, so that a test can kill the fork at any call.

Orders come on standard input, one a line: `advance ID`, `along ID`, `receive FILE`, `request FILE`.
The answers are the fork's process id, when it waits for SIGUSR1 to begin, and its wait status, when
it has ended.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import django

PR_SET_PTRACER = 0x59616D61
PR_SET_PTRACER_ANY = -1


def main() -> None:
    """Serves orders until standard input ends."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry.settings")
    django.setup()
    import registry.asgi  # noqa: F401, PLC0415 - once, and not in each fork

    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    for line in sys.stdin:
        order, argument = line.split()
        child = os.fork()
        if child == 0:
            _obey(order, argument)
        print(child, flush=True)  # noqa: T201 - the answer
        print(os.waitpid(child, 0)[1], flush=True)  # noqa: T201 - the answer


def _obey(order: str, argument: str) -> None:
    """In the fork; never returns."""
    # Where only a parent may trace (Yama), the test's strace is none.
    ctypes.CDLL(None).prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0)
    signal.sigwait({signal.SIGUSR1})
    try:
        ORDERS[order](argument)
    except BaseException:  # noqa: BLE001 - a fork ends here, whatever happens
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _advance(checkpoint_id: str) -> None:
    from registry.catalog import services  # noqa: PLC0415 - after django.setup()

    services.advance(int(checkpoint_id))


def _along(checkpoint_id: str) -> None:
    """As the worker does."""
    from registry.catalog import services  # noqa: PLC0415 - after django.setup()

    services.advance_with_others(int(checkpoint_id))


def _receive(file: str) -> None:
    from assay.signing.manifest import Manifest  # noqa: PLC0415 - as above
    from registry.accounts import queries as accounts  # noqa: PLC0415 - as above
    from registry.catalog import queries, services  # noqa: PLC0415 - as above

    wanted = json.loads(Path(file).read_text())
    user = accounts.user(wanted["user"])
    assert user is not None
    services.receive(
        services.Submission(
            user=user,
            project=queries.project(*wanted["project"].split("/")),
            name=wanted["name"],
            step=None,
            manifest=Manifest.parse(wanted["manifest"]),
        )
    )


class Here(ThreadPoolExecutor):
    """Does in the thread that asks what others do in one of their own: strace counts by thread."""

    def submit(self, fn: Callable[..., Any], /, *args: object, **kwargs: object) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is asked for
            done.set_exception(error)
        return done


def _request(file: str) -> None:
    """One request to the whole application; what is answered is written to `answered` at once."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # the database is asked in the loop's thread
    wanted = json.loads(Path(file).read_text())
    with Path(wanted["answered"]).open("wb", buffering=0) as answered:
        asyncio.run(_asked(wanted, Path(wanted["body"]).read_bytes(), answered.fileno()))


async def _asked(wanted: dict[str, Any], body: bytes, answered: int) -> None:
    from registry.asgi import application  # noqa: PLC0415 - after django.setup()

    asyncio.get_running_loop().set_default_executor(Here())
    coming = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: Any) -> None:  # noqa: ANN401 - as ASGI has it
        if message["type"] == "http.response.start":
            os.write(answered, str(message["status"]).encode())

    headers = {"Content-Length": str(len(body)), "Host": "localhost", **wanted["headers"]}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": wanted["method"],
        "scheme": "http",
        "path": wanted["path"],
        "raw_path": wanted["path"].encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 8000),
    }
    await application(scope, receive, send)


ORDERS = {"advance": _advance, "along": _along, "receive": _receive, "request": _request}

if __name__ == "__main__":
    main()
