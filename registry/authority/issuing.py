# SPDX-License-Identifier: Apache-2.0
"""Who is certified: membership, acceptance and every name, checked again at the moment of issue.

What a certificate needs on its way through the ledger is registry.ledger's (certificates); here it
is decided, and whatever was issued is listed, so that it can be revoked.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from assay.signing.certificates import Chain, Purpose
from assay.signing.intermediates import Name
from assay.signing.statements import ConductReference
from registry.accounts import pseudonyms, suspensions
from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, Node
from registry.conduct import standing
from registry.conduct.errors import NotAccepted
from registry.ledger import certificates as ledger
from registry.ledger import queries as ledger_queries
from registry.ledger.certificates import Wanted
from registry.prepared import Among, Prepared

from .errors import NotAMember
from .models import Certificate

_LISTED = Prepared(
    lambda serials: Certificate.objects.filter(Among(F("serial"), serials)).values_list(
        "serial", flat=True
    )
)


def ensure(
    purpose: Purpose, owner: Namespace, *, under: ConductReference | None = None
) -> ConductReference:
    """See that the owner can sign for a purpose, and under which conduct version that is.

    `under`, or the version that was accepted last. Call it outside any transaction, before the one
    in which something is signed: it returns at once where there is a certificate. Raises
    NotAccepted, NotAMember, SignerError, or a Problem of the ledger.
    """
    reference = _accepted(owner, under)
    ledger.ensure(_wanted(purpose, owner, reference))
    return reference


def ensure_next(
    purpose: Purpose,
    owner: Namespace,
    *,
    under: ConductReference,
    after: ledger_queries.Statement,
) -> None:
    """As `ensure`, once the certificate ends soon that signed this: nothing is asked before."""
    if ledger.ends_soon(ledger_queries.chain(after).leaf, timezone.now()):
        ensure(purpose, owner, under=under)


def certified(purpose: Purpose, owner: Namespace, *, under: ConductReference | None) -> Chain:
    """The certificate that the owner signs with now, for who has to name it; raises as `ensure`."""
    reference = ensure(purpose, owner, under=under)
    return ledger.current(_wanted(purpose, owner, reference))


def salt_of(owner: Namespace) -> bytes | None:
    """A person's, under whose pseudonym certificates are issued; None for an organisation.

    Raises NotAMember for who is neither: nobody is certified in clear because a row is missing.
    """
    opening = pseudonyms.opening(owner)
    if opening is not None:
        return opening.salt
    organisation = accounts.organisation(owner.name)
    if organisation is None or organisation.namespace_id != owner.pk:
        raise NotAMember("expected an organisation, or a person with a pseudonym; found neither")
    return None


def ensure_office(name: str) -> None:
    """The same for what the registry itself says."""
    ledger.ensure(ledger.office(name))


def issue_for_node(node: Node, csr: bytes) -> Chain:
    """Certify a node's key, under the conduct version that its owner accepted last."""
    owner = node.owner.namespace
    reference = standing.accepted(owner, None)
    if reference is None:
        raise not_accepted(None)

    def check() -> None:
        known = accounts.node(node.pk, owner=node.owner)
        if known is None or (known.uri, known.public_key_sha256) != (
            node.uri,
            node.public_key_sha256,
        ):
            raise NotAMember("expected a node of its owner's with the key it joined with")
        suspensions.hold_admitted(known)
        _check_owner(owner, owner.uri, reference)

    return ledger.issue(
        Wanted(
            purpose=Purpose.NODE,
            subject=node.uri,
            conduct_sha256=reference.sha256,
            csr=csr,
            check=check,
            keep=lambda chain: keep(chain, Purpose.NODE),
        )
    )


def issue_for_key(owner: Namespace, csr: bytes, under: ConductReference) -> Chain:
    """Certify a key of the owner's own (PKCS#10, DER) to sign outputs with; raises as `ensure`."""
    wanted = _wanted(Purpose.OUTPUT, owner, _accepted(owner, under))
    return ledger.issue_own(replace(wanted, csr=csr))


def listed(serial: str) -> Certificate | None:
    """A certificate by its number; one of the registry's own is listed when it is asked for."""
    known = Certificate.objects.filter(serial=serial).first()
    issued = None if known else ledger.find(serial)
    if issued is None:
        return known
    keep(ledger.chain_of(issued), Purpose(issued.purpose), issued.subject)
    return Certificate.objects.get(serial=serial)


def list_all() -> None:
    """List whatever was issued and is not listed yet: the registry's own."""
    known = Certificate.objects.values_list("serial", flat=True)
    for issued in ledger.issued().exclude(serial__in=known):
        keep(ledger.chain_of(issued), Purpose(issued.purpose), issued.subject)


def keep_all(chains: Collection[Chain], purpose: Purpose) -> None:
    """List those that are not, of which there are few: each was when it was issued."""
    serials = [f"{each.leaf.serial_number:x}" for each in chains]
    known = set(_LISTED.all(serials=serials))
    for serial, chain in zip(serials, chains, strict=True):
        if serial not in known:
            keep(chain, purpose)


def keep(chain: Chain, purpose: Purpose, subject: str = "") -> None:
    """List a certificate, so that it can be revoked; once. One of a responder's names no URI."""
    leaf = chain.leaf
    with transaction.atomic(savepoint=False):
        Certificate.objects.get_or_create(
            serial=f"{leaf.serial_number:x}",
            defaults={
                "subject": subject or ledger_queries.uri_of(leaf),
                "purpose": purpose.value,
                "issuer": str(Name.of(chain.intermediate)),
                "pem": chain.leaf_pem.decode(),
                "issued_at": leaf.not_valid_before_utc,
                "expires_at": leaf.not_valid_after_utc,
            },
        )


def not_accepted(under: ConductReference | None) -> NotAccepted:
    """That nothing is signed for an owner; without their name, for the reason is kept."""
    named = "a conduct version" if under is None else f"{under.id}@{under.version}"
    return NotAccepted(f"expected a live acceptance of {named} by its signer, found none")


def _accepted(owner: Namespace, under: ConductReference | None) -> ConductReference:
    reference = standing.accepted(owner, under)
    if reference is None:
        raise not_accepted(under)
    return reference


def _wanted(purpose: Purpose, owner: Namespace, reference: ConductReference) -> Wanted:
    return Wanted(
        purpose=purpose,
        subject=owner.uri,
        conduct_sha256=reference.sha256,
        salt=salt_of(owner),
        check=partial(_check_owner, owner, owner.uri, reference),
        keep=lambda chain: keep(chain, purpose),
    )


def _check_owner(owner: Namespace, uri: str, reference: ConductReference) -> None:
    """The name is still that owner's, somebody acts for it, and its acceptance is live (locked)."""
    known = accounts.namespace(owner.name)
    if known is None or (known.pk, known.uri) != (owner.pk, uri) or not accounts.has_actor(known):
        raise NotAMember("expected somebody who acts for the signer's name, found nobody")
    held = standing.hold(known, reference)
    if held is None or held.version.sha256 != reference.sha256:  # another one since it was asked
        raise not_accepted(reference)
