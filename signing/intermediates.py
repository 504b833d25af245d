# SPDX-License-Identifier: Apache-2.0
"""The intermediates of a purpose: its first one, and each that took the place of one before.

Each has a name, such as `output` or `output-2`, which stands in its certificate's subject, in the
addresses of its revocation list and OCSP responder, and in revocations: it is permanent.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import certificates, chains, crls, issuing
from .certificates import MALFORMED, Issuer, Purpose
from .errors import InvalidDocument, UntrustedChain
from .keys import PublicKey, Signer
from .values import dataclass

SUBJECT = "Assay intermediate: "
MAX_NUMBER = 9999

_NAME = re.compile(r"(?P<purpose>[a-z][a-z0-9]*)(-(?P<number>[2-9]|[1-9][0-9]{1,3}))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """Whose: a purpose's first intermediate, or which one after it."""

    purpose: Purpose
    number: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `output` or `output-2`; raises InvalidDocument."""
        found = _NAME.fullmatch(text)
        if found is None or found["purpose"] not in set(Purpose):
            expected = f"one of {', '.join(Purpose)}, or such a word, a hyphen and a number"
            raise InvalidDocument("issuer", expected, ascii(text[:80]))
        return cls(purpose=Purpose(found["purpose"]), number=int(found["number"] or 1))

    @classmethod
    def of(cls, intermediate: x509.Certificate) -> Self:
        """The name in an intermediate's subject; raises InvalidDocument."""
        return cls.parse(_word(intermediate.subject))

    def __str__(self) -> str:
        return self.purpose.value if self.number == 1 else f"{self.purpose}-{self.number}"

    @property
    def next(self) -> Self:
        """Of the one that takes its place."""
        return replace(self, number=self.number + 1)

    @property
    def subject(self) -> x509.Name:
        """As it stands in the certificate."""
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{SUBJECT}{self}")])


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What an intermediate's request says: which one it is to be, and its key."""

    name: Name
    public_key: ec.EllipticCurvePublicKey


def request(name: Name, key: Signer) -> bytes:
    """A PKCS#10 request (DER) that the root's holder can answer anywhere."""
    return issuing.request(name.subject, key)


def read_request(csr: bytes) -> Request:
    """Read such a request (DER), signed by the P-256 key that it names."""
    public_key = certificates.key_of_request(csr)
    subject = x509.load_der_x509_csr(csr).subject
    return Request(name=Name.parse(_word(subject)), public_key=public_key)


def certify(asked: Request, *, root: Issuer, at: datetime) -> x509.Certificate:
    """The intermediate that was asked for, valid for five years."""
    return certificates.intermediate(
        asked.name.purpose, asked.public_key, issuer=root, at=at, subject=asked.name.subject
    )


def check(
    found: x509.Certificate,
    *,
    name: Name,
    public_key: PublicKey,
    root: x509.Certificate,
    registry: str,
) -> None:
    """Raise InvalidDocument unless the root made this certificate for this name and key.

    Whoever holds the root's key can err: an intermediate that issues what no verifier takes, or
    one that may have others below it, is not put to use.
    """
    try:
        found.verify_directly_issued_by(root)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise InvalidDocument(
            "certificate", "one that this registry's root issued", "another"
        ) from error
    if Name.of(found) != name:
        raise InvalidDocument("certificate", f"that of {name}", f"that of {Name.of(found)}")
    if found.public_key() != public_key:
        raise InvalidDocument("certificate", f"one for the key of {name}", "one for another key")
    try:
        chains.check_intermediate(found, name.purpose)
        points = found.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except (UntrustedChain, x509.ExtensionNotFound, *MALFORMED) as error:
        raise InvalidDocument("certificate", "an intermediate's extensions", "others") from error
    expected = crls.address(registry, crls.ROOT)
    if [uri.value for point in points for uri in point.full_name or ()] != [expected]:
        raise InvalidDocument("certificate", f"one that names {expected}", "another address")


def _word(subject: x509.Name) -> str:
    words = [str(each.value) for each in subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if len(list(subject)) != 1 or len(words) != 1 or not words[0].startswith(SUBJECT):
        found = ascii(subject.rfc4514_string()[:80])
        raise InvalidDocument("subject", f"the name `{SUBJECT}…`", found)
    return words[0].removeprefix(SUBJECT)
