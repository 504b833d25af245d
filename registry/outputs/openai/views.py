# SPDX-License-Identifier: Apache-2.0
"""What all views under `/v1/` have in common: they refuse in OpenAI's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.api.problems import NotFound

from .errors import exception_handler

KNOWN = ("completions", "chat/completions", "images/generations", "models")
MAX_SHOWN_CHARACTERS = 80
Handler = Callable[[Exception, Mapping[str, object]], Response | None]


class View(APIView):
    """Refuses in their words."""

    def get_exception_handler(self) -> Handler:
        """REST framework asks for it."""
        return exception_handler


class NothingView(View):
    """Whatever else OpenAI's servers answer: their clients know more than is here."""

    permission_classes = (AllowAny,)

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """By no method is anything here."""
        del request, args
        known, found = ", ".join(KNOWN), str(kwargs["other"])[:MAX_SHOWN_CHARACTERS]
        raise NotFound(
            f"expected what this registry has of OpenAI's protocol ({known}), found {found!a}"
        )
