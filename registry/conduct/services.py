# SPDX-License-Identifier: Apache-2.0
"""Accepting versions and withdrawing that; and, from publishing.py, how there come to be any."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from assay.signing.statements import SALT_BYTES, AcceptanceClaim, Consent, party_commitment
from registry.accounts import queries as accounts
from registry.accounts import suspensions
from registry.accounts.queries import Namespace, User
from registry.audit import services as audit
from registry.wakeups import nudge

from . import consenting, office, queries, standing
from .errors import NotAccepted, NotYours
from .models import Acceptance, PolicyVersion
from .publishing import SHIPPED, publish_shipped, publish_version

__all__ = ["SHIPPED", "accept", "publish_shipped", "publish_version", "withdraw"]


def accept(
    version: PolicyVersion, party: Namespace, by: User, consent: Consent | None = None
) -> Acceptance:
    """The party's live acceptance of a version, made now unless it is there.

    With a consent it is the one that this key signed. Call it outside any transaction: the office
    may have to be certified first. Raises NotYours, Suspended, ConsentRefused, or Superseded for a
    version that a newer one replaced.
    """
    _check_decides(by, party)
    now = timezone.now()
    if consent is not None:
        consenting.check(consent, version, party, now=now)
    office.ensure()
    with transaction.atomic():
        suspensions.hold(party)  # one acceptance at a time
        for each in (party, by.namespace):
            suspensions.check(each)
        existing = queries.live_acceptance(
            party, version, key=None if consent is None else consent.key
        )
        if existing is not None and not standing.ended_by([existing]):
            return existing
        standing.check_newest(version)
        if consent is not None:
            consenting.check_new(consent, version, party)
        acceptance = _accept(version, party, by, consent, now=now.replace(microsecond=0))
        details = {"version": str(version), "sha256": version.sha256}
        if consent is not None:
            details["key"] = consent.key_sha256
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
        of_policy = live.filter(version__policy=version.policy_id).select_related("version")
        # In the order in which all who need several of them take them (standing.hold_all).
        held = list(of_policy.select_for_update(of=("self",)).order_by("pk"))
        if version not in {each.version for each in held}:
            raise NotAccepted(f"expected a live acceptance of {version} by {party.name}")
        ended = sorted({each.version for each in held}, key=lambda each: each.pk)
        versions = [str(each) for each in ended]
        Acceptance.objects.filter(pk__in=[each.pk for each in held]).update(
            withdrawn_at=timezone.now()
        )
        audit.record(by.actor, "conduct.withdraw", party.name, {"versions": versions})


def _accept(
    version: PolicyVersion,
    party: Namespace,
    by: User,
    consent: Consent | None,
    *,
    now: datetime,
) -> Acceptance:
    salt = secrets.token_bytes(SALT_BYTES)
    claim = AcceptanceClaim(
        conduct=queries.reference(version),
        commitment=party_commitment(salt, party.uri),
        accepted_at=now,
        consent=None if consent is None else consent.commitment(salt),
    )
    return Acceptance.objects.create(
        version=version,
        party=party,
        by=by,
        salt=salt,
        statement=office.sign(claim.statement()),
        accepted_at=now,
        consent=None if consent is None else consent.envelope.canonical(),
        key=None if consent is None else consent.key,
    )


def _check_decides(by: User, party: Namespace) -> None:
    """For an organisation its owners decide, not all of its members."""
    if not accounts.may_govern(by, party):
        raise NotYours(f"expected yourself, or an organisation that you own, found {party.name!r}")
