# SPDX-License-Identifier: Apache-2.0
"""The documents that lead stock clients here: trusted root, signing config, both in one.

Pure functions over what the signer shows; docs/spec/sigstore.md has each field.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from assay.signing.canonical import base64_text, instant_text
from assay.signing.keys import PublicKey
from assay.signing.treehead import Verifier

from .material import SIGNING, Material

TRUSTED_ROOT_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
SIGNING_CONFIG_TYPE = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
TRUST_CONFIG_TYPE = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
FULCIO_VERSION, REKOR_VERSION, TSA_VERSION, OIDC_VERSION = 1, 2, 1, 1  # as signing configs count
TIMESTAMP_PATH = "/api/v1/timestamp"  # where clients that are given an origin alone look for it

# Periods are closed (sigstore_common.proto: TimeRange), but sigstore-python 4 takes them for open:
# between two whole seconds, which timestamps are in, they end for both at the same one.
INSTANT = timedelta(milliseconds=1)

Json = dict[str, object]


def trusted_root(material: Material) -> Json:
    """Whom to trust: the ledger, its certificate log, the authorities by purpose, timestamps."""
    root = material.root
    ledger = Verifier.parse(material.trust_root.verifier)
    base = f"{urlsplit(material.trust_root.registry).scheme}://{ledger.origin}"
    start = root.not_valid_before_utc
    issuers = material.issuers(*SIGNING)
    return {
        "mediaType": TRUSTED_ROOT_TYPE,
        "tlogs": [
            _log(base, ledger.public_key, ledger.log_id, "PKIX_ED25519", start),
        ],
        "certificateAuthorities": _authorities(material, [(each, root) for each in issuers]),
        "ctlogs": [_certificate_log(base, material.trust_root.certificate_log, start)],
        "timestampAuthorities": _authorities(
            material, [(each.leaf, each.intermediate, root) for each in material.timestamps]
        ),
    }


def signing_config(material: Material, *, issuers: Iterable[str]) -> Json:
    """Where to sign in, have a key certified, a signature logged and timestamped."""
    here = material.trust_root.registry
    start = material.root.not_valid_before_utc

    def service(url: str, version: int) -> Json:
        return {
            "url": url,
            "majorApiVersion": version,
            "validFor": {"start": instant_text(start)},
            "operator": urlsplit(here).netloc,
        }

    return {
        "mediaType": SIGNING_CONFIG_TYPE,
        "caUrls": [service(here, FULCIO_VERSION)],
        "oidcUrls": [service(url, OIDC_VERSION) for url in (here, *issuers)],
        "rekorTlogUrls": [service(here, REKOR_VERSION)],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaUrls": [service(f"{here}{TIMESTAMP_PATH}", TSA_VERSION)],
        "tsaConfig": {"selector": "ANY"},
    }


def trust_config(material: Material, *, issuers: Iterable[str]) -> Json:
    """Both, as `--trust-config` of stock clients takes them."""
    return {
        "mediaType": TRUST_CONFIG_TYPE,
        "trustedRoot": trusted_root(material),
        "signingConfig": signing_config(material, issuers=issuers),
    }


def _log(base: str, key: PublicKey, log_id: bytes, details: str, start: datetime) -> Json:
    return {
        "baseUrl": base,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": base64_text(_spki(key)),
            "keyDetails": details,
            "validFor": {"start": instant_text(start)},
        },
        "logId": {"keyId": base64_text(log_id)},
    }


def _certificate_log(base: str, key: PublicKey, start: datetime) -> Json:
    """RFC 6962, 3.2: its id is the digest of its key."""
    log_id = hashlib.sha256(_spki(key)).digest()
    return _log(base, key, log_id, "PKIX_ECDSA_P256_SHA_256", start)


def _authorities(material: Material, chains: Iterable[tuple[x509.Certificate, ...]]) -> list[Json]:
    """Those that were ever believed: a period that ends before it begins is none."""
    ended = ((chain, _end(material, chain)) for chain in chains)
    return [
        _authority(material, chain, end)
        for chain, end in ended
        if chain[0].not_valid_before_utc <= end
    ]


def _end(material: Material, chain: Sequence[x509.Certificate]) -> datetime:
    """The last moment at which all of a chain is believed: revocation is told to clients so."""
    revoked = (material.ends.get(each.serial_number) for each in chain)
    last = [at - INSTANT for at in revoked if at is not None]
    return min([chain[0].not_valid_after_utc, *last])


def _authority(material: Material, chain: Sequence[x509.Certificate], end: datetime) -> Json:
    first = chain[0]
    names = first.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return {
        "subject": {
            "organization": urlsplit(material.trust_root.registry).netloc,
            "commonName": str(names[0].value),
        },
        "uri": material.trust_root.registry,
        "certChain": {
            "certificates": [
                {"rawBytes": base64_text(each.public_bytes(Encoding.DER))} for each in chain
            ]
        },
        "validFor": {
            "start": instant_text(first.not_valid_before_utc),
            "end": end.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        },
    }


def _spki(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
