# SPDX-License-Identifier: Apache-2.0
"""Cases, who sees and who decides them, and the case file that decisions name by its digest."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from assay.signing import canonical
from registry.accounts import queries as accounts
from registry.accounts import suspensions
from registry.accounts.queries import Namespace, User

from .errors import MayNotDecide, NotFound
from .models import Appeal, Case, Decision, Report, Sanction, State

CASE_FILE = "https://assay/case-file/v1"
# Six months, the least that EU 2022/2065, article 20(1), gives for complaints about a decision.
APPEAL_WITHIN = timedelta(days=183)
UNDECIDED = (State.OPEN, State.APPEALED)
SHOWN_TO_THE_ACCUSED = (State.SANCTIONED, State.APPEALED, State.UPHELD, State.LIFTED)


def case(case_id: uuid.UUID, viewer: User) -> Case:
    """A case that this person sees: who decides, reported, or answers for it once decided.

    Raises NotFound.
    """
    found = Case.objects.select_related("party").filter(pk=case_id).first()
    if found is None or not (
        is_moderator(viewer, found) or is_accused(viewer, found) or is_reporter(viewer, found)
    ):
        raise NotFound("expected a case that is yours to see, found none")
    return found


def is_moderator(person: User, of: Case) -> bool:
    """That they are of those who decide, and not of those whom it concerns."""
    return not _is_party(person, of.party) and decides(person)


def decides(person: User) -> bool:
    """That they run this registry, in good standing."""
    is_staff = person.is_staff and person.is_active
    return is_staff and not suspensions.is_suspended(person.namespace)


def is_accused(person: User, of: Case) -> bool:
    """That it was decided against a name that they decide for."""
    return of.state in SHOWN_TO_THE_ACCUSED and accounts.may_govern(person, of.party)


def is_reporter(person: User, of: Case) -> bool:
    """That they reported it."""
    return of.reports.filter(by=person).exists()


def check_moderator(person: User, of: Case) -> None:
    """Raises MayNotDecide."""
    if not is_moderator(person, of):
        raise MayNotDecide(
            "expected one of those who run this registry, in good standing and not of those whom "
            "it concerns"
        )


def has_part_in(person: User, party: Namespace) -> bool:
    """That it is their name, or that of an organisation which they are in, whatever as."""
    return _is_party(person, party)


def check_second(person: User, of: Decision) -> None:
    """Whoever confirms was not in it before; raises MayNotDecide.

    1. They did not propose it.
    2. They did not report it: nobody is the accuser and the judge.
    3. On appeal, they had no part in what is appealed.
    """
    if of.proposed_by_id == person.pk:  # 1
        raise MayNotDecide("expected another person than the one who proposed it: two decide")
    if is_reporter(person, of.case):  # 2
        raise MayNotDecide("expected somebody who did not report it")
    earlier = of.case.decisions.exclude(confirmed_at=None)
    if earlier.filter(Q(proposed_by=person) | Q(confirmed_by=person)).exists():  # 3
        raise MayNotDecide("expected somebody who had no part in the decision that is appealed")


def waiting(viewer: User) -> QuerySet[Case]:
    """What is undecided, the oldest first, for those who decide; without what concerns them."""
    rows = _counted().filter(state__in=UNDECIDED).exclude(party__in=_parties_of(viewer))
    return rows.order_by("opened_at", "pk")


def decided(viewer: User) -> QuerySet[Case]:
    """What was decided, the newest first."""
    rows = _counted().exclude(state__in=UNDECIDED).exclude(party__in=_parties_of(viewer))
    return rows.order_by("-closed_at", "pk")


def about(viewer: User) -> QuerySet[Case]:
    """What was decided against names that this person decides for, the newest first."""
    mine = accounts.namespaces_governed_by(viewer)
    rows = Case.objects.filter(party__in=mine, state__in=SHOWN_TO_THE_ACCUSED)
    return rows.select_related("party").order_by("-opened_at", "pk")


def reported_by(viewer: User) -> QuerySet[Report]:
    """What this person reported, the newest first."""
    rows = Report.objects.filter(by=viewer).select_related("case", "version")
    return rows.order_by("-reported_at", "-pk")


def reports(of: Case) -> QuerySet[Report]:
    """In the order in which they came."""
    return of.reports.select_related("version", "by").order_by("reported_at", "pk")


def decisions(of: Case) -> QuerySet[Decision]:
    """All that were proposed, in that order."""
    rows = of.decisions.select_related("version", "proposed_by", "confirmed_by")
    return rows.order_by("proposed_at", "pk")


def confirmed(of: Case) -> QuerySet[Decision]:
    """Those that were confirmed, which whom they concern is given with their reasons."""
    return decisions(of).exclude(confirmed_at=None)


def proposal(of: Case) -> Decision | None:
    """What waits for a second person."""
    return decisions(of).filter(confirmed_at=None, refused_at=None).first()


def sanction(of: Case) -> Sanction | None:
    """What was imposed."""
    rows = Sanction.objects.select_related(
        "statement__entry", "lifting__entry", "decision__version"
    )
    return rows.filter(case=of).first()


def appeal(of: Case) -> Appeal | None:
    """What was said against it."""
    return Appeal.objects.filter(case=of).first()


def appeal_ends(of: Sanction) -> datetime:
    """Until when it may be appealed."""
    return of.imposed_at + APPEAL_WITHIN


def is_appealable(of: Case, sanction: Sanction) -> bool:
    """That it was sanctioned and not appealed yet, and there is time."""
    return of.state == State.SANCTIONED and timezone.now() <= appeal_ends(sanction)


def case_file(of: Case) -> bytes:
    """What a decision stands on, in canonical form (formats.md, section 2.1); names no reporter."""
    return canonical.dumps(
        {
            "type": CASE_FILE,
            "case": str(of.pk),
            "subject": f"{of.kind}:{of.name}",
            "reports": [
                {
                    "clause": f"{each.version}#{each.clause}",
                    "words": each.words,
                    "evidence": each.evidence,
                    "reported_at": canonical.instant_text(each.reported_at),
                }
                for each in reports(of)
            ],
        }
    )


def _counted() -> QuerySet[Case]:
    """With what lists show: `number_of_reports`, and whether a proposal waits (`is_proposed`)."""
    waits = Decision.objects.filter(case=OuterRef("pk"), confirmed_at=None, refused_at=None)
    return Case.objects.select_related("party").annotate(
        number_of_reports=Count("reports"), is_proposed=Exists(waits)
    )


def _is_party(person: User, party: Namespace) -> bool:
    return _parties_of(person).filter(pk=party.pk).exists()


def _parties_of(person: User) -> QuerySet[Namespace]:
    """Their own name, and every organisation that they are in, whatever their part there."""
    return accounts.namespaces_seen_by(person)


def open_reports(by: User) -> int:
    """How many of a person's reports wait."""
    return Report.objects.filter(by=by, case__state__in=UNDECIDED).count()
