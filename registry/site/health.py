# SPDX-License-Identifier: Apache-2.0
"""Whether this process lives (`/healthz`), and whether the registry can do its work (`/readyz`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

from assay.signing.errors import SignerError
from registry.ledger import services as ledger
from registry.wakeups import app

UNAVAILABLE = 503
OK = "ok"


@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """A process that answers lives; a restart would help with nothing else that is wrong."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """200 when every part answers, 503 with what is wrong in a word each otherwise."""
    found = {name: check() for name, check in CHECKS.items()}
    is_ready = all(state == OK for state in found.values())
    return JsonResponse(found, status=200 if is_ready else UNAVAILABLE)


def database() -> str:
    """PostgreSQL answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return OK


def broker() -> str:
    """Valkey takes a connection."""
    try:
        with app().connection_for_write() as link:
            link.ensure_connection(max_retries=1, timeout=1)
    except OperationalError:
        return "does not answer"
    return OK


def signer() -> str:
    """The process that holds the keys describes itself."""
    try:
        ledger.signer().describe()
    except SignerError:
        return "does not answer"
    return OK


def storage() -> str:
    """Blobs can be written."""
    return OK if os.access(settings.DATA_DIR, os.W_OK | os.X_OK) else "cannot be written"


CHECKS: Mapping[str, Callable[[], str]] = {
    "database": database,
    "broker": broker,
    "signer": signer,
    "storage": storage,
}
