# SPDX-License-Identifier: Apache-2.0
"""Makes an export of a period (docs/spec/periods.md): line by line, and signed at its end.

1. Who asks must decide for the name; to everybody else it is as if there were no such name.
2. The registry's conduct office is certified before anything is sent, as it signs the end.
3. The period becomes a span of the ledger, and all that certificates of this name signed in it is
   sent in the ledger's order. What says whose a pseudonym is stands beside it.
4. The end is a statement over all lines before it, in the ledger itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from assay.signing import canonical, periods
from assay.signing.canonical import Obj, instant_text
from assay.signing.digests import as_id
from assay.signing.errors import InvalidDocument
from assay.signing.periods import Head, Retention, Sink
from registry.accounts import pseudonyms
from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User
from registry.api.problems import NotFound
from registry.audit import services as audit
from registry.authority import holding, revocations
from registry.conduct import office
from registry.conduct import queries as conduct
from registry.conduct.queries import Acceptance
from registry.ledger import queries as ledger
from registry.ledger import services as ledger_services
from registry.ledger import spans

from . import limits

MEDIA_TYPE = "application/x-ndjson"
FIRST_PAUSE_SECONDS = 0.1
SIGN_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """What is asked for: a name, and from when until when."""

    name: str
    since: datetime
    until: datetime

    @classmethod
    def parse(cls, obj: Obj, *, now: datetime) -> Self:
        """Read it; raises InvalidDocument for a period that is not over."""
        canonical.only(obj, "name", "since", "until")
        since, until = canonical.instant(obj, "since"), canonical.instant(obj, "until")
        if not since < until <= now:
            expected = f"a moment after {instant_text(since)} that is over"
            raise InvalidDocument("until", expected, instant_text(until))
        return cls(name=canonical.text(obj, "name"), since=since, until=until)


def retention() -> Retention:
    """For how long exports are to be kept, and why."""
    return Retention(days=settings.RETENTION_DAYS, source=settings.RETENTION_SOURCE)


def keep_until(until: datetime) -> datetime:
    """The day until which the export of a period that ends so is to be kept."""
    return until + timedelta(days=settings.RETENTION_DAYS)


def export(period: Period, *, by: User) -> Iterator[bytes]:
    """The lines, made while they are sent. Raises NotFound, Throttled, SignerError before any."""
    namespace = accounts.namespace(period.name)
    if namespace is None or not accounts.may_govern(by, namespace):  # 1
        raise NotFound("expected your own name, or that of an organisation that you own")
    limits.check(by)
    office.ensure()  # 2
    size = spans.signed_size()
    head = Head(
        registry=settings.PUBLIC_URL,
        name=namespace.name,
        subjects=_subjects(namespace),
        since=period.since,
        until=period.until,
        first=spans.first_since(period.since, size),  # 3
        end=spans.first_since(period.until, size),
        retention=retention(),
    )
    details = {"since": instant_text(head.since), "until": instant_text(head.until)}
    with transaction.atomic():
        audit.record(by.actor, "period.export", namespace.name, details)
    return _lines(head, namespace)


def _subjects(namespace: Namespace) -> tuple[str, ...]:
    """Whom certificates of this name name: it, in clear and by its pseudonym, and its machines."""
    machines = [each.uri for each in accounts.nodes_of(namespace)]
    found = (namespace.uri, pseudonyms.certified_as(namespace), *machines)
    return tuple(dict.fromkeys(found))[: periods.MAX_SUBJECTS]


def _lines(head: Head, namespace: Namespace) -> Iterator[bytes]:
    sink = Sink(head)
    yield sink.line(head.to_json())
    lists = revocations.stapled(revocations.names())
    yield sink.line({"line": "lists", "lists": [canonical.base64_text(each) for each in lists]})
    for value in _certificates(head):
        yield sink.line(value)
    for value in _acceptances(head, namespace):
        yield sink.line(value)
    for value in _statements(head):
        yield sink.line(value)
    for value in _revocations(head):
        yield sink.line(value)
    yield _end(sink)  # 4


def _certificates(head: Head) -> Iterator[dict[str, object]]:
    for each in holding.certificates(head.subjects, head.since, head.until):
        yield {
            "line": "certificate",
            "subject": each.subject,
            "purpose": each.purpose,
            "serial": each.serial,
            "issued_at": instant_text(each.issued_at),
            "expires_at": instant_text(each.expires_at),
            "pem": each.pem,
        }


def _acceptances(head: Head, namespace: Namespace) -> Iterator[dict[str, object]]:
    """Those that stood at any moment of the period, with what opens their commitments."""
    rows = conduct.acceptances([namespace]).filter(accepted_at__lt=head.until)
    stood = [each for each in rows if each.withdrawn_at is None or each.withdrawn_at >= head.since]
    shown = ledger.included_among([each.statement_id for each in stood])
    for each in reversed(stood):
        if each.statement_id in shown:
            yield _acceptance(each)


def _acceptance(of: Acceptance) -> dict[str, object]:
    withdrawn_at = None if of.withdrawn_at is None else instant_text(of.withdrawn_at)
    return {
        "line": "acceptance",
        "party": of.party.uri,
        "salt": of.salt_hex,
        "accepted_at": instant_text(of.accepted_at),
        "withdrawn_at": withdrawn_at,
        "bundle": ledger.bundle(of.statement).to_json(),
    }


def _statements(head: Head) -> Iterator[dict[str, object]]:
    """What named a person who left is kept no longer: its place is, and says so."""
    for found in spans.signed_as(head.subjects, head.first, head.end):
        kept = [each for each in found if not ledger.is_blank(each)]
        bundles = dict(zip((each.pk for each in kept), ledger.bundles(*kept), strict=True))
        for each in found:
            if each.pk in bundles:
                yield {"line": "statement", "bundle": bundles[each.pk].to_json()}
            else:
                yield {
                    "line": "erased",
                    "index": each.entry.index,
                    "statement": as_id(each.sha256),
                }


def _revocations(head: Head) -> Iterator[dict[str, object]]:
    rows = list(holding.revocations(head.subjects, head.since, head.until))
    shown = ledger.included_among([each.statement_id for each in rows])
    for each in rows:
        if each.statement_id in shown:
            yield {
                "line": "revocation",
                "serial": each.certificate.serial,
                "reason": each.reason,
                "revoked_at": instant_text(each.revoked_at),
                "bundle": ledger.bundle(each.statement).to_json(),
            }


def _end(sink: Sink) -> bytes:
    """Signed and in the ledger; raises NotIncluded where that takes too long, and so cuts it."""
    claim = sink.claim(timezone.now().replace(microsecond=0))
    with transaction.atomic():
        signed = office.sign(claim.statement())
    give_up_at = time.monotonic() + SIGN_SECONDS
    while not ledger.is_included(signed) and time.monotonic() < give_up_at:
        if ledger_services.integrate() is None:
            time.sleep(FIRST_PAUSE_SECONDS)  # another process is at it
    return periods.end_line(ledger.bundle(signed))
