# SPDX-License-Identifier: Apache-2.0
"""A timestamp that comes after the signature is one that the C2PA library believes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from c2pa import Context, Reader
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import cbor
from assay.signing.cbor import Tagged
from assay.signing.errors import BadTimestamp, InvalidDocument
from assay.signing.tokens import Failure, rejection
from registry.outputs.credentials.countersigning import timestamped
from tests.signing.studio import CONTENT, Studio


def report(studio: Studio, store: bytes) -> Any:  # noqa: ANN401 - the library's JSON
    """What the library says of a picture and the manifest beside it, by the registry's root."""
    anchors = studio.world.trust.root.public_bytes(Encoding.PEM).decode()
    with (
        Context.from_dict({"trust": {"trust_anchors": anchors}}) as context,
        Reader("image/png", io.BytesIO(CONTENT), manifest_data=store, context=context) as reader,
    ):
        return json.loads(reader.json())


def test_the_library_finds_it_where_it_would_have_put_it() -> None:
    studio = Studio.open()
    said = report(studio, studio.beside())
    passed = said["validation_results"]["activeManifest"]["success"]
    codes = {each["code"] for each in passed}
    assert {"timeStamp.validated", "timeStamp.trusted", "claimSignature.validated"} <= codes
    assert said["validation_state"] == "Trusted"


def box(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content


def store(signed: bytes) -> bytes:
    """As much of a manifest store as is looked at: two manifests, the second signed so."""
    manifest = box(b"jumb", box(b"jumd", b"a claim") + box(b"cbor", b"\xf6"))
    last = box(b"jumb", box(b"jumd", b"a signature") + box(b"cbor", signed))
    return box(b"jumb", box(b"jumd", b"c2pa") + manifest + last)


def signed(header: dict[str, object], *, number: int = 18) -> bytes:
    return cbor.dumps(Tagged(number, [b"\xa0", header, None, bytes(64)]))


@pytest.mark.parametrize("room", [2100, 10_000, 70_000])
def test_a_store_stays_as_long_as_it_was(room: int) -> None:
    before = store(signed({"pad": bytes(room)}))
    after = timestamped(before, Studio.open().office().stamp)
    assert len(after) == len(before)
    assert b"tstTokens" in after


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (b"", "jumbf: expected a box of 8 to 0 bytes, found 0"),
        (store(signed({"pad": bytes(9000)}))[:-1], "jumbf: expected a box of 8 to"),
        (box(b"jumb", b"\0\0\0\7jumd"), "jumbf: expected a box of 8 to 8 bytes, found 7"),
        (store(b"\xf6"), "signature: expected a COSE_Sign1 with nothing but room"),
        (store(signed({"pad": bytes(9000)}, number=98)), "signature: expected a COSE_Sign1"),
        (store(signed({})), "signature: expected a COSE_Sign1"),
        (store(signed({"pad": bytes(9000), "rVals": {}})), "signature: expected a COSE_Sign1"),
        (store(signed({"pad": bytes(1000)})), "pad: expected room for a token of"),
        (store(signed({"pad": bytes(1)})), "pad: expected room for a token of"),
    ],
)
def test_where_there_is_no_room_nothing_is_put(given: bytes, says: str) -> None:
    with pytest.raises(InvalidDocument, match=says):
        timestamped(given, Studio.open().office().stamp)


def test_what_is_stamped_once_is_not_stamped_again() -> None:
    studio = Studio.open()
    with pytest.raises(InvalidDocument, match="signature: expected a COSE_Sign1 with nothing but"):
        timestamped(studio.beside(), studio.office().stamp)


@pytest.mark.parametrize(
    ("stamp", "says"),
    [
        (lambda _: rejection(Failure.BAD_REQUEST, "no"), "expected a granted timestamp"),
        (lambda _: b"", "expected a TimeStampResp in DER"),
    ],
)
def test_a_refusal_is_no_timestamp(stamp: Callable[[bytes], bytes], says: str) -> None:
    with pytest.raises(BadTimestamp, match=says):
        timestamped(store(signed({"pad": bytes(9000)})), stamp)
