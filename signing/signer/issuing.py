# SPDX-License-Identifier: Apache-2.0
"""Certificates in two requests: a precertificate, and once it is in the ledger what it announced.

    precertificates/<sha256 of it>/holder.json, precertificate.pem
    precertificates/<sha256 of it>/unplaced, key.pem     until what signs is in its place
    precertificates/<sha256 of it>/certificate.pem       from `certify` on, until it ends

Both answers are kept before they are given, so that asking again gives the same one.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .. import canonical, certificates, merkle, scts
from ..certificates import Chain, Purpose
from ..durable import make_folder, sync, write_file
from ..errors import InvalidDocument, NotInLedger
from ..intermediates import Name
from ..keys import PublicKey, SoftwareKey
from ..provenance import Holder
from . import identities, rules
from .errors import BadRequest, NotCertified, NotIncluded, StorageUnavailable
from .highwater import Head
from .keystore import Keystore, Record
from .opening import certificate as read_certificate
from .protocol import RESPONDER, CertificateRequest, CertifyRequest, PrecertifyRequest
from .vouchers import PrecertifyIdentityRequest

PRECERTIFICATES_FOLDER = "precertificates"
HOLDER_FILE = "holder.json"
PRECERTIFICATE_FILE = "precertificate.pem"
CERTIFICATE_FILE = "certificate.pem"
KEY_FILE = "key.pem"
UNPLACED_FILE = "unplaced"
UNFINISHED = ".unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Announced:
    """A precertificate that is kept, and whose it is."""

    folder: Path
    issuer: Name
    holder: Holder
    precertificate: x509.Certificate

    @property
    def is_responder(self) -> bool:
        """Whether it is of who answers OCSP for its issuer."""
        return self.holder.uri.startswith(RESPONDER)

    @property
    def is_stamping(self) -> bool:
        """Whether it is the timestamp authority's."""
        return self.issuer.purpose is Purpose.TIMESTAMP and not self.is_responder


