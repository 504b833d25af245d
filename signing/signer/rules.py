# SPDX-License-Identifier: Apache-2.0
"""What may be signed, for which purpose and in whose name; and which tree continues the ledger.

Pure functions over what was asked. Who may say what is the verifier's own rule (verify/kinds): the
signer signs nothing that a verifier would then refuse for its signer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from cryptography import x509

from .. import merkle, ocsp
from ..certificates import Purpose
from ..errors import BadTreeHead, InvalidDocument
from ..intermediates import Name
from ..pseudonyms import PartyOpening, is_pseudonym
from ..revocation import Revocation
from ..statements import PURPOSE_OF, CheckpointClaim, Statement
from ..verify.kinds import KIND_OF, is_signer
from .claims import SignClaimRequest
from .errors import BadRequest, LedgerInconsistent, LedgerRollback, WrongStatement
from .highwater import Head
from .protocol import (
    RESPONDER,
    CertificateRequest,
    PrecertifyRequest,
    SignRequest,
)
from .revocations import MAX_REVOCATIONS, SignOcspRequest

SHOWN_CHARACTERS = 120
OFFICES: Mapping[Purpose, frozenset[str]] = {
    Purpose.CONDUCT: frozenset({"conduct", "authority"}),
    Purpose.TIMESTAMP: frozenset({"timestamp"}),
}
PERSONAL = frozenset({Purpose.CHECKPOINT, Purpose.OUTPUT, Purpose.C2PA})
_PERSON = re.compile(r"[a-z0-9](-?[a-z0-9])*")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def check_subject(subject: str, *, registry: str) -> None:
    """A certificate's subject is a URL below our registry, in printable ASCII."""
    prefix = f"{registry}/"
    is_url = subject.isascii() and subject.isprintable() and " " not in subject
    if not is_url or not subject.startswith(prefix) or subject == prefix:
        raise BadRequest(
            f"subject: expected a URL below {prefix}, found {subject[:SHOWN_CHARACTERS]!a}"
        )
    if is_pseudonym(subject, registry=registry):
        raise BadRequest("subject: expected a person with the salt, found a pseudonym")


def certified(
    request: SignRequest | SignClaimRequest | PrecertifyRequest | CertificateRequest,
    *,
    registry: str,
) -> str:
    """What the certificate names: the subject as it is, or with a salt, a person's pseudonym.

    The commitment is made here, so that none is certified that its opening would not open.
    """
    if request.salt is None:
        return request.subject
    name = request.subject.removeprefix(f"{registry}/")
    if request.subject != f"{registry}/{name}" or not _PERSON.fullmatch(name):
        found = ascii(request.subject[:SHOWN_CHARACTERS])
        raise BadRequest(f"subject: expected {registry}/ and a name, found {found}")
    if request.purpose not in PERSONAL:
        raise BadRequest(f"salt: expected none for the purpose {request.purpose}, found one")
    return PartyOpening(party=request.subject, salt=request.salt).pseudonym(registry)


def check_holder(request: PrecertifyRequest, *, registry: str) -> None:
    """Who may be certified for a purpose, whose key it is, and whether under a conduct policy."""
    purpose, subject = request.purpose, request.subject
    if purpose is Purpose.IDENTITY and not subject.startswith(RESPONDER):
        raise BadRequest(f"purpose: expected one whose names are ours to give, found {purpose}")
    if subject.startswith(RESPONDER):
        _check_responder(subject, purpose)
        expects_request, expects_conduct = False, False
    elif purpose in OFFICES:
        _check_office(subject, OFFICES[purpose], registry=registry)
        expects_request, expects_conduct = False, False
    elif purpose is Purpose.NODE:
        check_node(subject, registry=registry)
        expects_request, expects_conduct = True, True
    else:
        check_subject(subject, registry=registry)
        # Of outputs the key may be the holder's own, too (ADR 0050).
        is_own = purpose is Purpose.OUTPUT and request.csr is not None
        expects_request, expects_conduct = is_own, True
    _check_given("csr", request.csr, is_expected=expects_request)
    _check_given("conduct_sha256", request.conduct_sha256, is_expected=expects_conduct)


def _check_responder(subject: str, purpose: Purpose) -> None:
    """One of an intermediate that issues for this purpose."""
    try:
        name = Name.parse(subject.removeprefix(RESPONDER))
    except InvalidDocument as error:
        raise BadRequest(f"subject: {error}") from error
    if name.purpose is not purpose:
        raise BadRequest(f"subject: expected {RESPONDER}{purpose}, found {subject}")


