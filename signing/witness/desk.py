# SPDX-License-Identifier: Apache-2.0
"""What a witness answers to `add-checkpoint`, as C2SP tlog-witness lists it; no sockets here."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from .. import cosignatures, merkle, treehead
from ..canonical import MAX_INTEGER, base64_decode
from ..cosignatures import WitnessKey
from ..errors import BadTreeHead
from ..merkle import HASH_BYTES
from ..treehead import TreeHead, Verifier
from .errors import WitnessStateBroken
from .state import Memory

MAX_HASHES = 63
MAX_REQUEST_BYTES = 4 * treehead.MAX_NOTE_CHARACTERS
TEXT = "text/plain; charset=utf-8"
SIZE = "text/x.tlog.size"

_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back over HTTP."""

    status: HTTPStatus
    body: str
    content_type: str = TEXT


class _Refused(Exception):
    def __init__(self, status: HTTPStatus, body: str, content_type: str = TEXT) -> None:
        super().__init__(body)
        self.answer = Answer(status=status, body=body, content_type=content_type)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    old: int
    proof: tuple[bytes, ...]
    note: str
    head: TreeHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A witness of some ledgers; safe to be asked by several threads."""

    name: str
    key: WitnessKey
    ledgers: Sequence[Verifier]
    memory: Memory
    clock: Callable[[], int]
    """Seconds since 1970."""
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, init=False)

    def add_checkpoint(self, body: bytes) -> Answer:
        """Cosign a tree head, or say why not.

        1. The request is in its format, and the ledger is known (400, 404).
        2. The ledger signed the head (403), and it is not smaller than what it continues (400).
        3. It continues the newest head that was cosigned (409), and has the same root if it has
           the same size (409).
        4. The proof shows that (422).
        5. It is durable that the head was seen; then it is cosigned (200).
        """
        try:
            request = _parse(body)  # 1
            self._check_signature(request)  # 2
            # One at a time from look to write: of two at once the later would forget the other.
            with self._one_at_a_time:
                seen = self.memory.newest(request.head.origin)
                _check_continues(request, seen)  # 3
                _check_proof(request, seen)  # 4
                if request.head != seen:
                    self.memory.remember(request.head)  # 5
        except _Refused as refused:
            return refused.answer
        except WitnessStateBroken:
            text = "the witness cannot keep what it sees, and cosigns nothing\n"
            return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE, body=text)
        line = cosignatures.cosign(request.head, self.key, name=self.name, at=self.clock())
        return Answer(status=HTTPStatus.OK, body=line)

    def _check_signature(self, request: _Request) -> None:
        known = [each for each in self.ledgers if each.origin == request.head.origin]
        if not known:
            raise _Refused(HTTPStatus.NOT_FOUND, "this ledger is not known here\n")
        if not any(_has_signed(each, request.note) for each in known):
            raise _Refused(HTTPStatus.FORBIDDEN, "expected a tree head that the ledger signed\n")
        if request.old > request.head.size:
            raise _bad(f"expected an old size of at most {request.head.size}")


def _parse(body: bytes) -> _Request:
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _bad("expected UTF-8") from error
    before, _, note = text.partition("\n\n")
    first, *lines = before.split("\n")
    found = _OLD.fullmatch(first)
    proof = tuple(base64_decode(line) for line in lines)
    if found is None or int(found[1]) > MAX_INTEGER:
        raise _bad("expected `old` and a size in the first line")
    if len(proof) > MAX_HASHES or any(len(each) != HASH_BYTES for each in proof):
        raise _bad(f"expected at most {MAX_HASHES} lines of SHA-256 in base64")
    try:
        head = treehead.parse(note)
    except BadTreeHead as error:
        raise _bad(str(error)) from error
    return _Request(old=int(found[1]), proof=proof, note=note, head=head)


def _has_signed(ledger: Verifier, note: str) -> bool:
    try:
        treehead.verify(note, ledger.text())
    except BadTreeHead:
        return False
    return True


def _check_continues(request: _Request, seen: TreeHead) -> None:
    is_split = request.head.size == seen.size and request.head.root != seen.root
    if request.old != seen.size or is_split:
        raise _Refused(HTTPStatus.CONFLICT, f"{seen.size}\n", SIZE)


def _check_proof(request: _Request, seen: TreeHead) -> None:
    head = request.head
    try:
        merkle.verify_consistency(seen.size, head.size, seen.root, head.root, request.proof)
    except BadTreeHead as error:
        raise _Refused(HTTPStatus.UNPROCESSABLE_ENTITY, f"{error}\n") from error


def _bad(text: str) -> _Refused:
    return _Refused(HTTPStatus.BAD_REQUEST, f"{text}\n")
