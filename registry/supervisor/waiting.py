# SPDX-License-Identifier: Apache-2.0
"""Waits until a program that was just started answers, and says why when it does not."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from assay.signing.client import connect

from .errors import PortTaken
from .processes import POLL_SECONDS, Process

READY_SECONDS = 60.0
ANSWER_SECONDS = 5.0


def until_it_answers(process: Process, answers: Callable[[], bool], *, expectation: str) -> None:
    """Polls; a program that ends or takes too long is an error with the end of its log."""
    deadline = time.monotonic() + READY_SECONDS
    while not answers():
        if process.exit_code is not None or time.monotonic() > deadline:
            raise process.failed(expectation)
        time.sleep(POLL_SECONDS)


def listens(path: Path) -> Callable[[], bool]:
    """Whether somebody accepts connections on a unix socket."""

    def answers() -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path))
            except OSError:
                return False
            return True

    return answers


def is_healthy(url: str) -> Callable[[], bool]:
    """Whether the web server says that it, its database and its signer work."""

    def answers() -> bool:
        try:
            with connect(url, ANSWER_SECONDS) as http:
                return http.get(f"{url}/readyz").is_success
        except httpx.TransportError:
            return False

    return answers


def check_port(port: int, *, patience_seconds: float = 0.0) -> None:
    """Raises PortTaken when something else listens there, and goes on listening."""
    deadline = time.monotonic() + patience_seconds
    while (problem := _port_problem(port)) is not None:
        if time.monotonic() >= deadline:
            raise PortTaken(
                f"port {port} cannot be used ({problem}); stop what listens there, "
                f"or choose another: ASSAY_PORT={port + 1} ./run up"
            )
        time.sleep(POLL_SECONDS)


def _port_problem(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.strerror
    return None
