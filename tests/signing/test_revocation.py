# SPDX-License-Identifier: Apache-2.0
"""Whether a signature counts: who is revoked, what is proven, and how old the list is."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest

from assay.signing import crls, revocation
from assay.signing.crls import Period
from assay.signing.errors import (
    CertificateRevoked,
    InvalidDocument,
    RevocationUnknown,
    VerificationError,
)
from assay.signing.revocation import (
    Missing,
    NotRevoked,
    Reason,
    Revocation,
    Revoked,
    Stale,
    Status,
    judge,
    worst,
)
from tests.signing.revoking import (
    DAY,
    INVALID_FROM,
    PERIOD,
    REVOKED_AT,
    Role,
    case_of,
)
from tests.signing.world import AT, World

BEFORE = INVALID_FROM - timedelta(seconds=1)
AGED = PERIOD.next_update + timedelta(seconds=1)
REVOKED = Revoked(reason=Reason.SUPERSEDED, revoked_at=REVOKED_AT, invalid_from=INVALID_FROM)
GOOD = NotRevoked(said_at=AT)
STALE = Stale(this_update=AT - 9 * DAY, next_update=AT - 2 * DAY)

Expected = type[VerificationError] | None
# (is it revoked, is the list fresh, stale or missing, what is proven) → what becomes of it
PROVEN = {"before": BEFORE, "after": INVALID_FROM, "nothing": None}


def expected(is_revoked: bool, lists: str, proven: str) -> Expected:
    if lists == "missing":
        return RevocationUnknown
    if is_revoked:
        return None if proven == "before" else CertificateRevoked
    return RevocationUnknown if lists == "stale" else None


@pytest.mark.parametrize(
    ("role", "is_revoked", "lists", "proven"),
    list(product(Role, (True, False), ("fresh", "stale", "missing"), PROVEN)),
)
def test_the_matrix(world: World, role: Role, is_revoked: bool, lists: str, proven: str) -> None:
    case = case_of(world, role)
    entries = (case.revocation(),) if is_revoked else ()
    at_hand = () if lists == "missing" else (case.crl(*entries),)
    at = AGED if lists == "stale" else AT
    status = crls.status_of(case.certificate, issuer=case.issuer.certificate, lists=at_hand, at=at)
    wanted = expected(is_revoked, lists, proven)
    if wanted is None:
        judge(status, role=role, proven_at=PROVEN[proven])
    else:
        with pytest.raises(wanted):
            judge(status, role=role, proven_at=PROVEN[proven])


def test_what_is_not_revoked_counts() -> None:
    judge(GOOD, role="leaf", proven_at=None)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (STALE, "current statement .* leaf certificate, found one for 2026-11-11T09:30:00Z to"),
        (Missing(), "about the leaf certificate, found none"),
    ],
)
def test_not_to_know_fails_closed_unless_it_is_accepted(status: Status, says: str) -> None:
    with pytest.raises(RevocationUnknown, match=says) as refused:
        judge(status, role="leaf", proven_at=BEFORE)
    assert (refused.value.code, refused.value.exit_code) == ("revocation-unknown", 27)
    judge(status, role="leaf", proven_at=BEFORE, accept_unknown=True)


@pytest.mark.parametrize("proven_at", [None, INVALID_FROM, AT + DAY])
def test_accepting_not_to_know_accepts_no_revoked_one(proven_at: datetime | None) -> None:
    with pytest.raises(CertificateRevoked, match=r"before 2026-11-18T09:30:00Z.*superseded"):
        judge(REVOKED, role="leaf", proven_at=proven_at, accept_unknown=True)


def test_a_revocation_counts_from_the_earlier_of_its_times() -> None:
    late = Revoked(reason=Reason.SUPERSEDED, revoked_at=AT, invalid_from=AT + DAY)
    plain = Revoked(reason=Reason.SUPERSEDED, revoked_at=AT, invalid_from=None)
    assert (late.counts_from, plain.counts_from, REVOKED.counts_from) == (AT, AT, INVALID_FROM)


def test_of_several_findings_the_worst_known_one_counts() -> None:
    assert worst([Missing(), STALE, GOOD, REVOKED]) == REVOKED
    assert worst([STALE, GOOD, Missing()]) == GOOD
    assert worst([Missing(), STALE]) == STALE
    assert worst([]) == Missing()


def test_of_several_findings_of_a_kind_the_strictest_or_newest_counts() -> None:
    late = replace(REVOKED, invalid_from=None)
    assert worst([late, REVOKED]) == worst([REVOKED, late]) == REVOKED
    newer = replace(STALE, next_update=STALE.next_update + DAY)
    assert worst([newer, STALE]) == worst([STALE, newer]) == newer
    found = worst([GOOD, NotRevoked(said_at=AT + DAY), GOOD])
    assert isinstance(found, NotRevoked)
    assert found.said_at == AT + DAY


@pytest.mark.parametrize("serial", [0, -1, 1 << 159])
def test_a_serial_number_is_positive_and_of_twenty_bytes(serial: int) -> None:
    with pytest.raises(InvalidDocument, match="serial: expected"):
        Revocation(serial=serial, revoked_at=AT, reason=Reason.SUPERSEDED)


def test_nothing_is_invalid_from_after_its_revocation() -> None:
    with pytest.raises(InvalidDocument, match="invalid_from: expected at most the revocation's"):
        Revocation(serial=1, revoked_at=AT, reason=Reason.SUPERSEDED, invalid_from=AT + DAY)


@pytest.mark.parametrize(
    ("at", "status"),
    [
        (PERIOD.this_update, GOOD),
        (PERIOD.next_update, GOOD),
        (AT - timedelta(days=400), GOOD),
        (AGED, None),
    ],
)
def test_a_finding_is_good_until_it_ends(at: datetime, status: Status | None) -> None:
    found = revocation.at_moment(PERIOD.this_update, PERIOD.next_update, at)
    assert found == (status or Stale(this_update=AT, next_update=PERIOD.next_update))
    assert Period(this_update=AT, next_update=AT + 7 * DAY) == PERIOD
