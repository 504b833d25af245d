# SPDX-License-Identifier: Apache-2.0
"""Writers of the few DER forms (X.690, clauses 8 and 10) in timestamps and revocations.

Only what we sign or answer is written here, from values already checked; what others send is read
by asn1crypto and cryptography, which are also what the tests hold these bytes against.
"""

from __future__ import annotations

from datetime import UTC, datetime

NULL = b"\x05\x00"
LAST_UTC_TIME_YEAR = 2049  # RFC 5280, 4.1.2.5: from 2050 on times are GeneralizedTime

_SHORT_LENGTH = 0x80
_BOOLEAN, _INTEGER, _BIT_STRING, _OCTET_STRING, _OID = 0x01, 0x02, 0x03, 0x04, 0x06
_ENUMERATED, _UTF8_STRING, _UTC_TIME, _GENERALIZED_TIME = 0x0A, 0x0C, 0x17, 0x18
_SEQUENCE, _SET, _CONTEXT, _CONSTRUCTED = 0x30, 0x31, 0x80, 0x20


def element(tag: int, content: bytes) -> bytes:
    """A tag of one byte, the length in its shortest form, and the content."""
    size = len(content)
    if size < _SHORT_LENGTH:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, _SHORT_LENGTH | len(length))) + length + content


def integer(value: int) -> bytes:
    """An INTEGER in two's complement, in as few bytes as hold its sign."""
    return element(_INTEGER, _twos_complement(value))


def enumerated(value: int) -> bytes:
    """An ENUMERATED."""
    return element(_ENUMERATED, _twos_complement(value))


def true() -> bytes:
    """The BOOLEAN true; DER leaves out a false that is the default."""
    return element(_BOOLEAN, b"\xff")


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER from its dotted form."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return element(_OID, b"".join(map(_base_128, (40 * first + second, *rest))))


def octets(content: bytes) -> bytes:
    """An OCTET STRING."""
    return element(_OCTET_STRING, content)


def bits(content: bytes) -> bytes:
    """A BIT STRING of whole bytes, as signatures are."""
    return element(_BIT_STRING, b"\x00" + content)


def named_bit(number: int) -> bytes:
    """A BIT STRING in which this bit alone is set; it ends with that bit (X.690, 11.2.2)."""
    whole_bytes, position = divmod(number, 8)
    unused_bits, last = 7 - position, 0x80 >> position
    return element(_BIT_STRING, bytes((unused_bits, *bytes(whole_bytes), last)))


def utf8(text: str) -> bytes:
    """A UTF8String."""
    return element(_UTF8_STRING, text.encode())


def generalized_time(at: datetime) -> bytes:
    """A GeneralizedTime in UTC and whole seconds."""
    return element(_GENERALIZED_TIME, f"{at.astimezone(UTC):%Y%m%d%H%M%SZ}".encode())


def time(at: datetime) -> bytes:
    """A Time of RFC 5280: UTCTime up to 2049, GeneralizedTime after."""
    moment = at.astimezone(UTC)
    if moment.year > LAST_UTC_TIME_YEAR:
        return generalized_time(moment)
    return element(_UTC_TIME, f"{moment:%y%m%d%H%M%SZ}".encode())


def sequence(*elements: bytes) -> bytes:
    """A SEQUENCE of elements, in this order."""
    return element(_SEQUENCE, b"".join(elements))


def set_of(*elements: bytes) -> bytes:
    """A SET OF, in the order of the elements' bytes (X.690, 11.6)."""
    return element(_SET, sorted_elements(*elements))


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
