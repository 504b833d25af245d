# SPDX-License-Identifier: Apache-2.0
"""The signer's files, read once at its start and checked against each other.

    trust-root.json   root.pem   ledger.key.pem   sct.key.pem   timestamp.key.pem
    timestamp.pem                                                once it is certified (issuing)
    intermediates/<purpose>.key.pem, <purpose>.pem               of the ceremony
    intermediates/<name>/key.pem, intermediate.pem               each that came later,
                         leaf.key.pem, leaf.pem                  for timestamps, as above
    intermediates/stopped/<name>                                 it signs no more
    leaves/<sha256 of name and holder>/key.pem, leaf.pem         once it is certified (issuing)
    lists/<name>.crl                                             what it has revoked (revoked)
    token.key.pem   distribution.key.pem                         made on first use
    root.crl                                                     by the root: its intermediates
    offline/root.key.pem                                         read by nobody (ceremony)

Every private key is encrypted PKCS#8, or in a token (keyring). What is done with them is
keystore's; what may be signed with them is decided in service.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from .. import canonical, crls, ocsp, treehead
from ..certificates import MALFORMED, Chain, Issuer, Purpose
from ..errors import InvalidDocument
from ..intermediates import Name
from ..keys import Signer
from ..trust import TrustRoot
from .errors import PurposeMissing, SignerFilesBroken
from .keyring import Keyring

TRUST_ROOT_FILE = "trust-root.json"
ROOT_FILE = "root.pem"
ROOT_CRL_FILE = "root.crl"
LEDGER_KEY_FILE = "ledger.key.pem"
LOG_KEY_FILE = "sct.key.pem"
TIMESTAMP_KEY_FILE = "timestamp.key.pem"
TIMESTAMP_FILE = "timestamp.pem"
INTERMEDIATES_FOLDER = "intermediates"
LEAVES_FOLDER = "leaves"
OFFLINE_FOLDER = "offline"
STOPPED_FOLDER = "stopped"
KEY_FILE = "key.pem"
INTERMEDIATE_FILE = "intermediate.pem"
STAMPING_KEY_FILE = "leaf.key.pem"
STAMPING_FILE = "leaf.pem"
UNFINISHED = ".unfinished"
SUPERSEDED = ".superseded"
# A registry that is older than such a purpose works on without, until it is asked for (rotation).
LATER = frozenset({Purpose.C2PA, Purpose.IDENTITY})


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
    log_key: Signer
    """Of certificate timestamps."""
    timestamp_key: Signer
    """The timestamp authority's, certified under the newest intermediate for it or not yet."""
    issuers: Mapping[Name, Issuer]
    stopped: frozenset[Name]
    """Those that sign no more, but say what they revoked."""

    def current(self, purpose: Purpose) -> Name:
        """The newest intermediate of a purpose, the one that issues; raises PurposeMissing."""
        found = self.newest(purpose)
        if found is None:
            raise PurposeMissing(
                f"expected an intermediate for {purpose}, found none: this registry is older than "
                f"that purpose; make one (authority rotate {purpose})"
            )
        return found

    def newest(self, purpose: Purpose) -> Name | None:
        """The same, or None."""
        names = (name for name in self.issuers if name.purpose is purpose)
        return max(names, key=lambda name: name.number, default=None)

    def next(self, purpose: Purpose) -> Name:
        """The intermediate that is to take its place, or to be the first."""
        found = self.newest(purpose)
        return Name(purpose=purpose) if found is None else found.next


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where an intermediate's files are, and those of the timestamp authority under it."""

    key: Path
    certificate: Path
    stamping_key: Path
    stamping: Path

    @classmethod
    def of(cls, folder: Path, name: Name) -> Places:
        """Those of the ceremony lie flat, as it left them; each that came later has a folder."""
        files = folder / INTERMEDIATES_FOLDER
        if name.number == 1 and not (files / f"{name}").is_dir():
            return cls(
                key=files / f"{name}.key.pem",
                certificate=files / f"{name}.pem",
                stamping_key=folder / TIMESTAMP_KEY_FILE,
                stamping=folder / TIMESTAMP_FILE,
            )
        return cls.within(files / f"{name}")

    @classmethod
    def within(cls, own: Path) -> Places:
        """In a folder of its own."""
        return cls(
            key=own / KEY_FILE,
            certificate=own / INTERMEDIATE_FILE,
            stamping_key=own / STAMPING_KEY_FILE,
            stamping=own / STAMPING_FILE,
        )


