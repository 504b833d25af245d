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
from cryptography.hazmat.primitives.serialization import Encoding

from .. import certificates, crls, scts
from ..certificates import Chain, Issuer, Purpose
from ..crls import Period
from ..durable import make_folder, sync, write_file
from ..errors import KeyUnusable
from ..intermediates import Name
from ..keys import PublicKey, Signer, SoftwareKey
from ..ocsp import Responder
from ..provenance import Holder
from ..revocation import Revocation
from ..trust import TrustRoot
from . import opening
from .distribution import distribution_key
from .errors import (
    CertificateNotValid,
    NotCertified,
    PurposeStopped,
    StorageUnavailable,
    WrongPurpose,
)
from .identities import token_key
from .keyring import Keyring
from .opening import (
    LEAVES_FOLDER,
    ROOT_CRL_FILE,
    SUPERSEDED,
    UNFINISHED,
    Identity,
    Places,
    certificate,
    open_folder,
    stamping,
)
from .protocol import responder_of
from .revoked import Revoked

LEAF_DAYS: Mapping[Purpose, float] = {
    Purpose.CHECKPOINT: 365,
    Purpose.OUTPUT: 7,
    Purpose.CONDUCT: 365,
    Purpose.NODE: 365,
    Purpose.TIMESTAMP: 5 * 365,
    Purpose.C2PA: 7,  # its validators look up no revocation by themselves
    Purpose.IDENTITY: 10 / (24 * 60),  # ten minutes: nobody has to revoke it
}
CRL_DAYS = 7
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
        self._leaves: dict[tuple[Name, Holder], Identity] = {}
        self._timestamping: Identity | None = None
        self._token_key: SoftwareKey | None = None
        self._distribution_key: SoftwareKey | None = None
        self._revoked = Revoked(folder)
        self.opened = open_folder(folder, keyring=self.keyring)

    @classmethod
    def open(cls, folder: Path, *, passphrase: bytes) -> Keystore:
        """Read the signer's folder; raises SignerFilesBroken or KeyUnusable."""
        return cls(folder, passphrase=passphrase)

    def open_again(self) -> None:
        """After its files were changed: what was opened before is in force until all is read."""
        self.opened = open_folder(self.folder, keyring=self.keyring)
        self._leaves.clear()
        self._timestamping = None

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
    def timestamp_key(self) -> Signer:
        """The timestamp authority's key, certified or not yet."""
        return self.opened.timestamp_key

    def timestamping(self, at: datetime) -> Identity:
        """The timestamp authority's key and chain; raises PurposeStopped or NotCertified."""
        name = self.signing(Purpose.TIMESTAMP)
        found = self._timestamping or self._load_timestamping(name)
        if found is None or not _is_valid(found.chain.leaf, at):
            raise NotCertified("expected a certificate of the timestamp authority, found none")
        self._timestamping = found
        return found

    def signing(self, purpose: Purpose) -> Name:
        """The intermediate that issues for a purpose now; raises PurposeStopped."""
        name = self.opened.current(purpose)
        self.check_signs(name)
        return name

    def check_signs(self, name: Name) -> None:
        """Raise PurposeStopped for an intermediate that issues no more."""
        if name in self.opened.stopped:
            raise PurposeStopped(
                f"the {name} intermediate was stopped: nothing is signed for {name.purpose} until "
                "another takes its place (authority rotate)"
            )

    def leaf(self, purpose: Purpose, holder: Holder, *, at: datetime) -> Identity:
        """The key and chain that sign for this purpose and holder; raises NotCertified.

        Both are there once the ledger holds the certificate (issuing), and until it ends.
        """
        return self._leaf(self.signing(purpose), holder, at=at)

    def responder(self, name: Name, *, at: datetime) -> Responder:
        """The key that answers OCSP for an intermediate; raises NotCertified."""
        found = self._leaf(name, Holder(uri=responder_of(name)), at=at)
        return Responder(certificate=found.chain.leaf, key=found.key)

    def precertificate(
        self, name: Name, public_key: PublicKey, *, holder: Holder, at: datetime
    ) -> x509.Certificate:
        """What is logged before a certificate is issued; the caller records it."""
        issuer = self._issuer_at(name, at)
        if holder.uri == responder_of(name):
            return certificates.responder(public_key, issuer=issuer, at=at)
        days = LEAF_DAYS[name.purpose]
        return certificates.precertificate(
            name.purpose, public_key, holder=holder, issuer=issuer, at=at, days=days
        )

    def certificate(
        self, name: Name, precertificate: x509.Certificate, *, at: datetime
    ) -> x509.Certificate:
        """What a precertificate in the ledger announced; that it is there, the caller checked."""
        issuer = self._issuer_at(name, at)
        key = self.opened.log_key
        sct = scts.make(precertificate, issuer=issuer.certificate, key=key, at=at)
        return scts.certificate(precertificate, sct, issuer=issuer)

    def place(self, name: Name, holder: Holder, key: SoftwareKey, chain: Chain) -> None:
        """Sign with this leaf from now on."""
        try:
            self._store_leaf(self._leaf_folder(name, holder), key, chain)
        except OSError as error:
            raise StorageUnavailable(f"a new leaf cannot be stored: {error.strerror}") from error
        self._leaves[name, holder] = Identity(key=key, chain=chain)

    def place_timestamping(self, name: Name, made: x509.Certificate) -> None:
        """Make timestamps with this certificate from now on."""
        places = Places.of(self.folder, name)
        try:
            write_file(places.stamping, made.public_bytes(Encoding.PEM))
        except OSError as error:
            message = f"the timestamp authority's certificate cannot be stored: {error.strerror}"
            raise StorageUnavailable(message) from error
        self._timestamping = None

    def authorities(self) -> tuple[bytes, ...]:
        """The certificates that issue others (DER): the root, then the intermediates."""
        found = [self.trust_root.root, *(each.certificate for each in self.opened.issuers.values())]
        return tuple(each.public_bytes(Encoding.DER) for each in found)

    def intermediate(self, name: Name) -> x509.Certificate:
        """The certificate of an intermediate; raises WrongPurpose if there is none."""
        return self._issuer(name).certificate

    def crl(
        self, name: Name, revocations: Sequence[Revocation], *, number: int, at: datetime
    ) -> bytes:
        """A revocation list by an intermediate, for a week; the caller records it.

        It is kept before it is given out: the next one holds whatever this one does.
        """
        issuer = self._issuer_at(name, at)
        period = Period(this_update=at, next_update=at + timedelta(days=CRL_DAYS))
        made = crls.create(
            revocations, issuer=issuer.certificate, key=issuer.key, number=number, period=period
        )
        self._revoked.keep(name, made, revocations)
        return made

    def revoked(self, name: Name) -> Mapping[int, Revocation]:
        """What an intermediate's last list revokes, by serial number."""
        return self._revoked.by(name, self._issuer(name))

    def forget(self, serials: Collection[int]) -> None:
        """Sign no more with leaves of these serial numbers: the next signature makes another."""
        superseded = self._leaves_folder / SUPERSEDED
        self._leaves.clear()
        self._timestamping = None
        try:
            self._forget_timestamping(serials)
            for path in self._leaves_folder.glob(f"[!.]*/{LEAF_FILE}"):
                if certificate(path).serial_number in serials:
                    shutil.rmtree(superseded, ignore_errors=True)
                    path.parent.rename(superseded)  # whole, as in _store_leaf
                    shutil.rmtree(superseded, ignore_errors=True)
        except OSError as error:
            message = f"nothing was signed: a revoked leaf cannot be put away: {error.strerror}"
            raise StorageUnavailable(message) from error

    def token_key(self) -> SoftwareKey:
        """The key of identity tokens, made on first use."""
        if self._token_key is None:
            self._token_key = token_key(self.folder, passphrase=self._passphrase)
        return self._token_key

    def distribution_key(self) -> SoftwareKey:
        """The key of what distributes the trust root, made on first use."""
        if self._distribution_key is None:
            found = distribution_key(self.folder, passphrase=self._passphrase)
            self._distribution_key = found
        return self._distribution_key

    def root_crl(self) -> bytes:
        """The list that the root signed; read anew, as an operator replaces it."""
        try:
            return self._root_crl_file.read_bytes()
        except OSError as error:
            raise StorageUnavailable(f"{ROOT_CRL_FILE}: {error.strerror}") from error

    def _forget_timestamping(self, serials: Collection[int]) -> None:
        places = Places.of(self.folder, self.opened.current(Purpose.TIMESTAMP))
        known = stamping(places, self.timestamp_key)
        if known is not None and known.serial_number in serials:
            places.stamping.unlink()
            sync(places.stamping.parent)

    def _load_timestamping(self, name: Name) -> Identity | None:
        places = Places.of(self.folder, name)
        try:
            leaf = stamping(places, self.timestamp_key)
        except OSError as error:
            raise StorageUnavailable(f"{places.stamping.name}: {error.strerror}") from error
        if leaf is None:
            return None
        chain = Chain(leaf=leaf, intermediate=self.intermediate(name))
        return Identity(key=self.timestamp_key, chain=chain)

    def _leaf(self, name: Name, holder: Holder, *, at: datetime) -> Identity:
        known = self._leaves.get((name, holder)) or self._load_leaf(name, holder)
        if known is None or not _is_valid(known.chain.leaf, at):
            raise NotCertified(f"expected a certificate of {holder.uri} for {name}, found none")
        if len(self._leaves) >= MAX_CACHED_LEAVES:
            self._leaves.clear()
        self._leaves[name, holder] = known
        return known

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

    def _store_leaf(self, folder: Path, key: SoftwareKey, chain: Chain) -> None:
        """Key and certificate appear together: a crash leaves the old pair, the new, or none."""
        unfinished, superseded = folder.parent / UNFINISHED, folder.parent / SUPERSEDED
        for left in (unfinished, superseded):
            shutil.rmtree(left, ignore_errors=True)
        folder.parent.mkdir(mode=0o700, exist_ok=True)  # a backup of the keys has none
        make_folder(unfinished)
        key.store(unfinished / LEAF_KEY_FILE, self._passphrase)
        write_file(unfinished / LEAF_FILE, chain.leaf_pem)
        if folder.is_dir():
            folder.rename(superseded)  # whole: removed in place, a kill would leave half a pair
        unfinished.rename(folder)
        sync(folder.parent)
        shutil.rmtree(superseded, ignore_errors=True)

    def _load_leaf(self, name: Name, holder: Holder) -> Identity | None:
        """A leaf made before; None if there is none, or one of its two files is not there."""
        folder = self._leaf_folder(name, holder)
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

    def _leaf_folder(self, name: Name, holder: Holder) -> Path:
        named = f"{name}\n{holder.uri}\n{holder.conduct_sha256 or ''}"
        return self._leaves_folder / sha256(named.encode()).hexdigest()


def _is_valid(leaf: x509.Certificate, at: datetime) -> bool:
    starts, ends = _validity(leaf)
    return starts <= at < ends


def _validity(certificate: x509.Certificate) -> tuple[datetime, datetime]:
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc
