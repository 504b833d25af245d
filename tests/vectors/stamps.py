# SPDX-License-Identifier: Apache-2.0
"""Timestamps of the output with one thing changed: unsigned parts, and what the authority signs.

Everything about a token but its signature's other form is under a signature or is in the one form
that it can have (docs/spec/formats.md, section 6).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

from asn1crypto import cms, core, tsp
from cryptography import x509

from assay.signing import der, tokens
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.tokens import Algorithm, Token
from tests.signing.forge import Change
from tests.signing.world import AT, World
from tests.vectors.mutation import OUTPUT, Mutation, b64

PLACE = (*OUTPUT, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp")
MD5 = {"algorithm": "md5"}
Edit = Callable[[Any], None]  # asn1crypto has no types


def stamps(world: World, output: Bundle) -> list[Mutation]:
    """Each fails in the one step that is about the timestamp."""
    table = [
        *((name, _edited(output.timestamp, edit)) for name, edit in _unsigned().items()),
        ("whose length is written in two bytes too many", _long(output.timestamp)),
        *_signed(world, output),
        *_named(world, output),
    ]
    return [
        Mutation(
            name=f"the output with a timestamp {name}",
            set={PLACE: b64(response)},
            failed=("output.time",),
            error="bad-timestamp",
        )
        for name, response in table
    ]


def _unsigned() -> dict[str, Edit]:
    attribute = {"type": "1.2.3.4", "values": [core.Null()]}
    return {
        "with an attribute that nobody signed": lambda response: _set(
            _signer(response), "unsigned_attrs", [attribute]
        ),
        "that lists MD5": lambda response: _set(
            _signed_data(response), "digest_algorithms", cms.DigestAlgorithms([MD5])
        ),
        "whose signer says MD5": lambda response: _set(_signer(response), "digest_algorithm", MD5),
        "whose signature is said to be of RSA": lambda response: _set(
            _signer(response), "signature_algorithm", {"algorithm": "sha256_rsa"}
        ),
        "by somebody of another serial number": lambda response: _set(
            _signer(response)["sid"].chosen, "serial_number", 7
        ),
        "of another version of SignedData": lambda response: _set(
            _signed_data(response), "version", "v1"
        ),
        "whose signer is of version 3": lambda response: _set(_signer(response), "version", "v3"),
        "with a text beside its status": lambda response: _set(
            response["status"], "status_string", ["granted"]
        ),
        "granted with changes": lambda response: _set(
            response["status"], "status", "granted_with_mods"
        ),
        "with two signers": lambda response: _set(
            _signed_data(response), "signer_infos", [_signer(response), _signer(response)]
        ),
    }


def _edited(response: bytes, edit: Edit) -> bytes:
    parsed: Any = tsp.TimeStampResp.load(response)
    edit(parsed)
    return bytes(parsed.dump(force=True))


def _set(outer: Any, field: str, value: object) -> None:  # noqa: ANN401 - as above
    outer[field] = value


def _signed_data(response: Any) -> Any:  # noqa: ANN401 - as above
    return response["time_stamp_token"]["content"]


def _signer(response: Any) -> Any:  # noqa: ANN401 - as above
    return _signed_data(response)["signer_infos"][0]


def _long(response: bytes) -> bytes:
    """A length of four bytes where two would do: BER."""
    content = der.whole(response, der.SEQUENCE).content
    return b"\x30\x84" + len(content).to_bytes(4, "big") + content


def _signed(world: World, output: Bundle) -> Iterator[tuple[str, bytes]]:
    """What our own authority could sign and does not."""
    imprint = tokens.imprint(
        Algorithm.SHA256, sha256(output.envelope.signature).digest(), has_null=True
    )
    version, policy, serial = der.integer(1), der.oid(tokens.POLICY), der.integer(1)
    time = der.generalized_time(AT)
    accuracy = der.sequence(der.integer(1))
    for name, fields in {
        "under another policy": (version, der.oid("1.2.3.4"), imprint, serial, time),
        "of another version": (der.integer(2), policy, imprint, serial, time),
        "to a second": (version, policy, imprint, serial, time, accuracy),
        "in order with others": (version, policy, imprint, serial, time, der.true()),
        "of a day that there is not": (version, policy, imprint, serial, _raw(b"20261131093000Z")),
        "of the last hour and one": (version, policy, imprint, serial, _raw(b"20261119240000Z")),
        "to a tenth of a second": (version, policy, imprint, serial, _raw(b"20261120093000.5Z")),
        "without a time": (version, policy, imprint, serial),
        "without a number": (version, policy, imprint, time),
    }.items():
        yield name, _token(world, der.sequence(*fields))


def _raw(time: bytes) -> bytes:
    return der.element(0x18, time)


def _token(world: World, info: bytes) -> bytes:
    key, chain = world.leaf(Purpose.TIMESTAMP, f"{world.registry}/timestamp")
    certificates = chain.to_der()
    attributes = tokens.signed_attributes(info, certificates[0])
    signed = Token(
        info=info,
        signed_attributes=attributes,
        signature=key.sign(attributes),
        certificates=certificates,
    )
    return tokens.granted(signed, chain)


def _named(world: World, output: Bundle) -> Iterator[tuple[str, bytes]]:
    """By a key that is certified for timestamps, and that is not the authority's."""
    place = Purpose.TIMESTAMP, f"{world.registry}/timestamp"
    ours = world.leaves[place]
    for uri in ("http://evil.test/x", f"{world.registry}/alice", f"{world.registry}/timestamp/"):
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
        world.replace_leaf(Purpose.TIMESTAMP, "timestamp", Change(add=[(names, False)]))
        yield f"of {uri}", world.timestamp(output.envelope.signature)
        world.leaves[place] = ours
