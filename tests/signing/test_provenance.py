# SPDX-License-Identifier: Apache-2.0
"""A leaf says which conduct policy its holder accepted, in one form or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from assay.signing import der
from assay.signing.certificates import Purpose
from assay.signing.provenance import CONDUCT, accepted
from tests.signing.world import AT, World, conduct_reference


def leaf_with(value: bytes | None) -> x509.Certificate:
    """A certificate with something where the policy's digest belongs, or nothing."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, AT, AT + timedelta(1))
    if value is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(CONDUCT, value), critical=False)
    return builder.sign(key, hashes.SHA256())


def test_it_names_the_policy_that_was_accepted(world: World) -> None:
    _, chain = world.leaf(Purpose.OUTPUT, f"{world.registry}/alice")
    assert accepted(chain.leaf) == conduct_reference().sha256
    _, office = world.leaf(Purpose.CONDUCT, f"{world.registry}/conduct")
    assert accepted(office.leaf) is None


@pytest.mark.parametrize(
    "value", [None, b"", bytes(32), der.octets(bytes(31)), der.octets(bytes(33)), b"\x05" * 34]
)
def test_whatever_else_is_there_names_none(value: bytes | None) -> None:
    assert accepted(leaf_with(value)) is None


def test_its_form_is_an_octet_string_of_32_bytes() -> None:
    assert accepted(leaf_with(der.octets(b"\xab" * 32))) == "ab" * 32
