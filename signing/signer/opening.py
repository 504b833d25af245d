# SPDX-License-Identifier: Apache-2.0
"""The signer's files, read once at its start and checked against each other.

    trust-root.json   root.pem   ledger.key.pem   timestamp.key.pem   timestamp.pem
    intermediates/<purpose>.key.pem, <purpose>.pem
    leaves/<sha256 of purpose and subject>/key.pem, leaf.pem     made on first use, made again
    root.crl                                                     by the root: its intermediates
    offline/root.key.pem                                         read by nobody (ceremony)

Every private key is encrypted PKCS#8. What is done with them is keystore's; what may be signed with
them is decided in service.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from .. import canonical, crls, ocsp, treehead
from ..certificates import Chain, Issuer, Purpose
from ..errors import InvalidDocument
from ..keys import Signer, SoftwareKey
from ..trust import TrustRoot
from .errors import SignerFilesBroken

TRUST_ROOT_FILE = "trust-root.json"
ROOT_FILE = "root.pem"
ROOT_CRL_FILE = "root.crl"
LEDGER_KEY_FILE = "ledger.key.pem"
TIMESTAMP_KEY_FILE = "timestamp.key.pem"
TIMESTAMP_FILE = "timestamp.pem"
INTERMEDIATES_FOLDER = "intermediates"
LEAVES_FOLDER = "leaves"
OFFLINE_FOLDER = "offline"
UNFINISHED = ".unfinished"
SUPERSEDED = ".superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A key and the certificates that say whose it is."""

    key: Signer
    chain: Chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What the signer's folder holds, opened; a repr shows no private key."""

    trust_root: TrustRoot
    ledger_key: Signer
    issuers: Mapping[Purpose, Issuer]
    timestamping: Identity


def open_folder(folder: Path, *, passphrase: bytes) -> Opened:
    """Read every key but the leaves', and check that they fit the trust root.

    Raises SignerFilesBroken, or KeyUnusable for a passphrase that does not open them.
    """
    try:
        trust_root = TrustRoot.parse(canonical.loads((folder / TRUST_ROOT_FILE).read_bytes()))
        ledger_key = SoftwareKey.load(folder / LEDGER_KEY_FILE, passphrase)
        issuers = {each: _issuer(folder, each, passphrase, trust_root) for each in Purpose}
        timestamping = Identity(
            key=SoftwareKey.load(folder / TIMESTAMP_KEY_FILE, passphrase),
            chain=Chain(
                leaf=certificate(folder / TIMESTAMP_FILE),
                intermediate=issuers[Purpose.TIMESTAMP].certificate,
            ),
        )
        for left in (UNFINISHED, SUPERSEDED):
            shutil.rmtree(folder / LEAVES_FOLDER / left, ignore_errors=True)
    except OSError as error:
        raise SignerFilesBroken(f"{error.filename}: {error.strerror}") from error
    except InvalidDocument as error:
        raise SignerFilesBroken(f"{TRUST_ROOT_FILE}: {error}") from error
    if treehead.vkey(trust_root.origin, ledger_key.public_key) != trust_root.verifier:
        raise SignerFilesBroken(f"{LEDGER_KEY_FILE} is not the key that the trust root names")
    _match(TIMESTAMP_KEY_FILE, timestamping.key, timestamping.chain.leaf)
    return Opened(
        trust_root=trust_root, ledger_key=ledger_key, issuers=issuers, timestamping=timestamping
    )


def certificate(path: Path) -> x509.Certificate:
    """A certificate in PEM; raises SignerFilesBroken."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise SignerFilesBroken(f"{path.name} is not a PEM certificate") from error


def _issuer(folder: Path, purpose: Purpose, passphrase: bytes, trust_root: TrustRoot) -> Issuer:
    files = folder / INTERMEDIATES_FOLDER
    key = SoftwareKey.load(files / f"{purpose}.key.pem", passphrase)
    found = certificate(files / f"{purpose}.pem")
    _match(f"{purpose}.key.pem", key, found)
    try:
        found.verify_directly_issued_by(trust_root.root)
    except (ValueError, TypeError, InvalidSignature) as error:
        message = f"the {purpose} intermediate was not issued by the trust root's root"
        raise SignerFilesBroken(message) from error
    url = crls.address(trust_root.registry, purpose)
    asked_at = ocsp.address(trust_root.registry, purpose)
    return Issuer(certificate=found, key=key, crl_url=url, ocsp_url=asked_at)


def _match(name: str, key: Signer, found: x509.Certificate) -> None:
    if key.public_key != found.public_key():
        raise SignerFilesBroken(f"{name} is not the key of its certificate")
