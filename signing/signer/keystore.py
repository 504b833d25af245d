# SPDX-License-Identifier: Apache-2.0
"""The signer's keys and certificates on disk, opened once and kept parsed.

    trust-root.json   root.pem   ledger.key.pem   timestamp.key.pem   timestamp.pem
    intermediates/<purpose>.key.pem, <purpose>.pem
    leaves/<sha256 of purpose and subject>/key.pem, leaf.pem     made on first use, made again
    root.crl                                                     by the root: its intermediates
    offline/root.key.pem                                         read by nobody (ceremony)

Every private key is encrypted PKCS#8. What may be signed with them is decided in service.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .. import canonical, certificates, crls, ocsp, treehead
from ..certificates import Chain, Issuer, Purpose
from ..crls import Period
from ..durable import make_folder, sync, write_file
from ..errors import InvalidDocument, KeyUnusable
from ..keys import PublicKey, SoftwareKey
from ..ocsp import Responder
from ..revocation import Revocation
from ..trust import TrustRoot
from .errors import CertificateNotValid, SignerFilesBroken, StorageUnavailable

LEAF_DAYS: Mapping[Purpose, int] = {
    Purpose.CHECKPOINT: 365,
    Purpose.OUTPUT: 7,
    Purpose.CONDUCT: 365,
    Purpose.NODE: 365,
    Purpose.TIMESTAMP: 5 * 365,
}
CRL_DAYS = 7
RESPONDER = "OCSP"  # in a subject's place: no URL, so no subject is called so
RENEWED_IN_LAST = 10  # a leaf is made again in the last tenth of its validity
MAX_CACHED_LEAVES = 4096

TRUST_ROOT_FILE = "trust-root.json"
ROOT_FILE = "root.pem"
ROOT_CRL_FILE = "root.crl"
LEDGER_KEY_FILE = "ledger.key.pem"
TIMESTAMP_KEY_FILE = "timestamp.key.pem"
TIMESTAMP_FILE = "timestamp.pem"
INTERMEDIATES_FOLDER = "intermediates"
LEAVES_FOLDER = "leaves"
OFFLINE_FOLDER = "offline"
LEAF_KEY_FILE = "key.pem"
LEAF_FILE = "leaf.pem"
UNFINISHED = ".unfinished"
SUPERSEDED = ".superseded"

Record = Callable[[Mapping[str, str | int]], None]
"""Makes an audit line about a new certificate durable, or raises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """A key and the certificates that say whose it is."""

    key: SoftwareKey
    chain: Chain


