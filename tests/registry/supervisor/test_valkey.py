# SPDX-License-Identifier: Apache-2.0
"""The embedded Valkey keeps its data and listens on no port."""

import os

import pytest
import redis

from registry.supervisor import binaries
from registry.supervisor.errors import ProgramFailed, ProgramMissing
from registry.supervisor.places import Places
from registry.supervisor.valkey import Valkey


def valkey(places: Places) -> Valkey:
    return Valkey(
        data=places.valkey,
        socket_path=places.sockets / "valkey" / "socket",
        log=places.logs / "valkey.log",
    )


def test_data_are_kept_between_starts(places: Places) -> None:
    server = valkey(places)
    process = server.start()
    with redis.Redis(unix_socket_path=str(server.socket_path)) as client:
        client.set("kept", "yes")
        assert client.config_get("port") == {"port": "0"}
    process.stop()
    process = server.start()
    with redis.Redis(unix_socket_path=str(server.socket_path)) as client:
        assert client.get("kept") == b"yes"
    process.stop()


def test_a_server_that_cannot_start_says_why(places: Places) -> None:
    server = valkey(places)
    (server.data / "appendonlydir").mkdir(parents=True)
    manifest = server.data / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_text("nonsense\n", encoding="ascii")
    with pytest.raises(ProgramFailed, match="AOF manifest"):
        server.start()


def test_without_the_wheel_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(binaries, "VALKEY_WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(ProgramMissing, match="BROKER_URL"):
        binaries.valkey_program()
