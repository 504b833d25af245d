# SPDX-License-Identifier: Apache-2.0
"""Certificates and certificate requests that any `Signer` signs: a key here, or one in a token.

`cryptography` makes a certificate's bytes and signs them in one step, with a key that it holds
itself. So a stand-in, a throw-away key of the same curve, signs first; only the bytes to be signed
are kept of that, and the real key signs them. What they say is decided by the caller.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from . import der
from .errors import KeyUnusable
from .keys import Curve, PublicKey, Signer, curve_of, hash_of

# RFC 5758, 3.2: ecdsa-with-SHA256, -SHA384 and -SHA512.
_ALGORITHMS = {
    Curve.P256: der.sequence(der.oid("1.2.840.10045.4.3.2")),
    Curve.P384: der.sequence(der.oid("1.2.840.10045.4.3.3")),
    Curve.P521: der.sequence(der.oid("1.2.840.10045.4.3.4")),
}
_VERSION_1 = der.integer(0)
_NO_ATTRIBUTES = der.explicit(0, b"")


def certificate(builder: x509.CertificateBuilder, key: Signer) -> x509.Certificate:
    """What the builder describes, signed by this key."""
    public = _elliptic(key.public_key)
    stand_in = ec.generate_private_key(public.curve)
    draft = builder.sign(stand_in, hash_of(public))
    return x509.load_der_x509_certificate(_signed(draft.tbs_certificate_bytes, key))


def request(subject: x509.Name, key: Signer) -> bytes:
    """A PKCS#10 request (RFC 2986, 4) without attributes, in DER, that shows possession."""
    spki = key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = der.sequence(_VERSION_1, subject.public_bytes(), spki, _NO_ATTRIBUTES)
    return _signed(info, key)


def _signed(content: bytes, key: Signer) -> bytes:
    """Both structures end alike: the algorithm, and the signature over what stands before."""
    algorithm = _ALGORITHMS[curve_of(_elliptic(key.public_key))]
    return der.sequence(content, algorithm, der.bits(key.sign(content)))


def _elliptic(key: PublicKey) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeyUnusable(f"expected a key on a NIST curve, found {curve_of(key)}")
    return key
