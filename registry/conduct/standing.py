# SPDX-License-Identifier: Apache-2.0
"""Who is in good standing: whose acceptance stands, and where to accept what replaced it.

is_good, require   that a party accepted the rules of a thing; require says where it can
require_any        the same of any rules
hold, hold_for     what lets a party sign, locked: a withdrawal waits for it, or it for that
accepted           what `hold` would find, to prepare by
kept_by            a condition for queries: the policies under which a party stands

What is accepted is one exact version. It stands for its whole policy until a later material version
binds (PolicyVersion.binds_at): from then on only acceptances of that one stand, or of one after it.
Until that day answers carry a warning. What came under an older version stays under it; who accepts
the newer may use it, for nobody accepts an older one any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from assay.signing.policies import Policy, Severity
from assay.signing.statements import ConductReference
from registry.accounts.queries import Namespace
from registry.api.warnings import warn

from . import queries
from .errors import NotAccepted, Superseded
from .models import Acceptance, PolicyVersion

GRACE = timedelta(days=30)  # as long as large hosts of code announce changes of their terms before
TOPIC = "conduct"


def binds_at(policy: Policy, published_at: datetime) -> datetime | None:
    """When acceptances of earlier versions stand no longer; for a minor version they always do."""
    if policy.severity == Severity.MINOR:
        return None
    return max(policy.effective_at, published_at) + GRACE


def is_good(party: Namespace, under: PolicyVersion) -> bool:
    """That an acceptance of the party's stands for this version."""
    return _standing(party).filter(version__policy=under.policy_id).exists()


def require(party: Namespace, under: PolicyVersion) -> None:
    """Raises NotAccepted, which names the version to accept and its page.

    Where what was accepted stands for a while only, the answer to the request says so.
    """
    found = _standing(party).filter(version__policy=under.policy_id)
    newest = found.order_by("version").values_list("version", flat=True).last()
    if newest is None:
        raise NotAccepted(_refusal(party, under.policy_id))
    later = queries.versions().filter(policy_id=under.policy_id, pk__gt=newest)
    binding = later.exclude(binds_at=None).last()
    if binding is not None:
        warn(TOPIC, _warning(party, binding))


def require_any(party: Namespace) -> None:
    """Raises NotAccepted unless the party accepted something that stands."""
    if not _standing(party).exists():
        newest = queries.versions().first()
        if newest is None:
            raise NotAccepted("expected a published conduct policy, found none to accept yet")
        raise NotAccepted(_refusal(party, newest.policy_id))


def hold(party: Namespace, under: ConductReference | None) -> Acceptance | None:
    """The acceptance that lets the party sign now, locked until the transaction ends.

    `under` is a version by digest; None asks for any. With the lock, a withdrawal waits for the
    signature that is being made, and a signature after the withdrawal finds nothing here.
    """
    found = _under(party, under).select_for_update(of=("self",))
    return found.order_by("-id").first()


def hold_for(party: Namespace, under: PolicyVersion) -> None:
    """The same for what is not signed, but goes on; raises NotAccepted as `require` does."""
    if hold(party, queries.reference(under)) is None:
        require(party, under)


def accepted(party: Namespace, under: ConductReference | None) -> ConductReference | None:
    """The version that `hold` would find accepted; nothing is locked."""
    found = _under(party, under).order_by("-id").first()
    return None if found is None else queries.reference(found.version)


def kept_by(party: Namespace) -> QuerySet[Acceptance, str]:
    """The ids of policies under which the party stands, as a query."""
    return _standing(party).values_list("version__policy", flat=True)


def check_newest(version: PolicyVersion) -> None:
    """Raises Superseded for one that a newer one in effect replaced."""
    wanted = to_accept(version.policy_id)
    if wanted.pk > version.pk:
        raise Superseded(
            f"expected {wanted}, which replaced {version}: read and accept it at "
            f"{settings.PUBLIC_URL}{wanted.path}"
        )


def all_to_accept() -> list[PolicyVersion]:
    """Of each policy the version to accept, by its title."""
    policies = PolicyVersion.objects.values_list("policy", flat=True).distinct()
    return sorted(map(to_accept, policies), key=lambda each: each.title)


def to_accept(policy_id: str) -> PolicyVersion:
    """The newest version in effect, which is the one to accept; before one is, the newest."""
    of_policy = queries.versions().filter(policy_id=policy_id)
    in_effect = of_policy.filter(effective_at__lte=timezone.now()).first()
    return in_effect or of_policy[0]


def _standing(party: Namespace) -> QuerySet[Acceptance]:
    """Its acceptances that are not withdrawn, and that no later version ended."""
    ends = PolicyVersion.objects.filter(
        policy=OuterRef("version__policy"),
        pk__gt=OuterRef("version"),
        binds_at__lte=timezone.now(),
    )
    live = Acceptance.objects.filter(party=party, withdrawn_at__isnull=True)
    return live.exclude(Exists(ends))


def _under(party: Namespace, under: ConductReference | None) -> QuerySet[Acceptance]:
    standing = _standing(party).select_related("version")
    if under is None:
        return standing
    return standing.filter(
        version__policy=under.id,
        version__policy__versions__version=under.version,
        version__policy__versions__sha256=under.sha256,
    )


def _refusal(party: Namespace, policy_id: str) -> str:
    wanted = to_accept(policy_id)
    lapsed = Acceptance.objects.filter(party=party, version__policy=policy_id, withdrawn_at=None)
    earlier = lapsed.order_by("version").values_list("version__version", flat=True).last()
    found = "none" if earlier is None else f"{earlier}, which it replaced"
    return (
        f"expected {party.name} to have accepted {wanted.title}, version {wanted.version}, "
        f"found {found}: read and accept it at {settings.PUBLIC_URL}{wanted.path}"
    )


def _warning(party: Namespace, binding: PolicyVersion) -> str:
    return (
        f"{party.name} has not accepted {binding.title}, version {binding.version}: read and "
        f"accept it at {settings.PUBLIC_URL}{binding.path} before {binding.binds_at:%Y-%m-%d}, "
        "after which what it accepted before stands no longer"
    )
