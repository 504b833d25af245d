# SPDX-License-Identifier: Apache-2.0
"""C2PA claims as bytes, made with a small writer of CBOR; and reports as a C2PA library gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from assay.signing.certificates import Chain
from assay.signing.credentials import Credentials, label
from assay.signing.statements import Origin
from tests.signing.signer.worlds import REGISTRY

LABEL = label(REGISTRY)


def cbor(value: object) -> bytes:
    """A value in CBOR's shortest form."""
    match value:
        case bool() | None:
            return {False: b"\xf4", True: b"\xf5", None: b"\xf6"}[value]
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            return _head(3, len(value.encode())) + value.encode()
        case list():
            return _head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            pairs = (cbor(key) + cbor(inner) for key, inner in value.items())
            return _head(5, len(value)) + b"".join(pairs)
    raise TypeError(type(value))


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    size = next(size for size in (1, 2, 4, 8) if number < 1 << 8 * size)
    return bytes([kind << 5 | 23 + size.bit_length()]) + number.to_bytes(size, "big")


def claim(*labels: str, generator: str = "Assay") -> dict[str, object]:
    """Of what the signer looks at, all."""
    prefix = "self#jumbf=c2pa.assertions/"
    listed = [{"url": f"{prefix}{each}", "hash": b"\x01" * 32} for each in labels]
    return {"claim_generator_info": {"name": generator}, "created_assertions": listed}


def structure(chain: Chain, of: Mapping[str, object] | None = None) -> bytes:
    """The Sig_structure of a claim by this chain."""
    header = {1: -7, 33: list(chain.to_der())}
    payload = cbor(claim("c2pa.actions.v2", LABEL) if of is None else dict(of))
    return cbor(["Signature1", cbor(header), b"", payload])


def said(**other: Any) -> Credentials:  # noqa: ANN401 - of each field's own type
    """A registry's own assertion."""
    words: dict[str, Any] = {
        "registry": REGISTRY,
        "output": "01234567-89ab-4cde-8f01-23456789abcd",
        "claim": Origin.CALLER_ASSERTED,
        "checkpoint_sha256": "1" * 64,
        "checkpoint_statement_sha256": "2" * 64,
        "index": 7,
    }
    return Credentials(**(words | other))


def report(**other: object) -> dict[str, Any]:
    """What a library says of a file with one manifest that is as it should be."""
    manifest = {
        "ingredients": [{"title": "lab/small@by-hand", "relationship": "inputTo"}],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {}},
            {"label": LABEL, "data": said().to_json()},
        ],
    }
    succeeded = [{"code": "claimSignature.validated"}, {"code": "timeStamp.trusted"}]
    whole: dict[str, Any] = {
        "active_manifest": "urn:c2pa:1",
        "manifests": {"urn:c2pa:1": manifest},
        "validation_results": {"activeManifest": {"success": succeeded, "failure": []}},
        "validation_state": "Trusted",
    }
    return whole | other
