# SPDX-License-Identifier: Apache-2.0
"""The one form in which a registry's certificates stand in DER, read element by element.

Both verifiers read them so (frontend/verify/forms.ts): a library may be laxer than another, and
then one certificate is good here and bad there. Names, keys and extensions are in the few forms
that the registry writes (docs/spec/formats.md, section 8); whom a chain leads to, and what it is
for, is left to certificates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from . import der
from .der import Element, NotDer, elements, inside, whole
from .errors import InvalidDocument
from .keys import Curve
from .values import dataclass

MAX_SERIAL_BYTES = 20  # RFC 5280, 4.1.2.2
KEPT = 256  # as read: each step that judges a certificate asks again what it says

_VERSION_3 = der.explicit(0, der.integer(2))
_ALGORITHMS = {  # RFC 5758, 3.2: with the hash of the issuer's curve
    Curve.P256: der.sequence(der.oid("1.2.840.10045.4.3.2")),
    Curve.P384: der.sequence(der.oid("1.2.840.10045.4.3.3")),
}
# RFC 5480, 2: a SubjectPublicKeyInfo up to the point, which is not compressed.
_KEYS = {
    Curve.P256: (bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), 64),
    Curve.P384: (bytes.fromhex("3076301006072a8648ce3d020106052b8104002203620004"), 96),
}
_EXTENSIONS = 0xA3
_FIELDS = 8  # version to extensions, and nothing optional between them
_TRUE = der.true()
_UNUSED_BITS = 8
_PRINTABLE = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?"
)

# RFC 5280, 4.2: the extensions that a registry writes and a verifier understands.
KEY_IDENTIFIER, KEY_USAGE = der.oid("2.5.29.14"), der.oid("2.5.29.15")
NAMES, CONSTRAINTS = der.oid("2.5.29.17"), der.oid("2.5.29.19")
CRL_POINTS, POLICIES = der.oid("2.5.29.31"), der.oid("2.5.29.32")
ISSUER_KEY, EXTENDED_USAGE = der.oid("2.5.29.35"), der.oid("2.5.29.37")
ACCESS = der.oid("1.3.6.1.5.5.7.1.1")
_MAY_BE_CRITICAL = frozenset({KEY_USAGE, NAMES, CONSTRAINTS, EXTENDED_USAGE})
_IN_BOTH = frozenset(
    {KEY_IDENTIFIER, KEY_USAGE, CONSTRAINTS, CRL_POINTS, POLICIES, ISSUER_KEY, ACCESS}
)
_IN_LEAVES = _IN_BOTH | {NAMES, EXTENDED_USAGE}
# id-ce and id-pe: what stands there and not above (name constraints, say) limits a certificate in
# a way that a verifier would have to follow (RFC 5280, 4.2).
_STANDARD = (b"\x55\x1d", b"\x2b\x06\x01\x05\x05\x07\x01")
_CONTEXT_0, _CHOICE_0, _URI = 0x80, 0xA0, 0x86


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """One extension, its value not read yet."""

    oid: bytes
    """In DER."""
    is_critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The parts of one certificate."""

    fields: tuple[Element, ...]
    """Of its TBSCertificate."""
    algorithm: bytes
    starts_at: datetime
    ends_at: datetime
    curve: Curve
    extensions: tuple[Extension, ...]

    @property
    def key(self) -> bytes:
        """Its SubjectPublicKeyInfo."""
        return self.fields[6].encoded

    def get(self, oid: bytes) -> Extension | None:
        """The extension of this kind, if it has one."""
        return next((each for each in self.extensions if each.oid == oid), None)

    def is_signed_for(self, issuer: Form) -> bool:
        """Whether its signature is stated to be of the kind that its issuer's key makes."""
        return self.algorithm == _ALGORITHMS[issuer.curve]


def parse(field: str, encoded: bytes) -> Form:
    """Read a certificate; raises InvalidDocument."""
    try:
        return read(encoded)
    except NotDer as error:
        expected = "a certificate in the form of a registry's"
        raise InvalidDocument(field, expected, f"another ({error})") from error


