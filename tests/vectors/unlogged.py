# SPDX-License-Identifier: Apache-2.0
"""Mutations of the certificate timestamp: certificates that the ledger does not vouch for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from cryptography import x509

from assay.signing import der, scts
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.keys import SoftwareKey
from assay.signing.scts import Sct
from tests.signing.world import AT, World
from tests.vectors.mutation import OUTPUT, Mutation, b64

SECOND = timedelta(seconds=1)

Stamp = Callable[[x509.Certificate], Sct]


def unlogged(world: World, output: Bundle) -> list[Mutation]:
    """The output's statement signed under such certificates, each wrong in one thing."""
    issuer, other = (world.issuers[each].certificate for each in (Purpose.OUTPUT, Purpose.NODE))
    stranger = SoftwareKey.generate()
    stamp = partial(scts.make, issuer=issuer, key=world.log_key, at=AT)

    def good(leaf: x509.Certificate) -> Sct:
        return stamp(leaf)

    def renamed(leaf: x509.Certificate) -> Sct:
        by_another = stamp(leaf, key=stranger)
        return replace(by_another, log_id=scts.log_id(world.log_key.public_key))

    sct = ("output.sct",)
    table: list[tuple[str, Callable[[x509.Certificate], list[bytes]]]] = [
        ("without a timestamp", lambda _: []),
        ("with two timestamps in its list", lambda leaf: [_two(good(leaf))]),
        ("with no timestamp in its list", lambda _: [der.octets(bytes(2))]),
        ("with another log's timestamp", lambda leaf: [stamp(leaf, key=stranger).value()]),
        ("with another log's timestamp under its name", lambda leaf: [renamed(leaf).value()]),
        ("with a timestamp over another", lambda _: [good(output.chain.leaf).value()]),
        ("with a timestamp for another issuer", lambda leaf: [stamp(leaf, issuer=other).value()]),
        ("logged after it was used", lambda leaf: [stamp(leaf, at=AT + SECOND).value()]),
        (
            "with a timestamp whose time was changed",
            lambda leaf: [replace(good(leaf), milliseconds=1).value()],
        ),
    ]
    made = [_mutation(world, output, name, values, sct, "not-logged") for name, values in table]
    return [
        *made,
        _stamper(world, output),
        _mutation(
            world,
            output,
            "with two lists of timestamps",
            lambda leaf: [good(leaf).value(), good(leaf).value()],
            ("output.signer", *sct),
            "untrusted-chain",
        ),
    ]


def _mutation(
    world: World,
    output: Bundle,
    name: str,
    values: Callable[[x509.Certificate], list[bytes]],
    failed: tuple[str, ...],
    error: str,
) -> Mutation:
    path = f"alice/{name.replace(' ', '-')}"
    world.mark_leaf(Purpose.OUTPUT, path, values)
    signed = world.sign_payload(output.envelope.payload, Purpose.OUTPUT, path)
    return Mutation(
        name=f"the output under a certificate {name}",
        set={("bundles", "output"): world.bundle(signed).to_json()},
        failed=failed,
        error=error,
    )


def _stamper(world: World, output: Bundle) -> Mutation:
    """The same output, stamped under a certificate of the timestamp authority's that has none."""
    key = Purpose.TIMESTAMP, f"{world.registry}/timestamp"
    logged = world.leaves[key]
    world.mark_leaf(Purpose.TIMESTAMP, "timestamp", lambda _: [])
    stamp = world.timestamp(output.envelope.signature)
    world.leaves[key] = logged
    stamps = (*OUTPUT, "timestampVerificationData", "rfc3161Timestamps", 0, "signedTimestamp")
    return Mutation(
        name="the output with a timestamp of an authority without one",
        set={stamps: b64(stamp)},
        failed=("output.sct",),
        error="not-logged",
    )


def _two(sct: Sct) -> bytes:
    """A list with the same timestamp twice."""
    one = sct.value()[4:]  # after the tag and length, and the length of the list
    return der.octets((2 * len(one)).to_bytes(2, "big") + 2 * one)
