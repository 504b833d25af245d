# SPDX-License-Identifier: Apache-2.0
"""Reads of conduct: versions, how claims refer to them, and who accepted which.

The models are private to this app; their names are here for other apps' annotations.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from assay.signing import canonical, policies
from assay.signing.bundle import Bundle
from assay.signing.policies import Policy
from assay.signing.statements import ConductReference
from registry.accounts.queries import Namespace
from registry.ledger import queries as ledger

from .errors import NotFound
from .models import Acceptance, PolicyVersion

__all__ = ["Acceptance", "PolicyVersion"]

OFFICE = "conduct"
DEFAULT_POLICY = "community-language-models"  # ships with the registry


def version(policy_id: str, number: str) -> PolicyVersion:
    """The version of a policy; raises NotFound."""
    named = PolicyVersion.objects.filter(policy_id=policy_id, version=number)
    # Forms may name anything, and PostgreSQL has no place for a NUL.
    is_name = "\0" not in policy_id + number
    found = named.select_related("statement").first() if is_name else None
    if found is None:
        raise NotFound(
            f"expected a published conduct version, found {policy_id[:80]!r} {number[:20]!r}"
        )
    return found


def by_digest(sha256: str) -> PolicyVersion | None:
    """The version whose document has this digest, as certificates name it."""
    return PolicyVersion.objects.filter(sha256=sha256).first()


def default() -> PolicyVersion:
    """What a project is under whose maker names no version; raises NotFound before there is one."""
    return to_accept(DEFAULT_POLICY)


def to_accept(policy_id: str) -> PolicyVersion:
    """The newest version in effect, which is the one to accept; before one is, the newest.

    Raises NotFound.
    """
    of_policy = versions().filter(policy_id=policy_id)
    found = of_policy.filter(effective_at__lte=timezone.now()).first() or of_policy.first()
    if found is None:
        raise NotFound(f"expected a published version of {policy_id!r}, found none")
    return found


def all_to_accept() -> list[PolicyVersion]:
    """Of each policy the version to accept, by its title."""
    policies = PolicyVersion.objects.values_list("policy", flat=True).distinct()
    return sorted(map(to_accept, policies), key=lambda each: each.title)


def versions() -> QuerySet[PolicyVersion]:
    """All versions, the newest first."""
    return PolicyVersion.objects.order_by("-id")


def newest(policy_id: str) -> PolicyVersion | None:
    """The newest version of a policy, if there is one."""
    return versions().filter(policy_id=policy_id).first()


def before(of: PolicyVersion) -> PolicyVersion | None:
    """The version that this one followed."""
    return versions().filter(policy_id=of.policy_id, pk__lt=of.pk).first()


def rules(of: PolicyVersion) -> Policy:
    """What the version permits, forbids and demands."""
    return policies.parse(of.document)


def reference(of: PolicyVersion) -> ConductReference:
    """How statements name the version."""
    return ConductReference(id=of.policy_id, version=of.version, sha256=of.sha256)


def document(of: PolicyVersion) -> bytes:
    """The canonical bytes that `sha256` is the digest of."""
    return canonical.dumps(of.document)


def bundle(of: PolicyVersion) -> Bundle:
    """The registry's signed statement that this version came into effect."""
    return ledger.bundle(of.statement)


def subject_uri() -> str:
    """Whom certificates for conduct name: the registry's own office, never the party."""
    return f"{settings.PUBLIC_URL}/{OFFICE}"


def live_acceptance(
    party: Namespace, of: PolicyVersion, *, key: bytes | None = None
) -> Acceptance | None:
    """The party's newest acceptance of the version, or by this key, unless it was withdrawn."""
    live = Acceptance.objects.filter(party=party, version=of, withdrawn_at__isnull=True)
    signed = live if key is None else live.filter(key=key)
    return signed.select_related("version", "party", "statement").order_by("-id").first()


def withdrawn_at(party: Namespace, of: PolicyVersion) -> datetime | None:
    """Since when the party accepts this policy no more; None where it does, or never did."""
    rows = Acceptance.objects.filter(party=party, version__policy=of.policy_id)
    newest = rows.order_by("-id").first()
    return None if newest is None else newest.withdrawn_at


def acceptances(parties: Iterable[Namespace]) -> QuerySet[Acceptance]:
    """What these accepted, withdrawn or not, the newest first."""
    rows = Acceptance.objects.filter(party__in=list(parties)).order_by("-accepted_at", "-id")
    return rows.select_related("version", "party", "statement__entry")