def _check_office(subject: str, names: Collection[str], *, registry: str) -> None:
    """The registry itself speaks for these, under no conduct policy."""
    if subject not in {f"{registry}/{name}" for name in names}:
        expected = " or ".join(f"{registry}/{name}" for name in sorted(names))
        raise BadRequest(f"subject: expected {expected}, found {subject[:SHOWN_CHARACTERS]!a}")


def _check_given(field: str, value: object, *, is_expected: bool) -> None:
    if (value is not None) != is_expected:
        expected, found = ("one", "none") if is_expected else ("none", "one")
        raise BadRequest(f"{field}: expected {expected} for this purpose, found {found}")


def check_node(subject: str, *, registry: str) -> None:
    """A key for runs is certified for a node of ours and for nobody else."""
    prefix = f"{registry}/nodes/"
    if not subject.startswith(prefix) or not _UUID.fullmatch(subject.removeprefix(prefix)):
        raise BadRequest(
            f"subject: expected {prefix} and a UUID, found {subject[:SHOWN_CHARACTERS]!a}"
        )


def read_statement(request: SignRequest, *, registry: str) -> Statement:
    """The statement; raises WrongStatement unless this purpose and subject may sign it."""
    try:
        statement = Statement.parse(request.statement)
        if PURPOSE_OF.get(statement.predicate_type) is not request.purpose:
            raise WrongStatement(
                f"expected a statement that the purpose {request.purpose} may sign, "
                f"found {statement.predicate_type[:SHOWN_CHARACTERS]!a}"
            )
        kind = KIND_OF[statement.predicate_type]
        claim = kind.parse(statement)
        if isinstance(claim, CheckpointClaim):
            _check_checkpoint(claim, registry)
    except InvalidDocument as error:
        raise WrongStatement(f"the statement is malformed: {error}") from error
    signer = kind.signer(claim, registry)
    if not is_signer(request.subject, signer):
        raise WrongStatement(
            f"expected a statement that {request.subject} may sign, found one for {signer}"
        )
    return statement


def check_past(revocations: Sequence[Revocation], at: datetime) -> None:
    """Nothing is revoked in advance, and nothing twice."""
    late = [each for each in revocations if each.revoked_at > at]
    if late:
        raise BadRequest(
            f"revoked_at: expected at most {at:%Y-%m-%dT%H:%M:%SZ}, "
            f"found {late[0].revoked_at:%Y-%m-%dT%H:%M:%SZ}"
        )
    if len({each.serial for each in revocations}) != len(revocations):
        raise BadRequest("revocations: expected each serial number once, found one twice")


def check_room(revocations: Sequence[Revocation]) -> None:
    """What was revoked before and what is added still fit in one list."""
    if len(revocations) > MAX_REVOCATIONS:
        raise BadRequest(
            f"revocations: expected at most {MAX_REVOCATIONS} with those listed before, "
            f"found {len(revocations)}"
        )


def read_question(
    request: SignOcspRequest, issuer: x509.Certificate, at: datetime
) -> ocsp.Question:
    """The question; raises BadRequest unless it is this issuer's to answer, and so answered."""
    try:
        question = ocsp.parse(request.request)
    except InvalidDocument as error:
        raise BadRequest(str(error)) from error
    if not question.about.is_issued_by(issuer):
        raise BadRequest(f"request: expected a question to the {request.issuer} intermediate")
    if request.revocation is not None:
        check_past([request.revocation], at)
        if request.revocation.serial != question.about.serial:
            raise BadRequest("revocation: expected that of the certificate that was asked about")
    return question


def check_continues(mark: Head, head: Head, proof: Sequence[bytes]) -> None:
    """A ledger only grows: raise unless `head` is the mark, or a larger tree that extends it."""
    if head.size < mark.size:
        raise LedgerRollback(f"expected a tree of at least {mark.size} entries, found {head.size}")
    if head.size == mark.size:
        if head.root != mark.root:
            raise LedgerRollback(f"another tree of {mark.size} entries was signed before")
        return
    try:
        merkle.verify_consistency(mark.size, head.size, mark.root, head.root, proof)
    except BadTreeHead as error:
        raise LedgerInconsistent(f"the tree does not extend the one before it: {error}") from error


def _check_checkpoint(claim: CheckpointClaim, registry: str) -> None:
    """What a verifier would find between the parts (verify/links) is in the claim already."""
    if claim.registry != registry:
        raise InvalidDocument("registry", registry, ascii(claim.registry))
    if claim.run is not None and claim.dataset_sha256 is None:
        raise InvalidDocument("dataset", "the dataset of the run", "null")
