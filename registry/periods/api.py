# SPDX-License-Identifier: Apache-2.0
"""Exports of a period over HTTP, for the programs of who answers for a name."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.views import APIView

from assay.signing.canonical import as_mapping
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Scope, caller
from registry.api.streamed import Streamed

from . import services
from .services import MEDIA_TYPE, Period

REQUEST = inline_serializer(
    "PeriodExportRequest",
    {
        "name": serializers.CharField(help_text="one's own, or an organisation's that one owns"),
        "since": serializers.DateTimeField(),
        "until": serializers.DateTimeField(help_text="not after now"),
    },
)
LINES = {(status.HTTP_200_OK, MEDIA_TYPE): OpenApiTypes.STR}


class PeriodExportsView(APIView):
    """POST has one made, and answers it; that it was made is in the ledger, and of whom is not."""

    permission_classes = (HasScope(Scope.READ),)

    @extend_schema(operation_id="period_exports_create", request=REQUEST, responses=LINES)
    def post(self, request: Request) -> HttpResponseBase:
        """The lines as they are made; one without its end was cut."""
        period = Period.parse(as_mapping(request.data, "body"), now=timezone.now())
        lines = services.export(period, by=caller(request))
        return Streamed(lines, content_type=MEDIA_TYPE)
