# SPDX-License-Identifier: Apache-2.0
"""A timestamp for a manifest that was signed without one, in the room that was left for it.

The C2PA library has timestamps only by HTTP, from a client that it makes anew for each manifest:
most of what a manifest beside a file costs. The header is not signed, and nothing of the manifest
has its digest, so that a token over the signature may be put there afterwards (`sigTst2`,
C2PA 2.1, 10.3.2.5.4), exactly where the library would have put it.
"""

from __future__ import annotations

from collections.abc import Callable

from assay.signing import cbor, timestamps
from assay.signing.cbor import Tagged
from assay.signing.errors import InvalidDocument

SUPERBOX = b"jumb"  # ISO/IEC 19566-5, B.3: a box of boxes
HEADER_BYTES = 8  # its length and its type, ISO/IEC 19566-5, B.1
SIGN1 = 18  # RFC 9052, 2: the tag of a COSE_Sign1
CONTEXT = "CounterSignature"  # RFC 8152, 4.3: of a Sig_structure over somebody else's signature


def timestamped(store: bytes, stamp: Callable[[bytes], bytes]) -> bytes:
    """The same manifest store, as long, with a timestamp; `stamp` is TimeStampReq to TimeStampResp.

    Raises InvalidDocument for a store that does not end with a signature and room in it,
    BadTimestamp, and whatever `stamp` raises.
    """
    start = _last_box(store)
    protected, room, signature = _parts(store[start:])
    over = cbor.dumps([CONTEXT, protected, b"", cbor.dumps(signature)])
    token = timestamps.token(stamp(timestamps.request(over)))

    def signed(left: int) -> bytes:
        header = {"sigTst2": {"tstTokens": [{"val": token}]}, "pad": bytes(left)}
        return cbor.dumps(Tagged(SIGN1, [protected, header, None, signature]))

    made = signed(max(0, room - (start + len(signed(room)) - len(store))))
    if start + len(made) != len(store):
        raise InvalidDocument("pad", f"room for a token of {len(token)} bytes", f"{room} bytes")
    return store[:start] + made


def _last_box(store: bytes) -> int:
    """Where the content of the last box begins that is no box of boxes."""
    at, end = 0, len(store)
    while True:
        size, room = int.from_bytes(store[at : at + 4], "big"), end - at
        if not HEADER_BYTES <= size <= room:
            raise InvalidDocument("jumbf", f"a box of {HEADER_BYTES} to {room} bytes", f"{size}")
        if size < room:
            at += size
        elif store[at + 4 : at + HEADER_BYTES] == SUPERBOX:
            at += HEADER_BYTES
        else:
            return at + HEADER_BYTES


def _parts(signed: bytes) -> tuple[bytes, int, bytes]:
    """Of a COSE_Sign1 its protected header, how much room its other one has, and the signature."""
    match cbor.loads(signed):
        case Tagged(
            number=18,
            value=[bytes(protected), {"pad": bytes(pad), **others}, None, bytes(signature)],
        ) if not others:
            return protected, len(pad), signature
        case _:
            raise InvalidDocument("signature", "a COSE_Sign1 with nothing but room", "another one")
