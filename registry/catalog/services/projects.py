# SPDX-License-Identifier: Apache-2.0
"""Projects: made once, under one conduct version, by somebody who acts for their owner."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import IntegrityError, transaction

from registry.accounts import queries as accounts
from registry.accounts.queries import Namespace, User
from registry.audit import services as audit
from registry.conduct.queries import PolicyVersion

from ..errors import MayNotPublish, NameTaken
from ..models import Project, Visibility
from . import listings
from .receiving import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """A project as its maker describes it."""

    owner: Namespace
    name: str
    title: str
    summary: str
    conduct: PolicyVersion
    visibility: Visibility = Visibility.PUBLIC


def create_project(new: NewProject, by: User) -> Project:
    """The project; raises NameTaken when the owner has one of this name."""
    check_name(new.name)
    if not accounts.may_publish(by, new.owner):
        raise MayNotPublish(f"expected somebody who acts for {new.owner.name!r}")
    try:
        with transaction.atomic():
            project = Project.objects.create(
                owner=new.owner,
                name=new.name,
                title=new.title,
                summary=new.summary,
                conduct=new.conduct,
                visibility=new.visibility,
            )
            listings.enter(project)
            details = {"conduct": str(new.conduct), "visibility": new.visibility.value}
            audit.record(by.actor, "project.create", project.full_name, details)
    except IntegrityError as error:
        raise NameTaken(f"expected a new name, but {new.owner.name} has {new.name!r}") from error
    return project