class Issuing:
    """The precertificates that were made, and the certificates that came of them."""

    def __init__(self, folder: Path, *, keystore: Keystore, passphrase: bytes) -> None:
        self._folder = folder / PRECERTIFICATES_FOLDER
        self._keystore = keystore
        self._passphrase = passphrase

    def precertify(self, request: PrecertifyRequest, *, at: datetime, record: Record) -> bytes:
        """1. who may be certified for what; 2. the key; 3. the audit line; 4. the precertificate.

        Its DER. With it a new key is kept, unless the key is the caller's or the authority's own.
        """
        registry = self._keystore.trust_root.registry
        rules.check_holder(request, registry=registry)  # 1
        key, public_key = self._key_for(request)  # 2
        uri = rules.certified(request, registry=registry)
        holder = Holder(uri=uri, conduct_sha256=request.conduct_sha256)
        record(  # 3
            {
                "purpose": request.purpose.value,
                "subject": holder.uri,
                "conduct_sha256": holder.conduct_sha256 or "",
                "public_key_sha256": sha256(_spki(public_key)).hexdigest(),
            }
        )
        issuer = self._issuer_of(request)
        made = self._keystore.precertificate(issuer, public_key, holder=holder, at=at)  # 4
        self._keep(
            _Announced(
                folder=self._folder / sha256(made.public_bytes(Encoding.DER)).hexdigest(),
                issuer=issuer,
                holder=holder,
                precertificate=made,
            ),
            key=key,
            is_ours=request.csr is None,
        )
        return made.public_bytes(Encoding.DER)

    def precertify_identity(
        self, request: PrecertifyIdentityRequest, *, at: datetime, record: Record
    ) -> bytes:
        """The same for whom an identity provider knows, and a key of theirs."""
        registry = self._keystore.trust_root.registry
        holder = identities.holder(request, registry=registry)  # 1
        key = identities.public_key(request)  # 2
        record(  # 3
            {
                "purpose": Purpose.IDENTITY.value,
                "subject": holder.uri,
                "issuer": request.issuer,
                "public_key_sha256": sha256(_spki(key)).hexdigest(),
            }
        )
        issuer = self._keystore.signing(Purpose.IDENTITY)
        made = self._keystore.precertificate(issuer, key, holder=holder, at=at)  # 4
        announced = _Announced(
            folder=self._folder / sha256(made.public_bytes(Encoding.DER)).hexdigest(),
            issuer=issuer,
            holder=holder,
            precertificate=made,
        )
        self._keep(announced, key=None, is_ours=False)
        return made.public_bytes(Encoding.DER)

    def certify(
        self, request: CertifyRequest, *, mark: Head, at: datetime, record: Record
    ) -> Chain:
        """1. what was announced; 2. the tree holds it; 3. the audit line; 4. the certificate.

        The certificate is kept before it is given, and what signs is in its place before that.
        """
        found = self._load(request.precertificate_sha256)  # 1
        made = self._made(found.folder)
        if made is None:
            if not found.is_responder:  # which has to answer for a stopped one too
                self._keystore.check_signs(found.issuer)
            _check_inclusion(found.precertificate, request, mark)  # 2
            record(  # 3
                {
                    "purpose": found.issuer.purpose.value,
                    "issuer": str(found.issuer),
                    "subject": found.holder.uri,
                    "certificate_serial": f"{found.precertificate.serial_number:x}",
                    "precertificate_sha256": request.precertificate_sha256,
                    "index": request.index,
                    "size": request.size,
                }
            )
            made = self._keystore.certificate(found.issuer, found.precertificate, at=at)  # 4
            self._write(found.folder / CERTIFICATE_FILE, made)
        # COMMIT POINT. From here on asking again gives this certificate, and puts it in its place.
        self._place(found, made)
        return Chain(leaf=made, intermediate=self._keystore.intermediate(found.issuer))

    def current(self, request: CertificateRequest, *, at: datetime) -> bytes | None:
        """The certificate (DER) that signs now; None where one is to be asked for."""
        uri = rules.certified(request, registry=self._keystore.trust_root.registry)
        holder = Holder(uri=uri, conduct_sha256=request.conduct_sha256)
        try:
            if holder.uri.startswith(RESPONDER):
                name = Name.parse(holder.uri.removeprefix(RESPONDER))
                found = self._keystore.responder(name, at=at).certificate
            elif request.purpose is Purpose.TIMESTAMP:
                found = self._keystore.timestamping(at).chain.leaf
            else:
                found = self._keystore.leaf(request.purpose, holder, at=at).chain.leaf
        except NotCertified:
            return None
        except InvalidDocument as error:
            raise BadRequest(f"subject: {error}") from error
        return found.public_bytes(Encoding.DER)

    def prune(self, at: datetime) -> None:
        """Remove what a crash left unfinished, and whatever has ended."""
        for path in self._folder.glob(f"*/{PRECERTIFICATE_FILE}"):
            if path.parent.name == UNFINISHED or read_certificate(path).not_valid_after_utc < at:
                shutil.rmtree(path.parent)

    def _issuer_of(self, request: PrecertifyRequest) -> Name:
        """A responder is an intermediate's own; all else is issued by the one that issues now."""
        if request.subject.startswith(RESPONDER):
            return Name.parse(request.subject.removeprefix(RESPONDER))
        return self._keystore.signing(request.purpose)

    def _key_for(self, request: PrecertifyRequest) -> tuple[SoftwareKey | None, PublicKey]:
        """The new key of a holder here; or none, and that of who holds its own."""
        if request.csr is not None:
            try:
                return None, certificates.key_of_request(request.csr)
            except InvalidDocument as error:
                raise BadRequest(str(error)) from error
        if request.purpose is Purpose.TIMESTAMP and not request.subject.startswith(RESPONDER):
            return None, self._keystore.timestamp_key.public_key
        key = SoftwareKey.generate()
        return key, key.public_key

    def _keep(self, made: _Announced, *, key: SoftwareKey | None, is_ours: bool) -> None:
        """Everything appears together: a crash leaves all of it, or nothing that is ever read."""
        unfinished = self._folder / UNFINISHED
        document = {
            "conduct_sha256": made.holder.conduct_sha256,
            "issuer": str(made.issuer),
            "uri": made.holder.uri,
        }
        pem = made.precertificate.public_bytes(Encoding.PEM)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)  # a backup of the keys has none
            shutil.rmtree(unfinished, ignore_errors=True)
            make_folder(unfinished)
            write_file(unfinished / HOLDER_FILE, canonical.dumps(document))
            write_file(unfinished / PRECERTIFICATE_FILE, pem)
            if is_ours:
                write_file(unfinished / UNPLACED_FILE, b"")
            if key is not None:
                key.store(unfinished / KEY_FILE, self._passphrase)
            unfinished.rename(made.folder)
            sync(self._folder)
        except OSError as error:
            message = f"nothing was issued: the precertificate cannot be stored: {error.strerror}"
            raise StorageUnavailable(message) from error

    def _load(self, precertificate_sha256: str) -> _Announced:
        folder = self._folder / precertificate_sha256
        try:
            document = canonical.as_mapping(
                canonical.loads((folder / HOLDER_FILE).read_bytes()), "holder"
            )
            precertificate = read_certificate(folder / PRECERTIFICATE_FILE)
        except FileNotFoundError as error:
            message = f"expected a precertificate made here, found {precertificate_sha256}"
            raise BadRequest(message) from error
        except OSError as error:
            message = f"nothing was issued: a precertificate cannot be read: {error.strerror}"
            raise StorageUnavailable(message) from error
        return _Announced(
            folder=folder,
            issuer=Name.parse(canonical.text(document, "issuer")),
            holder=Holder(
                uri=canonical.text(document, "uri"),
                conduct_sha256=canonical.nullable(document, "conduct_sha256", canonical.sha256_hex),
            ),
            precertificate=precertificate,
        )

    def _made(self, folder: Path) -> x509.Certificate | None:
        path = folder / CERTIFICATE_FILE
        return read_certificate(path) if path.exists() else None

    def _write(self, path: Path, made: x509.Certificate) -> None:
        try:
            write_file(path, made.public_bytes(Encoding.PEM))
        except OSError as error:
            message = f"nothing was issued: the certificate cannot be stored: {error.strerror}"
            raise StorageUnavailable(message) from error

    def _place(self, found: _Announced, made: x509.Certificate) -> None:
        """Put it where it is looked for when something is signed, once; then its key is there."""
        unplaced, key_file = found.folder / UNPLACED_FILE, found.folder / KEY_FILE
        if not unplaced.exists():
            return
        if found.is_stamping:
            self._keystore.place_timestamping(found.issuer, made)
        else:
            chain = Chain(leaf=made, intermediate=self._keystore.intermediate(found.issuer))
            key = SoftwareKey.load(key_file, self._passphrase)
            self._keystore.place(found.issuer, found.holder, key, chain)
        unplaced.unlink()
        key_file.unlink(missing_ok=True)


def _check_inclusion(precertificate: x509.Certificate, request: CertifyRequest, mark: Head) -> None:
    if request.size != mark.size:
        raise NotIncluded(
            f"expected a proof to the tree of {mark.size} entries that was signed last, "
            f"found one to {request.size}"
        )
    entry = scts.ledger_entry(precertificate.public_bytes(Encoding.DER))
    leaf = merkle.leaf_hash(entry)
    try:
        merkle.verify_inclusion(leaf, request.index, request.size, request.hashes, mark.root)
    except NotInLedger as error:
        raise NotIncluded(f"the precertificate is not in the ledger: {error}") from error


def _spki(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
