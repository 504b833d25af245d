# SPDX-License-Identifier: Apache-2.0
"""An embedded Valkey server: Celery's transport over a unix socket, no port."""

import os
import shutil
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from .binaries import valkey_program
from .processes import POLL_SECONDS, Process, Program

START_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Valkey:
    """Where an embedded server keeps its data and its socket."""

    data: Path
    socket_path: Path
    log: Path

    @property
    def url(self) -> str:
        """What BROKER_URL says about this server."""
        return f"redis+socket://{self.socket_path}"

    def start(self) -> Process:
        """Starts the server and waits until it answers."""
        for folder in (self.data, self.socket_path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.socket_path.unlink(missing_ok=True)
        shutil.rmtree(self.data / "appendonlydir", ignore_errors=True)  # of an older version
        settings = {
            "port": "0",
            "unixsocket": str(self.socket_path),
            "unixsocketperm": "700",
            # Rows are the truth, and a message a nudge that sweeps make up for. A file that a
            # power cut tore would keep the registry from starting.
            "appendonly": "no",
            "save": "",
            "dir": str(self.data),
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        process = Process(
            Program(
                name="valkey",
                arguments=(str(valkey_program()), *options),
                log=self.log,
                environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            )
        )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if process.exit_code is not None or time.monotonic() > deadline:
                failure = process.failed("a server that answers")
                process.stop()
                raise failure
            time.sleep(POLL_SECONDS)
        return process

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket_path))
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
            except OSError:
                return False
