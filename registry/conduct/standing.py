# SPDX-License-Identifier: Apache-2.0
"""Who is in good standing: whose acceptance stands, and where to accept what replaced it.

is_good, require   that a party accepted the rules of a thing; require says where it can
require_any        the same of any rules
hold, hold_for     what lets a party sign, locked: a withdrawal waits for it, or it for that
announce           have an answer say until when an acceptance stands
accepted           what `hold` would find, to prepare by
kept_by            a condition for queries: the policies under which a party stands
ended_by           what acceptances stand no longer, and which versions ended them
unended            all acceptances that stand

What is accepted is one exact version. It stands for its whole policy until a later material version
binds (PolicyVersion.binds_at): from then on only acceptances of that one stand, or of one after it.
Until that day answers carry a warning. What came under an older version stays under it; who accepts
the newer may use it, for nobody accepts an older one any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import wraps

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from assay.signing.policies import Policy, Severity
from assay.signing.statements import ConductReference
from registry.accounts import suspensions
from registry.accounts.queries import Namespace
from registry.api.warnings import warn
from registry.prepared import Given, Prepared

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
    found = _KEPT.first(party=party.pk, policy=under.policy_id, at=timezone.now())
    return found is not None


def require(party: Namespace, under: PolicyVersion) -> None:
    """Raises NotAccepted, which names the version to accept and its page; or Suspended.

    Where what was accepted stands for a while only, the answer to the request says so.
    """
    newest = _KEPT.first(party=party.pk, policy=under.policy_id, at=timezone.now())
    if newest is None:
        raise _refused(party, under.policy_id)
    announce(party, newest)


def require_any(party: Namespace) -> None:
    """The same for something that stands, whichever rules it is of."""
    newest = _standing(party).order_by("pk").last()
    if newest is not None:
        announce(party, newest)
        return
    suspensions.check(party)
    lapsed = Acceptance.objects.filter(party=party, withdrawn_at=None).order_by("pk")
    policy = lapsed.values_list("version__policy", flat=True).last() or queries.DEFAULT_POLICY
    if not queries.versions().filter(policy_id=policy).exists():
        raise NotAccepted("expected a published conduct policy, found none to accept yet")
    raise _refused(party, policy)


def hold(party: Namespace, under: ConductReference | None) -> Acceptance | None:
    """The acceptance that lets the party sign now, locked until the transaction ends.

    `under` is a version by digest; None asks for any. With the lock, a withdrawal waits for the
    signature that is being made, and a signature after the withdrawal finds nothing here.
    """
    found = _newest(party, under, _HELD if under else _ANY_HELD)
    # Asked again with the lock: who suspends a party holds its acceptances (hold_all).
    return None if found is None or suspensions.is_suspended(party) else found


def hold_all(party: Namespace) -> None:
    """Wait for what is being signed in this name; and what comes now, waits for the caller.

    For whoever suspends the party, in that transaction.
    """
    suspensions.hold_person(party)
    suspensions.hold(party)
    live = Acceptance.objects.filter(party=party, withdrawn_at__isnull=True)
    list(live.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))


def hold_for(party: Namespace, under: PolicyVersion) -> None:
    """The same for what is not signed, but goes on; raises NotAccepted as `require` does."""
    found = hold(party, queries.reference(under))
    if found is None:
        raise _refused(party, under.policy_id)
    announce(party, found)


def announce(party: Namespace, accepted: Acceptance) -> None:
    """Have the answer say until when it stands, if that is known, and what is to be accepted."""
    first = _ENDING.first(version=accepted.version_id)
    if first is None or first.binds_at is None:
        return
    wanted = max(first, queries.to_accept(first.policy_id), key=lambda each: each.pk)
    text = (
        f"{party.name} has not accepted {wanted.title}, version {wanted.version}: read and "
        f"accept it at {settings.PUBLIC_URL}{wanted.path} before {first.binds_at:%Y-%m-%d}, "
        "after which what it accepted before stands no longer"
    )
    warn(TOPIC, text)


def accepted(party: Namespace, under: ConductReference | None) -> ConductReference | None:
    """The version that `hold` would find accepted; nothing is locked."""
    found = _newest(party, under, _FOUND if under else _ANY_FOUND)
    return None if found is None else queries.reference(found.version)


def kept_by(party: Namespace) -> QuerySet[Acceptance, str]:
    """The ids of policies under which the party stands, as a query."""
    return _standing(party).values_list("version__policy", flat=True)


def check_in_effect(version: PolicyVersion) -> None:
    """Raises Superseded for one that is not the newest in effect."""
    wanted = queries.to_accept(version.policy_id)
    if wanted.pk != version.pk:
        raise Superseded(f"expected {wanted}, which is in effect by now, found {version}")


def check_newest(version: PolicyVersion) -> None:
    """The same, but one that will be in effect is well."""
    wanted = queries.to_accept(version.policy_id)
    if wanted.pk > version.pk:
        raise Superseded(
            f"expected {wanted}, which replaced {version}: read and accept it at "
            f"{settings.PUBLIC_URL}{wanted.path}"
        )


def unended(at: datetime | Given | None = None) -> QuerySet[Acceptance]:
    """Those that nobody withdrew and no later version ended; none of who is suspended."""
    ends = PolicyVersion.objects.filter(
        policy=OuterRef("version__policy"),
        pk__gt=OuterRef("version"),
        binds_at__lte=at or timezone.now(),
    )
    live = Acceptance.objects.filter(withdrawn_at__isnull=True)
    return live.exclude(Exists(ends)).exclude(Exists(suspensions.of(OuterRef("party"), at=at)))


def _standing(party: Namespace) -> QuerySet[Acceptance]:
    return unended().filter(party=party)


def _newest(
    party: Namespace, under: ConductReference | None, among: Prepared[Acceptance]
) -> Acceptance | None:
    at = timezone.now()
    if under is None:
        return among.first(party=party.pk, at=at)
    return among.first(
        party=party.pk, policy=under.id, version=under.version, sha256=under.sha256, at=at
    )


def _any(party: Given, at: Given) -> QuerySet[Acceptance]:
    """The last one that stands, of a party's."""
    found = unended(at).filter(party=party).select_related("version")
    return found.order_by("-id")[:1]


