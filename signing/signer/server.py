# SPDX-License-Identifier: Apache-2.0
"""The unix socket: who may speak, one request after the other, and a clean stop.

One thread and no locks on purpose: the audit chain and the high-water mark are sequences, and a
request is answered whole before the next is read.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import stat
import struct
from pathlib import Path
from typing import Protocol

from .answers import write_refusal
from .errors import BadRequest, SignerFilesBroken
from .protocol import LENGTH_BYTES, MAX_MESSAGE_BYTES, frame

LOGGER = logging.getLogger("assay.signer")
MAX_SOCKET_PATH_BYTES = 107  # sun_path of unix(7), less its NUL
SOCKET_MODE = 0o600
BACKLOG = 128
STOP_SECONDS = 2.0
_PEER = struct.Struct("3i")  # struct ucred of unix(7): pid, uid, gid


class Service(Protocol):
    """What stands behind the socket."""

    def answer(self, message: bytes) -> bytes:
        """The answer to one message; a refusal is an answer too."""
        ...


async def serve(
    service: Service, *, listener: socket.socket, uid: int, stopped: asyncio.Event
) -> None:
    """Answer callers whose user id is `uid` until `stopped` is set; then finish and close."""
    door = _Door(service, uid=uid)
    server = await asyncio.start_unix_server(door.converse, sock=listener)
    LOGGER.info("the signer is listening")
    await stopped.wait()
    server.close()
    await door.close()
    LOGGER.info("the signer has stopped")


def listen(path: Path) -> socket.socket:
    """A listening socket that only this user can reach; raises SignerFilesBroken."""
    if len(bytes(path)) > MAX_SOCKET_PATH_BYTES:
        message = f"the socket's path has more than {MAX_SOCKET_PATH_BYTES} bytes: {path}"
        raise SignerFilesBroken(message)
    check_private(path.parent)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(SOCKET_MODE)  # before listen: until then every connect is refused
    listener.listen(BACKLOG)
    listener.setblocking(False)  # noqa: FBT003 - the standard library's signature
    return listener


def check_private(folder: Path) -> None:
    """Refuse a folder that anybody but its owner may enter or read."""
    try:
        mode = stat.S_IMODE(folder.stat().st_mode)
    except OSError as error:
        raise SignerFilesBroken(f"the folder {folder} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        message = f"the folder {folder} has mode {mode:04o}, expected 0700: others could reach it"
        raise SignerFilesBroken(message)


def _remove_stale(path: Path) -> None:
    """Take away the socket that a killed signer left; refuse to take a living one's place."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        result = probe.connect_ex(str(path))
    if result == errno.ENOENT:
        return
    if result != errno.ECONNREFUSED:
        raise SignerFilesBroken(f"another program answers on the socket {path}")
    path.unlink()


class _Door:
    """The open conversations."""

    def __init__(self, service: Service, *, uid: int) -> None:
        self._service = service
        self._uid = uid
        self._conversations: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: any number of requests, in order."""
        self._conversations[writer] = asyncio.current_task()
        try:
            if _peer_uid(writer) != self._uid:
                LOGGER.warning("a caller with another user id was turned away")
                return
            while await self._exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the caller went away; whatever it was told is durable
        finally:
            del self._conversations[writer]
            writer.close()

    async def close(self) -> None:
        """Send what is already answered, then hang up."""
        tasks = [task for task in self._conversations.values() if task is not None]
        for writer in list(self._conversations):
            writer.close()
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_SECONDS)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether another may follow."""
        length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
        if length > MAX_MESSAGE_BYTES:
            text = f"expected a message of at most {MAX_MESSAGE_BYTES} bytes, found {length}"
            writer.write(frame(write_refusal(BadRequest(text))))
            await writer.drain()
            return False
        message = await reader.readexactly(length)
        writer.write(frame(self._service.answer(message)))
        await writer.drain()
        return True


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    connection: socket.socket = writer.get_extra_info("socket")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    uid: int = _PEER.unpack(credentials)[1]
    return uid
