# SPDX-License-Identifier: Apache-2.0
"""Leaves for tests: as a registry issues them, or with a timestamp of a test's choice."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from assay.signing import certificates, der, scts
from assay.signing.certificates import Issuer, Purpose
from assay.signing.crls import algorithm_of
from assay.signing.keys import PublicKey, Signer, SoftwareKey
from assay.signing.provenance import Holder
from assay.signing.scts import SCT_LIST, Sct

SOMEBODY = SoftwareKey.generate()
CONDUCT = "5c" * 32


def leaf(
    purpose: Purpose, public_key: PublicKey, *, subject: str, issuer: Issuer, at: datetime
) -> x509.Certificate:
    """A leaf that some log or other has seen."""
    holder = Holder(uri=subject, conduct_sha256=CONDUCT)
    made = certificates.precertificate(purpose, public_key, holder=holder, issuer=issuer, at=at)
    return logged(made, issuer, log=SOMEBODY, at=at)


def logged(
    certificate: x509.Certificate, issuer: Issuer, *, log: Signer, at: datetime
) -> x509.Certificate:
    """A precertificate or a certificate, with this log's timestamp as its only one."""
    sct = scts.make(certificate, issuer=issuer.certificate, key=log, at=at)
    return scts.certificate(certificate, sct, issuer=issuer)


def stamped(certificate: x509.Certificate, issuer: Issuer, *values: bytes) -> x509.Certificate:
    """A certificate whose timestamp extensions have these values: none, odd ones, or several."""
    extensions = [der.sequence(der.oid(SCT_LIST), der.octets(value)) for value in values]
    return resigned(scts._rebuilt(certificate, *extensions), issuer)


def resigned(body: bytes, issuer: Issuer) -> x509.Certificate:
    """The certificate that this TBSCertificate makes."""
    algorithm = algorithm_of(issuer.key.public_key)
    signed = der.sequence(body, algorithm, der.bits(issuer.key.sign(body)))
    return x509.load_der_x509_certificate(signed)


def sct_of(certificate: x509.Certificate) -> Sct:
    """The one certificate timestamp in a leaf."""
    return Sct.parse(scts._value_in(certificate))
