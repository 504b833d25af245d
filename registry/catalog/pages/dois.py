# SPDX-License-Identifier: Apache-2.0
"""The button on a checkpoint's page by which its owner asks for a DOI."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from .. import queries
from ..errors import DoiRefused, NoDois, NotFound
from ..services import dois
from .governing import found_by_owner


@never_cache
@login_required
@require_POST
def ask(request: HttpRequest, owner: str, project: str, checkpoint: str) -> HttpResponse:
    """POST /{owner}/{project}/{checkpoint}/doi; the page says what became of it."""
    person, within = found_by_owner(request, owner, project)
    try:
        found = queries.checkpoint_named(within.owner.name, within.name, checkpoint, person)
        dois.ask(found, by=person)
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    except (DoiRefused, NoDois) as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, _("The DOI is being registered. Look again in a moment."))
    return redirect(found.path)