def open_folder(folder: Path, *, keyring: Keyring) -> Opened:
    """Read every key but the leaves', and check that they fit the trust root.

    Raises SignerFilesBroken, or KeyUnusable for keys that do not open.
    """
    try:
        trust_root = TrustRoot.parse(canonical.loads((folder / TRUST_ROOT_FILE).read_bytes()))
        ledger_key = keyring.load(folder / LEDGER_KEY_FILE)
        issuers = {each: _issuer(folder, each, keyring, trust_root) for each in _names(folder)}
        opened = Opened(
            trust_root=trust_root,
            ledger_key=ledger_key,
            issuers=issuers,
            stopped=stopped(folder, issuers),
            log_key=keyring.load(folder / LOG_KEY_FILE),
            timestamp_key=_timestamp_key(folder, keyring, issuers),
        )
        for left in (UNFINISHED, SUPERSEDED):
            shutil.rmtree(folder / LEAVES_FOLDER / left, ignore_errors=True)
    except OSError as error:
        raise SignerFilesBroken(f"{error.filename}: {error.strerror}") from error
    except InvalidDocument as error:
        raise SignerFilesBroken(f"{TRUST_ROOT_FILE}: {error}") from error
    if opened.log_key.public_key != trust_root.certificate_log:
        raise SignerFilesBroken(f"{LOG_KEY_FILE} is not the key that the trust root names")
    if treehead.vkey(trust_root.origin, ledger_key.public_key) != trust_root.verifier:
        raise SignerFilesBroken(f"{LEDGER_KEY_FILE} is not the key that the trust root names")
    return opened


def certificate(path: Path) -> x509.Certificate:
    """A certificate in PEM; raises SignerFilesBroken."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise SignerFilesBroken(f"{path.name} is not a PEM certificate") from error


def issuer(name: Name, found: x509.Certificate, key: Signer, *, registry: str) -> Issuer:
    """An intermediate that issues: what it makes says where its list and its responder are."""
    return Issuer(
        certificate=found,
        key=key,
        crl_url=crls.address(registry, str(name)),
        ocsp_url=ocsp.address(registry, str(name)),
        registry=registry,
    )


def stopped(folder: Path, issuers: Mapping[Name, Issuer]) -> frozenset[Name]:
    """Stopped by name, or revoked by the root, whichever came first."""
    marks = {path.name for path in (folder / INTERMEDIATES_FOLDER / STOPPED_FOLDER).glob("*")}
    revoked = _revoked_by_root(folder / ROOT_CRL_FILE)
    return frozenset(
        name
        for name, each in issuers.items()
        if str(name) in marks or each.certificate.serial_number in revoked
    )


def _names(folder: Path) -> list[Name]:
    """Every purpose's first intermediate, and those that rotations added."""
    files = folder / INTERMEDIATES_FOLDER
    flat = [
        Name(purpose=each)
        for each in Purpose
        if each not in LATER or any(files.glob(f"{each}.*"))  # half of a pair is found out
    ]
    later = [
        Name.parse(path.name)
        for path in files.glob("[!.]*/")
        if path.is_dir() and path.name != STOPPED_FOLDER
    ]
    return list(dict.fromkeys((*flat, *later)))


def _issuer(folder: Path, name: Name, keyring: Keyring, trust_root: TrustRoot) -> Issuer:
    places = Places.of(folder, name)
    key = keyring.load(places.key)
    found = certificate(places.certificate)
    _match(places.key.name, key, found)
    try:
        found.verify_directly_issued_by(trust_root.root)
    except (ValueError, TypeError, InvalidSignature) as error:
        message = f"the {name} intermediate was not issued by the trust root's root"
        raise SignerFilesBroken(message) from error
    return issuer(name, found, key, registry=trust_root.registry)


def stamping(places: Places, key: Signer) -> x509.Certificate | None:
    """The timestamp authority's certificate; None until there is one. Raises OSError."""
    try:
        found = certificate(places.stamping)
    except FileNotFoundError:
        return None
    _match(places.stamping_key.name, key, found)
    return found


def _timestamp_key(folder: Path, keyring: Keyring, issuers: Mapping[Name, Issuer]) -> Signer:
    """That of the timestamp authority under the newest intermediate for it."""
    name = max(
        (each for each in issuers if each.purpose is Purpose.TIMESTAMP),
        key=lambda each: each.number,
    )
    places = Places.of(folder, name)
    key = keyring.load(places.stamping_key)
    stamping(places, key)  # if it is there, it is this key's
    return key


def _revoked_by_root(path: Path) -> frozenset[int]:
    if not path.exists():  # the first ceremonies made none
        return frozenset()
    try:
        listed = x509.load_der_x509_crl(path.read_bytes())
        return frozenset(entry.serial_number for entry in listed)
    except MALFORMED as error:
        raise SignerFilesBroken(f"{path.name} is not a revocation list in DER") from error


def _match(name: str, key: Signer, found: x509.Certificate) -> None:
    if key.public_key != found.public_key():
        raise SignerFilesBroken(f"{name} is not the key of its certificate")
