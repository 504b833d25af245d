# SPDX-License-Identifier: Apache-2.0
"""`GET /api/models/{owner}/{name}/xet-{read,write}-token/{revision}`: where to, and with what."""

from __future__ import annotations

from django.http import HttpResponse

from registry.catalog.queries import Project, revisions
from registry.catalog.queries.revisions import PULLS

from ..answers import Asked, answer, flag
from ..callers import check_sends, check_writes
from . import tokens

PREFIX = "/api/xet"


def read_token(asked: Asked, of: Project) -> HttpResponse:
    """For whoever may see the project; there is nothing that it is needed for yet."""
    return _given(asked, of, may_write=False)


def write_token(asked: Asked, of: Project) -> HttpResponse:
    """For whoever could commit here, or propose to."""
    is_proposed = flag(asked.request, "create_pr") or asked.revision.startswith(PULLS)
    (check_sends if is_proposed else check_writes)(asked.by, of)
    return _given(asked, of, may_write=True, is_proposed=is_proposed)


def _given(
    asked: Asked, of: Project, *, may_write: bool, is_proposed: bool = False
) -> HttpResponse:
    branch = "/".join(asked.words) or revisions.MAIN
    (revisions.to_go_on_from if may_write else revisions.find_any)(of, branch)
    branch = tokens.PROPOSED if is_proposed else branch
    text, ends_at = tokens.give(asked.by.token, of, branch, may_write=may_write)
    url, ends = asked.request.build_absolute_uri(PREFIX), int(ends_at.timestamp())
    return answer(
        {"accessToken": text, "exp": ends, "casUrl": url},
        {
            "X-Xet-Access-Token": text,
            "X-Xet-Token-Expiration": str(ends),
            "X-Xet-Cas-Url": url,
            "Cache-Control": "no-store",
        },
    )
