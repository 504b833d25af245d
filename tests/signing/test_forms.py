# SPDX-License-Identifier: Apache-2.0
"""A registry's certificates have one form; what only another reader understands is refused."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from assay.signing import der, forms
from assay.signing.certificates import Chain, Purpose
from assay.signing.der import NotDer
from assay.signing.errors import InvalidDocument
from tests.signing.world import AT, World

NAME = der.oid("2.5.4.3")
SERIALS = {
    "zero": b"\0",
    "padded": b"\0\1",
    "negative": b"\x80",
    "endless": b"\1" * 21,
    "none": b"",
}
PLACES = {"version": 0, "serial": 1, "algorithm": 2, "issuer": 3, "validity": 4, "key": 6}
TIMES = (der.time(AT), der.time(AT))


def leaf(world: World) -> bytes:
    return world.leaf(Purpose.OUTPUT, f"{world.registry}/alice")[1].to_der()[0]


def with_field(encoded: bytes, place: int, value: bytes) -> bytes:
    """The certificate with one field replaced, its signature as it was."""
    body, *rest = der.inside(der.whole(encoded, der.SEQUENCE))
    fields = [each.encoded for each in der.inside(body)]
    fields[place] = value
    return der.sequence(der.sequence(*fields), *(each.encoded for each in rest))


def with_extensions(encoded: bytes, *extensions: bytes) -> bytes:
    return with_field(encoded, 7, der.explicit(3, der.sequence(*extensions)))


def name(value: bytes) -> bytes:
    return der.sequence(der.set_of(der.sequence(NAME, value)))


def refused(encoded: bytes) -> str:
    with pytest.raises(InvalidDocument, match="leaf: expected a certificate in the form") as caught:
        forms.parse("leaf", encoded)
    return caught.value.found


def test_what_a_registry_issues_has_the_form(world: World) -> None:
    assert forms.parse("leaf", leaf(world)).fields[1].tag == der.INTEGER


@pytest.mark.parametrize("how", SERIALS)
def test_a_serial_number_is_positive_and_short(world: World, how: str) -> None:
    number = der.element(der.INTEGER, SERIALS[how])
    assert "serial number" in refused(with_field(leaf(world), PLACES["serial"], number))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", der.explicit(0, der.integer(1))),
        ("algorithm", der.sequence(der.oid("1.2.840.10045.4.3.4"))),
        ("issuer", name(der.element(der.OCTET_STRING, b"a"))),
        ("issuer", name(der.element(der.UTF8_STRING, b"\xff"))),
        ("issuer", name(der.element(der.PRINTABLE_STRING, b"a@b"))),
        ("issuer", der.sequence(der.set_of())),
        ("issuer", name(der.utf8("a")).replace(NAME, b"\x06\x03\x55\x04\x80")),
        ("validity", der.sequence(der.time(AT), der.generalized_time(AT))),
        ("validity", der.sequence(*TIMES, *TIMES)),
        ("validity", der.sequence(der.time(AT), der.utf8("2026"))),
        ("validity", der.sequence(der.time(AT), der.element(der.UTC_TIME, b"261301000000Z"))),
        ("key", der.sequence(der.bits(b"\x04"))),
    ],
)
def test_a_field_of_another_form_is_refused(world: World, field: str, value: bytes) -> None:
    assert "expected" in refused(with_field(leaf(world), PLACES[field], value))


def test_names_may_be_of_printable_characters(world: World) -> None:
    printable = name(der.element(der.PRINTABLE_STRING, b"A registry"))
    forms.parse("leaf", with_field(leaf(world), PLACES["issuer"], printable))


@pytest.mark.parametrize(
    "extension",
    [
        der.sequence(NAME),
        der.sequence(NAME, der.element(der.BOOLEAN, b"\0"), der.octets(b"")),
        der.sequence(NAME, der.true(), der.true(), der.octets(b"")),
        der.sequence(NAME, der.bits(b"")),
        der.sequence(der.utf8("a"), der.octets(b"")),
        der.sequence(der.element(der.OID, b"\x2a\x80\x01"), der.octets(b"")),
        der.sequence(der.element(der.OID, b"\x2a\x84" + b"\x80" * 18 + b"\x00"), der.octets(b"")),
    ],
)
def test_an_extension_of_another_form_is_refused(world: World, extension: bytes) -> None:
    assert "expected an extension" in refused(with_extensions(leaf(world), extension))


def test_a_certificate_has_extensions(world: World) -> None:
    assert "expected an element" in refused(with_extensions(leaf(world)))


def test_the_whole_signature_counts(world: World) -> None:
    body, algorithm, signature = der.inside(der.whole(leaf(world), der.SEQUENCE))
    loose = der.element(der.BIT_STRING, b"\x01" + signature.content[1:])
    assert "whole bytes" in refused(der.sequence(body.encoded, algorithm.encoded, loose))


VALUES = {
    forms.KEY_IDENTIFIER: [der.octets(b"")],
    forms.ISSUER_KEY: [der.sequence(der.implicit(1, b"a")), der.sequence(der.implicit(0, b""))],
    forms.KEY_USAGE: [
        der.element(der.BIT_STRING, content)
        for content in (b"", b"\x07", b"\x08\x80", b"\x06\x80", b"\x00\x01\x01\x01")
    ],
    forms.CONSTRAINTS: [
        der.sequence(der.element(der.BOOLEAN, b"\0")),
        der.sequence(der.true(), der.integer(-1)),
        der.sequence(der.true(), der.integer(8)),
    ],
    forms.POLICIES: [der.sequence(der.sequence(NAME, der.utf8("a"))), der.sequence(der.sequence())],
    forms.EXTENDED_USAGE: [der.sequence(der.utf8("a"))],
    forms.CRL_POINTS: [der.sequence(der.sequence(der.explicit(0, der.explicit(1, b""))))],
    forms.ACCESS: [
        der.sequence(der.sequence(der.utf8("a"), der.implicit(6, b"http://a.test"))),
        der.sequence(der.sequence(NAME, der.implicit(2, b"a.test"))),
        der.sequence(der.sequence(NAME, der.implicit(6, b"http://\xe4.test"))),
    ],
}


@pytest.mark.parametrize(
    ("oid", "value"), [(oid, value) for oid, values in VALUES.items() for value in values]
)
def test_a_value_of_another_form_is_refused(world: World, oid: bytes, value: bytes) -> None:
    changed = with_extensions(leaf(world), der.sequence(oid, der.octets(value)))
    form = forms.parse("leaf", changed)
    with pytest.raises(NotDer, match="expected"):
        forms.check_extensions(form, is_authority=False)


def test_a_chain_is_of_such_certificates(world: World) -> None:
    other = with_field(leaf(world), PLACES["serial"], der.integer(0))
    with pytest.raises(InvalidDocument, match="leaf: expected a certificate in the form"):
        Chain.parse([other, world.issuers[Purpose.OUTPUT].certificate.public_bytes(Encoding.DER)])


@pytest.mark.parametrize(
    "encoded",
    ["", "30", "3f00", "1f0100", "308000", "30810100", "3085000000000100", "300201", "30020500aa"],
)
def test_what_is_not_der_is_not_read(encoded: str) -> None:
    with pytest.raises(NotDer, match="expected"):
        der.inside(der.whole(bytes.fromhex(encoded), der.SEQUENCE), der.SET)
