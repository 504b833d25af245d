# SPDX-License-Identifier: Apache-2.0
"""The embedded Valkey keeps nothing on the disk and listens on no port."""

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


def test_nothing_is_kept_between_starts(places: Places) -> None:
    server = valkey(places)
    for _ in range(2):
        process = server.start()
        with redis.Redis(unix_socket_path=str(server.socket_path)) as client:
            assert client.get("kept") is None
            client.set("kept", "yes")
            assert client.config_get("port") == {"port": "0"}
        process.stop()
    assert list(server.data.iterdir()) == []


def test_what_a_power_cut_left_of_an_older_versions_file_keeps_nobody_waiting(
    places: Places,
) -> None:
    server = valkey(places)
    (server.data / "appendonlydir").mkdir(parents=True)
    manifest = server.data / "appendonlydir" / "appendonly.aof.manifest"
    manifest.write_bytes(bytes(100))
    server.start().stop()


def test_a_server_that_cannot_start_says_why(places: Places) -> None:
    server = valkey(places)
    server.data.mkdir(parents=True)
    (server.data / "dump.rdb").write_text("nonsense\n", encoding="ascii")
    with pytest.raises(ProgramFailed, match="valkey"):
        server.start()


def test_without_the_wheel_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(binaries, "VALKEY_WHEEL", "no_such_wheel")
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(ProgramMissing, match="BROKER_URL"):
        binaries.valkey_program()
