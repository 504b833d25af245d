# SPDX-License-Identifier: Apache-2.0
"""Exports of a checkpoint over HTTP: a file each, for programs of others (docs/spec/exports.md)."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.views import APIView

from registry.accounts import reading

from .. import queries
from ..queries import exporting

NAME = OpenApiParameter(
    "name", str, location=OpenApiParameter.PATH, enum=tuple(exporting.FORMS), required=True
)
MEDIA_TYPES = dict.fromkeys(each.media_type.partition(";")[0] for each in exporting.FORMS.values())


class ExportView(APIView):
    """What the registry knows of a checkpoint, in a form that others have agreed on."""

    @extend_schema(
        operation_id="checkpoints_export",
        parameters=[NAME],
        responses={(status.HTTP_200_OK, each): OpenApiTypes.STR for each in MEDIA_TYPES},
    )
    def get(
        self, request: Request, owner: str, project: str, checkpoint: str, name: str
    ) -> HttpResponse:
        """As a file of that name; 404 where it has none such."""
        viewer = reading.viewer(request, reading.CHECKPOINTS)
        found = queries.checkpoint_named(owner, project, checkpoint, viewer)
        content = exporting.export(found, name)
        return HttpResponse(
            content,
            content_type=exporting.FORMS[name].media_type,
            headers={
                "Cache-Control": "no-cache",
                "Content-Disposition": f'attachment; filename="{name}"',
            },
        )