def of(certificate: x509.Certificate) -> Form:
    """The same of one that was read already; raises NotDer."""
    return read(certificate.public_bytes(Encoding.DER))


@lru_cache(KEPT)
def read(encoded: bytes) -> Form:
    """The same of its bytes; raises NotDer."""
    body, algorithm, signature = _exactly(3, inside(whole(encoded, der.SEQUENCE)))
    fields = _exactly(_FIELDS, inside(body))
    version, serial, stated, issuer, validity, subject, key, extensions = fields
    if version.encoded != _VERSION_3:
        raise NotDer("expected version 3")
    if algorithm.encoded not in _ALGORITHMS.values() or stated.encoded != algorithm.encoded:
        raise NotDer("expected ECDSA with SHA-256 or SHA-384, stated twice")
    # The count of unused bits is signed by nobody: any but 0 could be rewritten unseen.
    if signature.tag != der.BIT_STRING or not signature.content.startswith(b"\0"):
        raise NotDer("expected a signature of whole bytes")
    _check_serial(serial)
    _check_name(issuer)
    _check_name(subject)
    starts_at, ends_at = (_moment(each) for each in _exactly(2, inside(validity)))
    return Form(
        fields=fields,
        algorithm=algorithm.encoded,
        starts_at=starts_at,
        ends_at=ends_at,
        curve=_curve(key.encoded),
        extensions=_extensions(extensions),
    )


def check_extensions(form: Form, *, is_authority: bool) -> None:
    """Raise NotDer unless each extension may be in such a certificate, and has its form.

    RFC 5280, 4.2: what is critical and not understood makes a certificate unusable. Unknown ones
    that are not critical are ignored, as long as no standard gives them a meaning.
    """
    kinds = [each.oid for each in form.extensions]
    if len(set(kinds)) != len(kinds):
        raise NotDer("expected no extension twice")
    for each in form.extensions:
        if each.is_critical and each.oid not in _MAY_BE_CRITICAL:
            raise NotDer(f"expected no critical extension {each.oid.hex()}")
        if each.oid in (_IN_BOTH if is_authority else _IN_LEAVES):
            _READERS[each.oid](each.value)
        elif each.oid[2:].startswith(_STANDARD):
            raise NotDer(f"expected no extension {each.oid.hex()} in such a certificate")


def uris(form: Form) -> tuple[str, ...]:
    """The names of a certificate that names nothing but URIs; none where it names otherwise."""
    names = form.get(NAMES)
    try:
        return _uris(elements(whole(names.value, der.SEQUENCE).content)) if names else ()
    except NotDer:
        return ()


def _exactly(count: int, found: tuple[Element, ...]) -> tuple[Element, ...]:
    if len(found) != count:
        raise NotDer(f"expected {count} elements, found {len(found)}")
    return found


def _some(found: tuple[Element, ...]) -> tuple[Element, ...]:
    if not found:
        raise NotDer("expected an element, found none")
    return found


def _check_serial(found: Element) -> None:
    number = found.content
    is_positive = b"\0" < number[:1] < b"\x80" or (number[:1] == b"\0" and number[1:2] >= b"\x80")
    if found.tag != der.INTEGER or not is_positive or len(number) > MAX_SERIAL_BYTES:
        raise NotDer(f"expected a positive serial number of at most {MAX_SERIAL_BYTES} bytes")


def _check_name(found: Element) -> None:
    for part in inside(found):
        for attribute in _some(inside(part, der.SET)):
            kind, value = _exactly(2, inside(attribute))
            if not der.is_oid(kind) or not _is_text(value):
                raise NotDer("expected names in UTF-8 or printable characters")


def _is_text(found: Element) -> bool:
    if found.tag == der.PRINTABLE_STRING:
        return _PRINTABLE.issuperset(found.content)
    try:
        found.content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return found.tag == der.UTF8_STRING


def _moment(found: Element) -> datetime:
    moment = der.read_time(found)
    if (found.tag == der.UTC_TIME) is not (moment.year <= der.LAST_UTC_TIME_YEAR):
        raise NotDer("expected a UTCTime up to 2049, and a GeneralizedTime after")
    return moment


