# SPDX-License-Identifier: Apache-2.0
"""How often one address may exchange identity tokens, whichever of our addresses it asks."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView


class Rate(SimpleRateThrottle):
    """Counted by address: each exchange may ask an issuer for its keys."""

    rate = "60/min"
    scope = "publishing"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"publishing:{self.get_ident(request)}"
