# SPDX-License-Identifier: Apache-2.0
"""The few DER forms (X.690, clauses 8 and 10) of certificates, timestamps and revocations.

Written is only what we sign or answer, from values already checked. Read is only as far as both
verifiers must read alike, element by element (frontend/verify/der.ts does the same): libraries
differ in what they let pass. What others send in other forms is read by asn1crypto and
cryptography, which are also what the tests hold these bytes against.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import NamedTuple

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID = 0x01, 0x02, 0x03, 0x04, 0x06
UTF8_STRING, PRINTABLE_STRING, UTC_TIME, SEQUENCE, SET = 0x0C, 0x13, 0x17, 0x30, 0x31
NULL = b"\x05\x00"
LAST_UTC_TIME_YEAR = 2049  # RFC 5280, 4.1.2.5: from 2050 on times are GeneralizedTime

_SHORT_LENGTH = 0x80
_ENUMERATED, _GENERALIZED_TIME, _CONTEXT, _CONSTRUCTED = 0x0A, 0x18, 0x80, 0x20
_HIGH_TAG = 0x1F
_MAX_LENGTH_BYTES = 4
_MAX_ARC = (1 << 128) - 1  # as large as a UUID is (X.667), and as cryptography reads
_TIMES = {
    UTC_TIME: re.compile(rb"[0-9]{12}Z"),
    _GENERALIZED_TIME: re.compile(rb"[0-9]{14}Z"),
}
_FIRST_CENTURY_YEAR = 50  # RFC 5280, 4.1.2.5.1: in a UTCTime, from 1950 to 2049


class NotDer(ValueError):
    """Bytes that are not the element that was expected; the message says which one was."""


class Element(NamedTuple):  # a certificate has a hundred, and is read for each signature
    """One element that was read."""

    tag: int
    content: bytes
    encoded: bytes
    """With its tag and length."""


def elements(data: bytes) -> tuple[Element, ...]:
    """The elements of which these bytes are made, to their end; raises NotDer."""
    found: list[Element] = []
    at = 0
    while at < len(data):
        found.append(_read(data, at))
        at += len(found[-1].encoded)
    return tuple(found)


def whole(data: bytes, tag: int) -> Element:
    """The one element that these bytes are."""
    found = elements(data)
    if [each.tag for each in found] != [tag]:
        raise NotDer(f"expected one element with tag {tag:#x}")
    return found[0]


def inside(found: Element, tag: int = SEQUENCE) -> tuple[Element, ...]:
    """What an element with this tag is made of."""
    if found.tag != tag:
        raise NotDer(f"expected tag {tag:#x}, found {found.tag:#x}")
    return elements(found.content)


def is_oid(found: Element) -> bool:
    """Whether it is an object identifier whose arcs are in their shortest form."""
    *_, last = found.content or b"\xff"
    arcs = re.findall(rb"[\x80-\xff]*[\x00-\x7f]", found.content, re.DOTALL)
    is_short = all(each[0] != _SHORT_LENGTH and _arc(each) <= _MAX_ARC for each in arcs)
    return found.tag == OID and last < _SHORT_LENGTH and is_short


def read_time(found: Element) -> datetime:
    """A UTCTime or GeneralizedTime in the one form that RFC 5280 lets: seconds, and `Z`."""
    form = _TIMES.get(found.tag)
    if form is None or not form.fullmatch(found.content):
        raise NotDer("expected a time in whole seconds, in UTC")
    digits = found.content.decode("ascii")[:-1]
    if found.tag == UTC_TIME:
        digits = ("20" if int(digits[:2]) < _FIRST_CENTURY_YEAR else "19") + digits
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    try:
        return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise NotDer("expected a time that there is") from error


def _read(data: bytes, at: int) -> Element:
    head = data[at : at + 2]
    if len(head) < len(b"tl") or head[0] & _HIGH_TAG == _HIGH_TAG:
        raise NotDer("expected a tag of one byte, and a length")
    start, size = at + 2, head[1]
    if size >= _SHORT_LENGTH:
        length = data[start : start + size - _SHORT_LENGTH]
        start, size = start + size - _SHORT_LENGTH, int.from_bytes(length, "big")
        # DER wants the shortest form, so that one value has one encoding.
        is_short = size >= _SHORT_LENGTH and length[0] != 0 and len(length) <= _MAX_LENGTH_BYTES
        if not is_short:
            raise NotDer("expected a length in its shortest form")
    if start + size > len(data):
        raise NotDer("expected an element that ends within the bytes around it")
    end = start + size
    return Element(head[0], data[start:end], data[at:end])


def _arc(digits: bytes) -> int:
    value = 0
    for digit in digits:
        value = value << 7 | digit & 0x7F
    return value


def element(tag: int, content: bytes) -> bytes:
    """A tag of one byte, the length in its shortest form, and the content."""
    size = len(content)
    if size < _SHORT_LENGTH:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT_LENGTH | len(length))) + length + content


def integer(value: int) -> bytes:
    """An INTEGER in two's complement, in as few bytes as hold its sign."""
    return element(INTEGER, _twos_complement(value))


