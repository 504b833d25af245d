# SPDX-License-Identifier: Apache-2.0
"""How REST framework learns who calls: a Bearer token; cookies are another class's affair."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from .errors import Unauthenticated
from .models import Token, User
from .tokens import authenticate


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer assay_…`; without the header the next class has its say."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        """The person and the token; one that does not open is a 401 even where anyone may read."""
        token = authenticate(request.META.get("HTTP_AUTHORIZATION"), now=timezone.now())
        return None if token is None else (token.user, token)

    def authenticate_header(self, request: Request) -> str:
        """The challenge of a 401."""
        return Unauthenticated.challenge
