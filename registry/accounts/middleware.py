# SPDX-License-Identifier: Apache-2.0
"""What is done in the session of somebody who is suspended: reading, appealing, taking back."""

from __future__ import annotations

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from rest_framework.permissions import SAFE_METHODS

from registry.api.pages import refusal
from registry.api.problems import Document

from . import suspensions
from .errors import Suspended
from .models import User

# By the names of their addresses: signing out, an appeal, taking back an acceptance (accepting is
# refused by itself), revoking one's tokens, and who finds what one signed.
OPEN = frozenset(
    {
        "account",
        "api-conduct-acceptance",
        "case-appeal",
        "conduct-answer",
        "logout",
        "settings",
        "token",
        "token-revoke",
    }
)


class RefuseSuspended(MiddlewareMixin):
    """Sessions only: whoever is suspended has no token."""

    async def process_view(
        self, request: HttpRequest, _view: object, _args: object, _kwargs: object
    ) -> HttpResponse | None:
        """None lets the view answer."""
        match = request.resolver_match
        if request.method in SAFE_METHODS or (match is not None and match.url_name in OPEN):
            return None
        return await sync_to_async(_refused)(request)


def _refused(request: HttpRequest) -> HttpResponse | None:
    if not isinstance(request.user, User):
        return None
    try:
        suspensions.check(request.user.namespace)
    except Suspended as error:
        return refusal(request, Document.of(error), {})
    return None