def enumerated(value: int) -> bytes:
    """An ENUMERATED."""
    return element(_ENUMERATED, _twos_complement(value))


def true() -> bytes:
    """The BOOLEAN true; DER leaves out a false that is the default."""
    return element(BOOLEAN, b"\xff")


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return element(OID, b"".join(map(_base_128, (40 * first + second, *rest))))


def octets(content: bytes) -> bytes:
    """An OCTET STRING."""
    return element(OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """A BIT STRING of whole bytes, as signatures are."""
    return element(BIT_STRING, b"\x00" + content)


def named_bit(number: int) -> bytes:
    """A BIT STRING in which this bit alone is set; it ends with that bit (X.690, 11.2.2)."""
    whole_bytes, position = divmod(number, 8)
    unused_bits, last = 7 - position, 0x80 >> position
    return element(BIT_STRING, bytes((unused_bits, *bytes(whole_bytes), last)))


def utf8(text: str) -> bytes:
    """A UTF8String."""
    return element(UTF8_STRING, text.encode())


def generalized_time(at: datetime) -> bytes:
    """A GeneralizedTime in UTC and whole seconds."""
    return element(_GENERALIZED_TIME, f"{at.astimezone(UTC):%Y%m%d%H%M%SZ}".encode())


def time(at: datetime) -> bytes:
    """A Time of RFC 5280: UTCTime up to 2049, GeneralizedTime after."""
    moment = at.astimezone(UTC)
    if moment.year > LAST_UTC_TIME_YEAR:
        return generalized_time(moment)
    return element(UTC_TIME, f"{moment:%y%m%d%H%M%SZ}".encode())


def sequence(*elements: bytes) -> bytes:
    """A SEQUENCE of elements, in this order."""
    return element(SEQUENCE, b"".join(elements))


def set_of(*elements: bytes) -> bytes:
    """A SET OF, in the order of the elements' bytes (X.690, 11.6)."""
    return element(SET, sorted_elements(*elements))


def sorted_elements(*elements: bytes) -> bytes:
    """What a SET OF holds, for one whose tag is another."""
    return b"".join(sorted(elements))


def explicit(number: int, content: bytes) -> bytes:
    """An element, or several of an implicitly tagged collection, in a context tag."""
    return element(_CONTEXT | _CONSTRUCTED | number, content)


def implicit(number: int, content: bytes) -> bytes:
    """A primitive value whose own tag a context tag replaces."""
    return element(_CONTEXT | number, content)


def _twos_complement(value: int) -> bytes:
    magnitude = value if value >= 0 else ~value
    return value.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def _base_128(arc: int) -> bytes:
    digits = [arc & 0x7F]
    while arc := arc >> 7:
        digits.append(arc & 0x7F | 0x80)
    return bytes(reversed(digits))
