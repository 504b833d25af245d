# SPDX-License-Identifier: Apache-2.0
"""A project's imports in a browser, for those who act for its owner: to look at, and no more.

imports/list.html   project, groups (title, imports; those that are on their way first), is_off,
                    command
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from registry.accounts import queries as accounts
from registry.accounts.queries import User
from registry.catalog import queries as catalog
from registry.catalog.errors import MayNotPublish

from . import apart, queries
from .models import UNDERWAY

MOST_SHOWN = 50


@never_cache
@login_required
@require_safe
def imports(request: HttpRequest, owner: str, project: str) -> HttpResponse:
    """/{owner}/{project}/settings/imports."""
    if not isinstance(request.user, User):
        raise TypeError("expected a view that demands a sign-in")
    found = catalog.project(owner, project, request.user)
    if not accounts.may_publish(request.user, found.owner):
        raise MayNotPublish(f"expected somebody who acts for {found.owner.name!r}")
    rows = queries.of_project(found)
    context = {
        "project": found,
        "groups": (
            (_("On their way"), rows.filter(state__in=UNDERWAY)[:MOST_SHOWN]),
            (_("Ended"), rows.exclude(state__in=UNDERWAY)[:MOST_SHOWN]),
        ),
        "is_off": settings.CONVERTER == apart.OFF,
        "command": f"assay login {settings.PUBLIC_URL}\n"
        f"assay import pytorch_model.bin {found.full_name} --registry {settings.PUBLIC_URL}",
    }
    return render(request, "imports/list.html", context)