def _under(
    party: Given, policy: Given, version: Given, sha256: Given, at: Given
) -> QuerySet[Acceptance]:
    """The same of those of a policy that has this version."""
    found = unended(at).filter(
        party=party,
        version__policy=policy,
        version__policy__versions__version=version,
        version__policy__versions__sha256=sha256,
    )
    return found.select_related("version").order_by("-id")[:1]


def _held(make: Callable[..., QuerySet[Acceptance]]) -> Callable[..., QuerySet[Acceptance]]:
    """The same, locked until the transaction ends."""

    @wraps(make)
    def held(**given: Given) -> QuerySet[Acceptance]:
        return make(**given).select_for_update(of=("self",))

    return held


_KEPT = Prepared(
    lambda party, policy, at: (
        unended(at).filter(party=party, version__policy=policy).order_by("-version")[:1]
    )
)
_ANY_FOUND, _ANY_HELD = Prepared(_any), Prepared(_held(_any))
_FOUND, _HELD = Prepared(_under), Prepared(_held(_under))


def ended_by(acceptances: Iterable[Acceptance]) -> Mapping[int, PolicyVersion]:
    """Of those that are not withdrawn and stand no longer, by key, the version that ended each."""
    live = [each for each in acceptances if each.withdrawn_at is None]
    policies = {each.version.policy_id for each in live}
    binding = queries.versions().filter(policy__in=policies, binds_at__lte=timezone.now())
    newest = {each.policy_id: each for each in reversed(binding)}
    return {
        each.pk: newest[each.version.policy_id]
        for each in live
        if each.version.policy_id in newest and each.version_id < newest[each.version.policy_id].pk
    }


def _refused(party: Namespace, policy_id: str) -> NotAccepted:
    """What to raise; raises Suspended where accepting would not help."""
    suspensions.check(party)
    wanted = queries.to_accept(policy_id)
    lapsed = Acceptance.objects.filter(party=party, version__policy=policy_id, withdrawn_at=None)
    earlier = lapsed.order_by("version").values_list("version__version", flat=True).last()
    found = "none" if earlier is None else f"{earlier}, which it replaced"
    return NotAccepted(
        f"expected {party.name} to have accepted {wanted.title}, version {wanted.version}, "
        f"found {found}: read and accept it at {settings.PUBLIC_URL}{wanted.path}"
    )


_ENDING = Prepared(
    lambda version: (
        queries.versions()
        .filter(policy__versions=version, pk__gt=version, binds_at__isnull=False)
        .order_by("binds_at")[:1]
    )
)
