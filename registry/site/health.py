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
from registry.storage import places, space
from registry.wakeups import app

UNAVAILABLE = 503
OK = "ok"
READS_ONLY = "reads only: the disk is nearly full"


@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """A process that answers lives; a restart would help with nothing else that is wrong."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(_request: HttpRequest) -> HttpResponse:
    """200 when every part answers, 503 with what is wrong in a word each otherwise.

    A disk too full for uploads is said with 200: whoever takes an unready registry out of service
    would take reading away, which goes on.
    """
    found = {name: check() for name, check in CHECKS.items()}
    is_ready = all(state in {OK, READS_ONLY} for state in found.values())
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
    """Blobs can be written, and there is room for more."""
    if not os.access(settings.DATA_DIR, os.W_OK | os.X_OK):
        return "cannot be written"
    try:
        places.primary().check()
    except OSError:
        return "does not answer"
    return READS_ONLY if space.room().is_short else OK


CHECKS: Mapping[str, Callable[[], str]] = {
    "database": database,
    "broker": broker,
    "signer": signer,
    "storage": storage,
}
