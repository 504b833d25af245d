# SPDX-License-Identifier: Apache-2.0
"""What somebody held: the certificates that were issued to some URIs, and their revocations."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import QuerySet

from .models import Certificate, Revocation


def certificates(
    subjects: Collection[str], since: datetime, until: datetime
) -> QuerySet[Certificate]:
    """Those that were in force at any moment from `since` up to `until`, the earliest first."""
    rows = Certificate.objects.filter(subject__in=subjects)
    return rows.filter(issued_at__lt=until, expires_at__gt=since).order_by("issued_at", "pk")


def revocations(
    subjects: Collection[str], since: datetime, until: datetime
) -> QuerySet[Revocation]:
    """What was revoked from `since` up to `until`, the earliest first."""
    rows = Revocation.objects.filter(certificate__subject__in=subjects)
    rows = rows.filter(revoked_at__gte=since, revoked_at__lt=until)
    return rows.select_related("certificate", "statement__entry").order_by("revoked_at", "pk")
