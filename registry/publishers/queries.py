# SPDX-License-Identifier: Apache-2.0
"""Whom projects named. Changes nothing."""

from __future__ import annotations

from django.db.models import QuerySet

from registry.catalog.queries import Project

from .models import Publisher

__all__ = ["Publisher"]


def publishers_of(project: Project) -> QuerySet[Publisher]:
    """Those who may publish now, the newest first."""
    found = Publisher.objects.filter(project=project, removed_at=None)
    return found.select_related("named_by", "project__owner").order_by("-id")
