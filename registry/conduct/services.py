# SPDX-License-Identifier: Apache-2.0
"""Publishing conduct versions, and accepting them: each a signed statement in the ledger."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from assay.signing import canonical, policies
from assay.signing.certificates import Purpose
from assay.signing.digests import sha256
from assay.signing.errors import InvalidDocument
from assay.signing.statements import (
    SALT_BYTES,
    AcceptanceClaim,
    ConductClaim,
    ConductReference,
    Statement,
    party_commitment,
)
from registry.accounts import queries as accounts
from registry.accounts import suspensions
from registry.accounts.queries import Namespace, User
from registry.audit import services as audit
from registry.ledger import certificates
from registry.ledger import queries as ledger_queries
from registry.ledger import services as ledger
from registry.wakeups import nudge

from . import queries, standing, succession
from .errors import NotAccepted, NotYours, VersionImmutable
from .models import Acceptance, Policy, PolicyVersion

SHIPPED = Path(__file__).parent / "policies"


def publish_shipped() -> tuple[PolicyVersion, ...]:
    """Publish every version that ships with the registry; those that are there stay as they are."""
    documents = sorted(SHIPPED.glob("*/*.json"))
    return tuple(publish_version(path.parent, path.stem) for path in documents)


def publish_version(folder: Path, number: str) -> PolicyVersion:
    """Sign and log `NUMBER.json` with its text `NUMBER.md`; the same again changes nothing.

    Raises InvalidDocument, VersionImmutable where another document has the number, and
    WrongSuccession for one that does not go on from the newest version.
    """
    text = (folder / f"{number}.md").read_text("utf-8")
    document = canonical.as_mapping(
        canonical.loads((folder / f"{number}.json").read_bytes()), "policy"
    )
    policy = policies.parse(document)
    _check_text(policy, text)
    claim = _claim(policy, text)
    existing = PolicyVersion.objects.filter(policy_id=policy.id, version=policy.version).first()
    if existing is None:
        certificates.ensure(_office())
        existing = _publish(claim, policy, document, text)
    if (existing.sha256, existing.text) != (claim.conduct.sha256, text):
        raise VersionImmutable(
            f"expected version {existing} to say what it said before; publish another version"
        )
    if not ledger_queries.is_included(existing.statement):
        ledger.integrate()
    return existing


def accept(version: PolicyVersion, party: Namespace, by: User) -> Acceptance:
    """The party's live acceptance of a version, made now unless it is there.

    Call it outside any transaction: the office may have to be certified first. Raises NotYours,
    Suspended, or Superseded for a version that a newer one replaced.
    """
    _check_decides(by, party)
    certificates.ensure(_office())
    with transaction.atomic():
        suspensions.hold(party)  # one acceptance at a time
        for each in (party, by.namespace):
            suspensions.check(each)
        existing = queries.live_acceptance(party, version)
        if existing is not None and not standing.ended_by([existing]):
            return existing
        standing.check_newest(version)
        acceptance = _accept(version, party, by, now=timezone.now().replace(microsecond=0))
        details = {"version": str(version), "sha256": version.sha256}
        audit.record(by.actor, "conduct.accept", party.name, details)
        nudge("ledger.integrate")
    return acceptance


def withdraw(version: PolicyVersion, party: Namespace, by: User) -> None:
    """End the party's acceptance of a version, and of all others of its policy.

    Each stood for the others, too: from then on nothing is signed under the policy for the party.
    Raises NotYours or NotAccepted.
    """
    _check_decides(by, party)
    with transaction.atomic():
        live = Acceptance.objects.filter(party=party, withdrawn_at__isnull=True)
        if not live.select_for_update().filter(version=version):
            raise NotAccepted(f"expected a live acceptance of {version} by {party.name}")
        ended = live.filter(version__policy=version.policy_id).order_by("version")
        versions = [str(each.version) for each in ended.select_related("version")]
        ended.update(withdrawn_at=timezone.now())
        audit.record(by.actor, "conduct.withdraw", party.name, {"versions": versions})


def sign(statement: Statement) -> ledger_queries.Statement:
    """Have the registry's conduct office sign, and log it, in the caller's transaction."""
    signed = ledger.signer().sign(Purpose.CONDUCT, queries.subject_uri(), statement.canonical())
    return ledger.record(signed.envelope, signed.chain, signed.timestamp)


def _office() -> certificates.Wanted:
    return certificates.office(queries.OFFICE)


def _claim(policy: policies.Policy, text: str) -> ConductClaim:
    return ConductClaim(
        conduct=ConductReference(id=policy.id, version=policy.version, sha256=policy.sha256),
        title=policy.title,
        severity=policy.severity,
        effective_at=policy.effective_at,
        text_sha256=sha256(text.encode()),
    )


def _check_text(policy: policies.Policy, text: str) -> None:
    """The document is what signatures name, the text is what people read: they say the same."""
    for clause in policy.clauses:
        for field, words in (("id", clause.id), ("title", clause.title), ("text", clause.text)):
            if words not in text:
                found = f"a text without that of {clause.id!a}"
                raise InvalidDocument("text", f"each clause's {field} word for word", found)


def _publish(
    claim: ConductClaim, policy: policies.Policy, document: canonical.Obj, text: str
) -> PolicyVersion:
    with transaction.atomic():
        row, _ = Policy.objects.get_or_create(id=policy.id)
        # One version at a time: each goes on from the one before.
        Policy.objects.select_for_update(no_key=True).get(pk=row.pk)
        succession.check(policy, after=queries.newest(row.pk))
        version = PolicyVersion.objects.create(
            policy=row,
            version=claim.conduct.version,
            title=claim.title,
            document=document,
            sha256=claim.conduct.sha256,
            text=text,
            effective_at=claim.effective_at,
            binds_at=standing.binds_at(policy, timezone.now()),
            statement=sign(claim.statement()),
        )
        details = {"sha256": version.sha256, "statement": version.statement.sha256}
        audit.record(accounts.SYSTEM, "conduct.publish", str(version), details)
    return version


def _accept(version: PolicyVersion, party: Namespace, by: User, *, now: datetime) -> Acceptance:
    salt = secrets.token_bytes(SALT_BYTES)
    claim = AcceptanceClaim(
        conduct=queries.reference(version),
        commitment=party_commitment(salt, party.uri),
        accepted_at=now,
    )
    return Acceptance.objects.create(
        version=version,
        party=party,
        by=by,
        salt=salt,
        statement=sign(claim.statement()),
        accepted_at=now,
    )


def _check_decides(by: User, party: Namespace) -> None:
    """For an organisation its owners decide, not all of its members."""
    if not accounts.may_govern(by, party):
        raise NotYours(f"expected yourself, or an organisation that you own, found {party.name!r}")
