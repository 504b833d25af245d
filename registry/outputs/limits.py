# SPDX-License-Identifier: Apache-2.0
"""How often one address may ask what is known of a content, on the page and in the API."""

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


class LookingRate(DetectingRate):
    """Fewer: a picture is held to the mark at many scales, which takes seconds."""

    rate = "10/min"
    scope = "looking"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"looking:{self.get_ident(request)}"


class ResolvingRate(DetectingRate):
    """More: a row or a few are read, by an index."""

    rate = "120/min"
    scope = "resolving"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        return f"resolving:{self.get_ident(request)}"


def check(request: HttpRequest, kind: type[DetectingRate] = DetectingRate) -> None:
    """For a plain view; raises Throttled."""
    rate = kind()
    if not rate.allow_request(Request(request), APIView()):
        raise Throttled(rate.wait(), f"expected at most {rate.rate} from one address, found more.")
