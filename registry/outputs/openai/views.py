# SPDX-License-Identifier: Apache-2.0
"""What all views under `/v1/` have in common: they refuse in OpenAI's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rest_framework.response import Response
from rest_framework.views import APIView

from .errors import exception_handler

Handler = Callable[[Exception, Mapping[str, object]], Response | None]


class View(APIView):
    """Refuses in their words."""

    def get_exception_handler(self) -> Handler:
        """REST framework asks for it."""
        return exception_handler
