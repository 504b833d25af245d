# SPDX-License-Identifier: Apache-2.0
"""Reads of imports: each is for who asked for it, and for those who act for its project."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from registry.accounts.queries import User
from registry.api.problems import NotFound
from registry.catalog.queries import Project

from .models import Import


def imports(project: Project, person: User, holder: str = "") -> QuerySet[Import]:
    """Of this caller, the newest first."""
    rows = Import.objects.filter(project=project, person=person, holder=holder)
    rows = rows.select_related("project__owner")  # whose names are in each one's address
    return rows.order_by("-created_at")


def of_project(project: Project) -> QuerySet[Import]:
    """All that anybody asked for here, the newest first; for those who may publish here."""
    rows = Import.objects.filter(project=project).select_related("person")
    return rows.order_by("-created_at")


def one(project: Project, person: User, import_id: uuid.UUID, holder: str = "") -> Import:
    """Raises NotFound."""
    found = imports(project, person, holder).filter(pk=import_id).first()
    if found is None:
        raise NotFound("expected an import of yours, found none")
    return found
