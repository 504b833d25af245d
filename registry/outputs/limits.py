# SPDX-License-Identifier: Apache-2.0
"""How often one address may ask what is known of a text: on the page and in the API together."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView


class DetectingRate(SimpleRateThrottle):
    """Counted by address, in this process alone: a long text takes a part of a second."""

    rate = "30/min"
    scope = "detecting"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"detecting:{self.get_ident(request)}"


def check(request: HttpRequest) -> None:
    """For a plain view; raises Throttled."""
    rate = DetectingRate()
    if not rate.allow_request(Request(request), APIView()):
        raise Throttled(rate.wait(), f"expected at most {rate.rate} from one address, found more.")
