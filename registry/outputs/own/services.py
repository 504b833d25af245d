# SPDX-License-Identifier: Apache-2.0
"""Takes signatures that callers made with keys of their own (ADR 0050).

`state` says what is to be signed and keeps nothing. `take` makes the same statement again, from the
same words, and keeps it with the caller's signature if that is over exactly these bytes:
1. What was taken before under this id is that, if it is the same; nothing is signed twice.
2. The caller may make outputs of the checkpoint, and the statement is ours to the byte.
3. The certificate is the caller's, for outputs, and was issued here; its key made the signature.
4. In one transaction: the acceptance is held, the certificate is under it, the time is stamped and
   is within the certificate's, statement, entry and row are kept.
   COMMIT POINT: from here on the ledger's next tree head has it (signing.advance).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.db import IntegrityError, transaction

from assay.signing import canonical, timestamps
from assay.signing.canonical import Obj
from assay.signing.certificates import MALFORMED, Chain, Purpose, key_of_request
from assay.signing.chains import verify_chain
from assay.signing.digests import as_id, parse_id, sha256
from assay.signing.envelope import Envelope
from assay.signing.errors import BadSignature, InvalidDocument, VerificationError
from assay.signing.keys import spki
from assay.signing.paths import parse_pem
from assay.signing.provenance import accepted
from assay.signing.statements import Origin
from assay.signing.trust import TrustRoot
from registry.accounts import pseudonyms
from registry.accounts.queries import User
from registry.audit import services as audit
from registry.authority import queries as authority_queries
from registry.authority import services as authority
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint
from registry.conduct import standing
from registry.ledger import certificates
from registry.ledger import services as ledger

from .. import asking, excerpts, queries, signing
from ..asking import Assertion
from ..credentials import kinds, manifest
from ..models import Output
from .errors import CertificateOfAnother, CertificateUnusable, OutputTaken, SignatureRefused

MAX_CSR_CHARACTERS = 8192
MAX_CHAIN_CHARACTERS = 16 * 1024
OUTPUT = "output"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The body of `POST /api/v1/outputs/certificates`: a key, and of which checkpoint's outputs."""

    csr: bytes
    key_sha256: str
    checkpoint: str

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it; the request is signed by the key that it is for."""
        canonical.only(obj, "csr", "checkpoint")
        pem = canonical.text(obj, "csr", max_characters=MAX_CSR_CHARACTERS)
        try:
            csr = x509.load_pem_x509_csr(pem.encode()).public_bytes(Encoding.DER)
        except MALFORMED as error:
            raise InvalidDocument("csr", "a PKCS#10 request in PEM", "none") from error
        return cls(
            csr=csr,
            key_sha256=sha256(spki(key_of_request(csr))),
            checkpoint=parse_id(canonical.text(obj, "checkpoint"), "checkpoint"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a caller says of content, and as which output."""

    assertion: Assertion
    output: uuid.UUID

    @classmethod
    def parse(cls, obj: Obj, *, output_id: uuid.UUID) -> Self:
        """The body of `POST /api/v1/outputs/statements`, which may name an id that was given."""
        body = dict(obj)
        named = body.pop(OUTPUT, None)
        output = output_id if named is None else _output_id(obj)
        return cls(assertion=Assertion.parse(body), output=output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictured:
    """The body of `POST /api/v1/outputs/manifests`: a file of this type, as a new output."""

    checkpoint: str
    media_type: str
    output: uuid.UUID

    @classmethod
    def parse(cls, obj: Obj, *, output_id: uuid.UUID) -> Self:
        """Read it; only types that a manifest is written into."""
        canonical.only(obj, "checkpoint", "media_type")
        return cls(
            checkpoint=parse_id(canonical.text(obj, "checkpoint"), "checkpoint"),
            media_type=kinds.named(asking.media_type(obj)).value,
            output=output_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The body of `POST /api/v1/outputs/own`: the same, with the signature and whose it is."""

    stated: Stated
    chain: Chain
    signature: bytes

    @classmethod
    def parse(cls, obj: Obj) -> Self:
        """Read it."""
        body = dict(obj)
        chain = _chain(canonical.text(obj, "chain", max_characters=MAX_CHAIN_CHARACTERS))
        signature = canonical.base64_bytes(obj, "signature")
        del body["chain"], body["signature"]
        stated = Stated.parse(body, output_id=_output_id(obj))
        return cls(stated=stated, chain=chain, signature=signature)

    @property
    def key_sha256(self) -> str:
        """Of the key that is certified."""
        return sha256(spki(self.chain.public_key))


def certify(wanted: Wanted, *, by: User, within: Collection[str]) -> Chain:
    """A certificate of some days for a key of the caller's own, under the checkpoint's rules.

    Membership and acceptance are asked before it is announced, and again as it is issued.
    """
    checkpoint = _allowed(wanted.checkpoint, by, within)
    chain = authority.issue_for_key(by.namespace, wanted.csr, catalog.conduct_of(checkpoint))
    serial, details = f"{chain.leaf.serial_number:x}", {"key": wanted.key_sha256}
    with transaction.atomic():
        audit.record(by.actor, "output.certify", serial, details)
    return chain


def state(stated: Stated, *, by: User, within: Collection[str]) -> bytes:
    """The statement that the caller's key is to sign; nothing is kept of it."""
    checkpoint = _allowed(stated.assertion.checkpoint, by, within)
    return _payload(_row(stated, checkpoint, by))


def define(asked: Pictured, *, by: User, within: Collection[str]) -> dict[str, object]:
    """What a C2PA manifest is to say that the caller signs with a certificate of their own."""
    checkpoint = _allowed(asked.checkpoint, by, within)
    said = manifest.credentials(checkpoint, asked.output, Origin.CALLER_ASSERTED)
    return manifest.definition(checkpoint, said, media_type=asked.media_type)


def take(signed: Signed, *, by: User, within: Collection[str], now: datetime) -> Output:
    """The output, signed by the caller's key; the same again is the same output."""
    if before := _before(signed, by):  # 1
        return before
    checkpoint = _allowed(signed.stated.assertion.checkpoint, by, within)  # 2
    output = _row(signed.stated, checkpoint, by)
    envelope = Envelope(payload=_payload(output), signature=signed.signature)
    root = authority_queries.trust_root()
    _check_certificate(signed.chain, by, root, at=now)  # 3
    _check_signature(envelope, signed.chain)
    certificates.ensure(certificates.timestamping())
    try:
        _keep(output, envelope, signed, by=by, root=root)  # 4
    except IntegrityError:  # the same request, at the same moment
        if before := _before(signed, by):
            return before
        raise
    signing.advance(output.pk)
    return queries.outputs().get(pk=output.pk)


def _allowed(sha256_hex: str, by: User, within: Collection[str]) -> Checkpoint:
    found = queries.published_checkpoint(sha256_hex, by, within=within)
    standing.require(by.namespace, found.conduct)
    return found


def _row(stated: Stated, checkpoint: Checkpoint, by: User) -> Output:
    return asking.output_of(stated.assertion, checkpoint, by, output_id=stated.output)


def _payload(output: Output) -> bytes:
    return signing.claim_of(output).statement().canonical()


def _before(signed: Signed, by: User) -> Output | None:
    """What was taken under this id; raises OutputTaken where that is another's, or another."""
    found = queries.outputs().filter(pk=signed.stated.output).first()
    if found is None:
        return None
    said = signed.stated.assertion
    asked = (said.checkpoint, said.media_type, said.sha256, said.normalised_sha256, said.lines)
    known = (
        found.checkpoint.manifest_sha256,
        found.media_type,
        found.sha256,
        found.normalised_sha256,
        excerpts.named(found),
    )
    leaf, _ = signed.chain.to_der()
    signed_by = b"" if found.statement is None else bytes(found.statement.leaf)
    if (found.caller_id, signed_by) != (by.namespace_id, leaf) or asked != known:
        raise OutputTaken(
            f"expected the id of a new output, found {found.pk}, which is that of another: ask for "
            "a statement again"
        )
    envelope = Envelope(payload=_payload(found), signature=signed.signature)
    _check_signature(envelope, signed.chain)
    signing.advance(found.pk)
    return queries.outputs().get(pk=found.pk)


def _check_certificate(chain: Chain, by: User, root: TrustRoot, *, at: datetime) -> None:
    """It leads to our root, for outputs, is valid, and names the caller: step 3."""
    subject = _verified(chain, root, at)
    if subject != pseudonyms.certified_as(by.namespace):
        raise CertificateOfAnother(
            f"expected a certificate that was issued to {by.username}, found another's: "
            "POST /api/v1/outputs/certificates issues yours"
        )
    if not authority_queries.is_listed(chain.leaf):
        raise _unusable("expected a certificate that was issued here, found another")


def _verified(chain: Chain, root: TrustRoot, at: datetime) -> str:
    try:
        return verify_chain(chain, root=root.root, purpose=Purpose.OUTPUT, at=at)
    except VerificationError as error:
        raise _unusable(str(error)) from error


def _check_signature(envelope: Envelope, chain: Chain) -> None:
    try:
        envelope.verify(chain.public_key)
    except BadSignature as error:
        raise SignatureRefused(
            "expected a signature by the certified key over the statement "
            f"{as_id(sha256(envelope.payload))}, found another: ask for the statement with the "
            "same words, and sign its DSSE encoding"
        ) from error


def _keep(output: Output, envelope: Envelope, signed: Signed, *, by: User, root: TrustRoot) -> None:
    """Step 4; raises what `hold` raises, CertificateUnusable, CertificateBarred, SignerError."""
    with transaction.atomic():
        held = authority.hold(by.namespace, catalog.conduct_of(output.checkpoint))
        if accepted(signed.chain.leaf) != held.conduct_sha256:
            raise _unusable("expected one under what you have accepted, found another")
        response = ledger.signer().timestamp(timestamps.request(envelope.signature))
        who = timestamps.authority(root.registry)
        at = timestamps.verify(response, data=envelope.signature, root=root.root, authority=who)
        _verified(signed.chain, root, at)
        output.statement = ledger.record(envelope, signed.chain, response)
        output.save(force_insert=True)
        details = {**asking.details(output), "key": signed.key_sha256}
        audit.record(by.actor, "output.assert", output.subject, details)


def _unusable(reason: str) -> CertificateUnusable:
    return CertificateUnusable(f"{reason}; POST /api/v1/outputs/certificates issues a new one")


def _chain(pem: str) -> Chain:
    found = parse_pem("chain", pem.encode())
    return Chain.parse([each.public_bytes(Encoding.DER) for each in found])


def _output_id(obj: Obj) -> uuid.UUID:
    stated = canonical.text(obj, OUTPUT, max_characters=80)
    try:
        return uuid.UUID(stated)
    except ValueError as error:
        raise InvalidDocument(OUTPUT, "an output's id", ascii(stated)) from error