def _curve(key: bytes) -> Curve:
    for curve, (head, size) in _KEYS.items():
        if key.startswith(head) and len(key) == len(head) + size:
            return curve
    raise NotDer("expected a P-256 or P-384 key")


def _extensions(found: Element) -> tuple[Extension, ...]:
    (listed,) = _exactly(1, inside(found, _EXTENSIONS))
    return tuple(_extension(each) for each in _some(inside(listed)))


def _extension(found: Element) -> Extension:
    match inside(found):
        case (oid, value):
            is_critical = False
        case (oid, critical, value) if critical.encoded == _TRUE:  # DER leaves out a false
            is_critical = True
        case _:
            raise NotDer("expected an extension")
    if not der.is_oid(oid) or value.tag != der.OCTET_STRING:
        raise NotDer("expected an extension")
    return Extension(oid=oid.encoded, is_critical=is_critical, value=value.content)


def _sequence(value: bytes) -> tuple[Element, ...]:
    return _some(inside(whole(value, der.SEQUENCE)))


def _check_key_identifier(value: bytes) -> None:
    if not whole(value, der.OCTET_STRING).content:
        raise NotDer("expected a key identifier")


def _check_issuer_key(value: bytes) -> None:
    (key,) = _exactly(1, _sequence(value))
    if key.tag != _CONTEXT_0 or not key.content:
        raise NotDer("expected the issuer's key identifier alone")


def _check_key_usage(value: bytes) -> None:
    """Named bits: the last one is set, and those behind it are counted as unused (X.690, 11.2)."""
    unused, *octets = whole(value, der.BIT_STRING).content or b"\xff"
    if unused >= _UNUSED_BITS or len(octets) not in {1, 2}:
        raise NotDer("expected a key usage")
    if octets[-1] & (2 << unused) - 1 != 1 << unused:
        raise NotDer("expected a key usage that ends with its last bit")


def _check_constraints(value: bytes) -> None:
    found = [each.encoded for each in inside(whole(value, der.SEQUENCE))]
    lengths = [der.integer(number) for number in range(_UNUSED_BITS)]
    if found not in [[], [_TRUE], *([_TRUE, length] for length in lengths)]:
        raise NotDer("expected basic constraints")


def _check_policies(value: bytes) -> None:
    for policy in _sequence(value):
        oid, *qualifiers = _some(inside(policy))
        if not der.is_oid(oid) or any(each.tag != der.SEQUENCE for each in qualifiers):
            raise NotDer("expected policies")


def _check_extended_usage(value: bytes) -> None:
    if not all(der.is_oid(each) for each in _sequence(value)):
        raise NotDer("expected extended key usages")


def _check_names(value: bytes) -> None:
    _sequence(value)


def _check_crl_points(value: bytes) -> None:
    for point in _sequence(value):
        (place,) = _exactly(1, inside(point))
        (names,) = _exactly(1, inside(place, _CHOICE_0))
        _uris(_some(inside(names, _CHOICE_0)))


def _check_access(value: bytes) -> None:
    for description in _sequence(value):
        method, place = _exactly(2, inside(description))
        if not der.is_oid(method):
            raise NotDer("expected an access method")
        _uris((place,))


def _uris(names: tuple[Element, ...]) -> tuple[str, ...]:
    if not all(each.tag == _URI and each.content.isascii() for each in names):
        raise NotDer("expected URIs")
    return tuple(each.content.decode("ascii") for each in names)


_READERS: Mapping[bytes, Callable[[bytes], None]] = {
    KEY_IDENTIFIER: _check_key_identifier,
    KEY_USAGE: _check_key_usage,
    NAMES: _check_names,
    CONSTRAINTS: _check_constraints,
    CRL_POINTS: _check_crl_points,
    POLICIES: _check_policies,
    ISSUER_KEY: _check_issuer_key,
    EXTENDED_USAGE: _check_extended_usage,
    ACCESS: _check_access,
}
