# SPDX-License-Identifier: Apache-2.0
"""Which projects and checkpoints a client of MLflow asks for: by name, by number, by a filter."""

from __future__ import annotations

import re
from typing import TypeVar

from django.db.models import Model, QuerySet

from registry.api.numbers import whole
from registry.api.problems import NotFound
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint, Project, State, searching, seeing
from registry.hub import callers
from registry.hub.callers import Caller

from .documents import owner_and_name
from .errors import Unsupported

Row = TypeVar("Row", bound=Model)
MAX_LISTED = 100
MAX_FILTER_CHARACTERS = 300
# MLflow's grammar is that of SQL; what its own clients write for one condition is this.
FILTER = re.compile(
    r"\s*(?P<key>\w+)\s*(?P<how>=|I?LIKE)\s*(?P<q>['\"])(?P<value>[^'\"]*)(?P=q)\s*"
)
# Newer clients keep their prompts among models, and ask for what is none: nothing here is one.
NO_PROMPTS = re.compile(r"(\s+AND\s+)?tags?\.`mlflow\.prompt\.is_prompt`\s*!=\s*'true'(\s+AND\s+)?")
LAST = 1 << 62


def project(by: Caller, written: str) -> Project:
    """The project of a model's name, if the caller may see it and have its files.

    Raises RepoUnknown, Unsupported, or AccessNeeded for a gated one.
    """
    return callers.read_project(by, *owner_and_name(written))


def checkpoint(of: Project, written: str) -> Checkpoint:
    """The version of this number; raises NotFound."""
    found = catalog.published_in(of).filter(pk=_number(written)).first()
    if found is None:
        raise NotFound(f"expected a version of {of}, found none numbered {written[:20]!a}")
    return found


def models(by: Caller, written: str) -> QuerySet[Project]:
    """Those of a filter over names: one name, or words for the search."""
    rows = catalog.projects(by.viewer).filter(seeing.files(by.viewer), taken_down_at=None)
    found = _condition(written)
    match found:
        case None:
            return rows
        case ("name", "=", value):
            owner, _, name = value.partition(".")
            return rows.filter(owner__name=owner, name=name)
        case ("name", _, value):
            query = searching.query_of(re.sub(r"[%._-]+", " ", value).strip())
            return rows.none() if query is None else rows.filter(listing__vector=query)
        case _:
            raise Unsupported(f"expected a filter by name, found {written[:80]!a}")


def versions(by: Caller, written: str) -> QuerySet[Checkpoint]:
    """Those of a filter: of one model, or of one run."""
    rows = catalog.visible(by.viewer).filter(
        seeing.files(by.viewer, of="project"), state=State.PUBLISHED
    )
    match _condition(written):
        case None:
            return rows
        case ("name", "=", value):
            return catalog.published_in(project(by, value))
        case ("run_id", "=", value):
            return rows.filter(run_id=value)
        case _:
            raise Unsupported(f"expected a filter by name or run_id, found {written[:80]!a}")


def page(rows: QuerySet[Row], token: str, limit: str) -> tuple[list[Row], str]:
    """The newest first, from where the page before ended; and the token of the next."""
    most = min(_number(limit), MAX_LISTED) if limit else MAX_LISTED
    after = _number(token) if token else LAST
    found = list(rows.filter(pk__lt=after).order_by("-pk")[: most + 1])
    if len(found) <= most or not most:
        return found[:most], ""
    return found[:most], str(found[most - 1].pk)


def _condition(written: str) -> tuple[str, str, str] | None:
    wanted = NO_PROMPTS.sub("", written[:MAX_FILTER_CHARACTERS])
    if not wanted.strip():
        return None
    found = FILTER.fullmatch(wanted)
    if found is None:
        raise Unsupported(f"expected one condition such as name = 'a.b', found {written[:80]!a}")
    return found["key"], found["how"], found["value"]


def _number(written: str) -> int:
    if (found := whole(written, most=LAST)) is None:
        raise Unsupported(f"expected a number, found {written[:20]!a}")
    return found
