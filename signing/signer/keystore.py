# SPDX-License-Identifier: Apache-2.0
"""The signer's keys in use: leaves made and kept, certificates issued, lists signed.

Where all of it lies, and that it fits together, is opening's. What may be signed is decided in
service.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .. import certificates, crls
from ..certificates import Chain, Issuer, Purpose
from ..crls import Period
from ..durable import make_folder, sync, write_file
from ..errors import KeyUnusable
from ..intermediates import Name
from ..keys import PublicKey, Signer, SoftwareKey
from ..ocsp import Responder
from ..revocation import Revocation
from ..trust import TrustRoot
from . import opening
from .errors import CertificateNotValid, PurposeStopped, StorageUnavailable, WrongPurpose
from .keyring import Keyring
from .opening import (
    LEAVES_FOLDER,
    ROOT_CRL_FILE,
    SUPERSEDED,
    UNFINISHED,
    Identity,
    certificate,
    open_folder,
)

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

LEAF_KEY_FILE = "key.pem"
LEAF_FILE = "leaf.pem"

Record = Callable[[Mapping[str, str | int]], None]
"""Makes an audit line about a new certificate durable, or raises."""


class Keystore:
    """Opened keys. No method returns or prints a private key's bytes."""

    def __init__(self, folder: Path, *, passphrase: bytes) -> None:
        """Read the signer's folder; raises SignerFilesBroken or KeyUnusable."""
        self.folder = folder
        self._leaves_folder = folder / LEAVES_FOLDER
        self._root_crl_file = folder / ROOT_CRL_FILE
        self._passphrase = passphrase
        self.keyring = Keyring(passphrase)
        self._leaves: dict[tuple[Name, str], Identity] = {}
        self.opened = open_folder(folder, keyring=self.keyring)

    @classmethod
    def open(cls, folder: Path, *, passphrase: bytes) -> Keystore:
        """Read the signer's folder; raises SignerFilesBroken or KeyUnusable."""
        return cls(folder, passphrase=passphrase)

    def open_again(self) -> None:
        """After its files were changed: what was opened before is in force until all is read."""
        self.opened = open_folder(self.folder, keyring=self.keyring)
        self._leaves.clear()

    def look_again(self) -> None:
        """After an intermediate was stopped, or a list of the root's came: no key is opened."""
        stopped = opening.stopped(self.folder, self.opened.issuers)
        self.opened = replace(self.opened, stopped=stopped)

    @property
    def trust_root(self) -> TrustRoot:
        """What users pin."""
        return self.opened.trust_root

    @property
    def ledger_key(self) -> Signer:
        """The key of tree heads."""
        return self.opened.ledger_key

    @property
    def timestamping(self) -> Identity:
        """The timestamp authority's key and chain; raises PurposeStopped."""
        self.signing(Purpose.TIMESTAMP)
        return self.opened.timestamping

    def signing(self, purpose: Purpose) -> Name:
        """The intermediate that issues for a purpose now; raises PurposeStopped."""
        name = self.opened.current(purpose)
        if name in self.opened.stopped:
            raise PurposeStopped(
                f"the {name} intermediate was stopped: nothing is signed for {purpose} until "
                "another takes its place (authority rotate)"
            )
        return name

    def leaf(self, purpose: Purpose, subject: str, *, at: datetime, record: Record) -> Identity:
        """The key and chain that sign for this purpose and subject at this time.

        Made on first use, and again before it expires; `record` is called before a certificate is.
        """
        return self._leaf(self.signing(purpose), subject, at=at, record=record)

    def issue(
        self, purpose: Purpose, public_key: PublicKey, *, subject: str, at: datetime, record: Record
    ) -> Chain:
        """Certify a key for a purpose and subject; `record` is called before the certificate is."""
        name = self.signing(purpose)
        return self._issue(name, public_key, subject=subject, at=at, record=record)

    def responder(self, name: Name, *, at: datetime, record: Record) -> Responder:
        """The key that answers OCSP for an intermediate, made as leaves are."""
        found = self._leaf(name, RESPONDER, at=at, record=record)
        return Responder(certificate=found.chain.leaf, key=found.key)

    def intermediate(self, name: Name) -> x509.Certificate:
        """The certificate of an intermediate; raises WrongPurpose if there is none."""
        return self._issuer(name).certificate

    def crl(
        self, name: Name, revocations: Sequence[Revocation], *, number: int, at: datetime
    ) -> bytes:
        """A revocation list by an intermediate, for a week; the caller records it."""
        issuer = self._issuer_at(name, at)
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
                if certificate(path).serial_number in serials:
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

    def _leaf(self, name: Name, subject: str, *, at: datetime, record: Record) -> Identity:
        known = self._leaves.get((name, subject)) or self._load_leaf(name, subject)
        if known is None or not _is_fresh(known.chain.leaf, at):
            known = self._make_leaf(name, subject, at=at, record=record)
        if len(self._leaves) >= MAX_CACHED_LEAVES:
            self._leaves.clear()
        self._leaves[name, subject] = known
        return known

    def _issue(
        self, name: Name, public_key: PublicKey, *, subject: str, at: datetime, record: Record
    ) -> Chain:
        issuer = self._issuer_at(name, at)
        key_digest = _key_digest(public_key)
        record({**_named(name), "subject": subject, "public_key_sha256": key_digest})
        if subject == RESPONDER:
            leaf = certificates.responder(public_key, issuer=issuer, at=at)
        else:
            days = LEAF_DAYS[name.purpose]
            leaf = certificates.leaf(
                name.purpose, public_key, subject=subject, issuer=issuer, at=at, days=days
            )
        return Chain(leaf=leaf, intermediate=issuer.certificate)

    def _issuer(self, name: Name) -> Issuer:
        found = self.opened.issuers.get(name)
        if found is None:
            raise WrongPurpose(f"issuer: expected an intermediate that there is, found {name}")
        return found

    def _issuer_at(self, name: Name, at: datetime) -> Issuer:
        issuer = self._issuer(name)
        starts, ends = _validity(issuer.certificate)
        if not starts <= at < ends:
            raise CertificateNotValid(
                f"the {name} intermediate is valid from {starts:%Y-%m-%d} to {ends:%Y-%m-%d}, "
                f"and the signer's clock says {at:%Y-%m-%d %H:%M}"
            )
        return issuer

    def _make_leaf(self, name: Name, subject: str, *, at: datetime, record: Record) -> Identity:
        key = SoftwareKey.generate()
        chain = self._issue(name, key.public_key, subject=subject, at=at, record=record)
        try:
            self._store_leaf(self._leaf_folder(name, subject), key, chain)
        except OSError as error:
            message = f"nothing was signed: the new leaf cannot be stored: {error.strerror}"
            raise StorageUnavailable(message) from error
        return Identity(key=key, chain=chain)

    def _store_leaf(self, folder: Path, key: SoftwareKey, chain: Chain) -> None:
        """Key and certificate appear together: a crash leaves the old pair, the new, or none."""
        unfinished, superseded = folder.parent / UNFINISHED, folder.parent / SUPERSEDED
        for left in (unfinished, superseded):
            shutil.rmtree(left, ignore_errors=True)
        make_folder(unfinished)
        key.store(unfinished / LEAF_KEY_FILE, self._passphrase)
        write_file(unfinished / LEAF_FILE, chain.leaf_pem)
        if folder.is_dir():
            folder.rename(superseded)  # whole: removed in place, a kill would leave half a pair
        unfinished.rename(folder)
        sync(folder.parent)
        shutil.rmtree(superseded, ignore_errors=True)

    def _load_leaf(self, name: Name, subject: str) -> Identity | None:
        """A leaf made before; None if there is none, or one of its two files is not there."""
        folder = self._leaf_folder(name, subject)
        intermediate = self._issuer(name).certificate
        try:
            key = SoftwareKey.load(folder / LEAF_KEY_FILE, self._passphrase)
            leaf = certificate(folder / LEAF_FILE)
        except FileNotFoundError:
            return None
        except (OSError, KeyUnusable) as error:
            message = f"nothing was signed: a leaf cannot be read: {error}"
            raise StorageUnavailable(message) from error
        return Identity(key=key, chain=Chain(leaf=leaf, intermediate=intermediate))

    def _leaf_folder(self, name: Name, subject: str) -> Path:
        return self._leaves_folder / sha256(f"{name}\n{subject}".encode()).hexdigest()


def _is_fresh(leaf: x509.Certificate, at: datetime) -> bool:
    starts, ends = _validity(leaf)
    return starts <= at < ends - (ends - starts) / RENEWED_IN_LAST


def _validity(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _key_digest(public_key: PublicKey) -> str:
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(der).hexdigest()


def _named(name: Name) -> dict[str, str | int]:
    return {"purpose": name.purpose.value, "issuer": str(name)}
