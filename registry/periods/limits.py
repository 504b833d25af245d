# SPDX-License-Identifier: Apache-2.0
"""How often one person may have a period exported: on the page and over HTTP together."""

from __future__ import annotations

from django.http import HttpRequest
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from registry.accounts.queries import User

RATE = "20/hour"  # an export may read years, and adds an entry to the ledger


class ExportRate(SimpleRateThrottle):
    """Counted by person, in this process alone."""

    rate = RATE
    scope = "periods"

    def __init__(self, person: User) -> None:
        super().__init__()
        self._person = person

    def get_cache_key(self, request: object, view: object) -> str:
        return f"periods:{self._person.pk}"


def check(person: User) -> None:
    """Count one; raises Throttled."""
    rate = ExportRate(person)
    if not rate.allow_request(Request(HttpRequest()), APIView()):
        raise Throttled(rate.wait(), f"expected at most {RATE} of one person, found more.")