class Keystore:
    """Opened keys. No method returns or prints a private key's bytes."""

    def __init__(
        self,
        folder: Path,
        *,
        passphrase: bytes,
        trust_root: TrustRoot,
        ledger_key: SoftwareKey,
        issuers: Mapping[Purpose, Issuer],
        timestamping: Identity,
    ) -> None:
        self.trust_root = trust_root
        self.ledger_key = ledger_key
        self.timestamping = timestamping
        self._leaves_folder = folder / LEAVES_FOLDER
        self._root_crl_file = folder / ROOT_CRL_FILE
        self._passphrase = passphrase
        self._issuers = issuers
        self._leaves: dict[tuple[Purpose, str], Identity] = {}

    @classmethod
    def open(cls, folder: Path, *, passphrase: bytes) -> Keystore:
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
                    leaf=_certificate(folder / TIMESTAMP_FILE),
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
        return cls(
            folder,
            passphrase=passphrase,
            trust_root=trust_root,
            ledger_key=ledger_key,
            issuers=issuers,
            timestamping=timestamping,
        )

    def leaf(self, purpose: Purpose, subject: str, *, at: datetime, record: Record) -> Identity:
        """The key and chain that sign for this purpose and subject at this time.

        Made on first use, and again before it expires; `record` is called before a certificate is.
        """
        known = self._leaves.get((purpose, subject)) or self._load_leaf(purpose, subject)
        if known is None or not _is_fresh(known.chain.leaf, at):
            known = self._make_leaf(purpose, subject, at=at, record=record)
        if len(self._leaves) >= MAX_CACHED_LEAVES:
            self._leaves.clear()
        self._leaves[purpose, subject] = known
        return known

    def issue(
        self, purpose: Purpose, public_key: PublicKey, *, subject: str, at: datetime, record: Record
    ) -> Chain:
        """Certify a key for a purpose and subject; `record` is called before the certificate is."""
        issuer = self._issuer_at(purpose, at)
        key_digest = _key_digest(public_key)
        record({"purpose": purpose.value, "subject": subject, "public_key_sha256": key_digest})
        if subject == RESPONDER:
            leaf = certificates.responder(public_key, issuer=issuer, at=at)
        else:
            days = LEAF_DAYS[purpose]
            leaf = certificates.leaf(
                purpose, public_key, subject=subject, issuer=issuer, at=at, days=days
            )
        return Chain(leaf=leaf, intermediate=issuer.certificate)

    def responder(self, purpose: Purpose, *, at: datetime, record: Record) -> Responder:
        """The key that answers OCSP for the intermediate of a purpose, made as leaves are."""
        found = self.leaf(purpose, RESPONDER, at=at, record=record)
        return Responder(certificate=found.chain.leaf, key=found.key)

    def intermediate(self, purpose: Purpose) -> x509.Certificate:
        """The certificate under which a purpose's leaves are."""
        return self._issuers[purpose].certificate

    def crl(
        self, purpose: Purpose, revocations: Sequence[Revocation], *, number: int, at: datetime
    ) -> bytes:
        """A revocation list by the intermediate of a purpose, for a week; the caller records it."""
        issuer = self._issuer_at(purpose, at)
        period = Period(this_update=at, next_update=at + timedelta(days=CRL_DAYS))
        return crls.create(
            revocations, issuer=issuer.certificate, key=issuer.key, number=number, period=period
        )

    def forget(self, serials: Collection[int]) -> None:
        """Sign no more with leaves of these serial numbers: the next signature makes another."""
        superseded = self._leaves_folder / SUPERSEDED
        self._leaves.clear()
        try:
            for path in self._leaves_folder.glob(f"[!.]*/{LEAF_FILE}"):
                if _certificate(path).serial_number in serials:
                    shutil.rmtree(superseded, ignore_errors=True)
                    path.parent.rename(superseded)  # whole, as in _store_leaf
                    shutil.rmtree(superseded, ignore_errors=True)
        except OSError as error:
            message = f"nothing was signed: a revoked leaf cannot be put away: {error.strerror}"
            raise StorageUnavailable(message) from error

    def root_crl(self) -> bytes:
        """The list that the root signed; read anew, as an operator replaces it."""
        try:
            return self._root_crl_file.read_bytes()
        except OSError as error:
            raise StorageUnavailable(f"{ROOT_CRL_FILE}: {error.strerror}") from error

    def _issuer_at(self, purpose: Purpose, at: datetime) -> Issuer:
        issuer = self._issuers[purpose]
        starts, ends = _validity(issuer.certificate)
        if not starts <= at < ends:
            raise CertificateNotValid(
                f"the {purpose} intermediate is valid from {starts:%Y-%m-%d} to {ends:%Y-%m-%d}, "
                f"and the signer's clock says {at:%Y-%m-%d %H:%M}"
            )
        return issuer

    def _make_leaf(
        self, purpose: Purpose, subject: str, *, at: datetime, record: Record
    ) -> Identity:
        key = SoftwareKey.generate()
        chain = self.issue(purpose, key.public_key, subject=subject, at=at, record=record)
        made = Identity(key=key, chain=chain)
        try:
            self._store_leaf(self._leaf_folder(purpose, subject), made)
        except OSError as error:
            message = f"nothing was signed: the new leaf cannot be stored: {error.strerror}"
            raise StorageUnavailable(message) from error
        return made

    def _store_leaf(self, folder: Path, leaf: Identity) -> None:
        """Key and certificate appear together: a crash leaves the old pair, the new, or none."""
        unfinished, superseded = folder.parent / UNFINISHED, folder.parent / SUPERSEDED
        for left in (unfinished, superseded):
            shutil.rmtree(left, ignore_errors=True)
        make_folder(unfinished)
        leaf.key.store(unfinished / LEAF_KEY_FILE, self._passphrase)
        write_file(unfinished / LEAF_FILE, leaf.chain.leaf_pem)
        if folder.is_dir():
            folder.rename(superseded)  # whole: removed in place, a kill would leave half a pair
        unfinished.rename(folder)
        sync(folder.parent)
        shutil.rmtree(superseded, ignore_errors=True)

    def _load_leaf(self, purpose: Purpose, subject: str) -> Identity | None:
        """A leaf made before; None if there is none, or one of its two files is not there."""
        folder = self._leaf_folder(purpose, subject)
        intermediate = self._issuers[purpose].certificate
        try:
            key = SoftwareKey.load(folder / LEAF_KEY_FILE, self._passphrase)
            leaf = _certificate(folder / LEAF_FILE)
        except FileNotFoundError:
            return None
        except (OSError, KeyUnusable) as error:
            message = f"nothing was signed: a leaf cannot be read: {error}"
            raise StorageUnavailable(message) from error
        return Identity(key=key, chain=Chain(leaf=leaf, intermediate=intermediate))

    def _leaf_folder(self, purpose: Purpose, subject: str) -> Path:
        return self._leaves_folder / sha256(f"{purpose}\n{subject}".encode()).hexdigest()


def _issuer(folder: Path, purpose: Purpose, passphrase: bytes, trust_root: TrustRoot) -> Issuer:
    files = folder / INTERMEDIATES_FOLDER
    key = SoftwareKey.load(files / f"{purpose}.key.pem", passphrase)
    certificate = _certificate(files / f"{purpose}.pem")
    _match(f"{purpose}.key.pem", key, certificate)
    try:
        certificate.verify_directly_issued_by(trust_root.root)
    except (ValueError, TypeError, InvalidSignature) as error:
        message = f"the {purpose} intermediate was not issued by the trust root's root"
        raise SignerFilesBroken(message) from error
    url = crls.address(trust_root.registry, purpose)
    asked_at = ocsp.address(trust_root.registry, purpose)
    return Issuer(certificate=certificate, key=key, crl_url=url, ocsp_url=asked_at)


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError as error:
        raise SignerFilesBroken(f"{path.name} is not a PEM certificate") from error


def _match(name: str, key: SoftwareKey, certificate: x509.Certificate) -> None:
    if key.public_key != certificate.public_key():
        raise SignerFilesBroken(f"{name} is not the key of its certificate")


def _is_fresh(leaf: x509.Certificate, at: datetime) -> bool:
    starts, ends = _validity(leaf)
    return starts <= at < ends - (ends - starts) / RENEWED_IN_LAST


def _validity(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _key_digest(public_key: PublicKey) -> str:
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(der).hexdigest()
