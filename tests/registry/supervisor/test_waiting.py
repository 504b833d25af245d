# SPDX-License-Identifier: Apache-2.0
"""Waiting ends when a program answers, and with its log when it cannot."""

import socket
from pathlib import Path

import pytest

from registry.supervisor import waiting
from registry.supervisor.errors import PortTaken, ProgramFailed
from registry.supervisor.processes import Process

from .worlds import python, written

LISTENER = """
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind({path!r})
listener.listen()
time.sleep(60)
"""


def test_it_ends_when_the_socket_is_there(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    process = Process(python(tmp_path, LISTENER.format(path=str(path))))
    waiting.until_it_answers(process, waiting.listens(path), expectation="its socket")
    process.stop()


def test_a_program_that_ends_first_is_an_error_with_its_log(tmp_path: Path) -> None:
    process = Process(python(tmp_path, "print('out of paper'); raise SystemExit(4)"))
    with pytest.raises(ProgramFailed, match="expected its socket") as raised:
        waiting.until_it_answers(
            process, waiting.listens(tmp_path / "socket"), expectation="its socket"
        )
    assert "out of paper" in str(raised.value)


def test_nobody_there_is_not_healthy() -> None:
    assert waiting.is_healthy("http://127.0.0.1:9")() is False


def test_a_port_that_is_taken_is_named_with_another(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"ASSAY_PORT={port + 1} \./run up"):
            waiting.check_port(port)
    waiting.check_port(port)


def test_a_port_that_gets_free_in_time_will_do(tmp_path: Path) -> None:
    holder = (
        "import socket, time\n"
        "listener = socket.create_server(('127.0.0.1', 0))\n"
        "print(listener.getsockname()[1], flush=True)\n"
        "time.sleep(0.5)\n"
    )
    process = Process(python(tmp_path, holder))
    port = int(written(tmp_path / "program.log"))
    waiting.check_port(port, patience_seconds=20)
    process.stop()
