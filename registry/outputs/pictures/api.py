# SPDX-License-Identifier: Apache-2.0
"""Pictures over HTTP: an output's file, and what is known of a picture that anybody sends."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import IO, Any, cast

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import reading
from registry.api.problems import NotFound
from registry.api.rendering import FileRenderer

from .. import queries
from ..limits import LookingRate
from ..models import Picture, State
from . import detecting, schema
from .looking import MAX_BYTES

PICTURE = "picture"


class PictureParser(BaseParser):
    """The bytes of a picture, as they are, under PICTURE."""

    media_type = "image/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, object] | None = None,
    ) -> dict[Any, Any]:
        """As many as are looked at, and one more, which is too many."""
        del media_type, parser_context
        return {PICTURE: stream.read(MAX_BYTES + 1)}


def picture_in(request: Request) -> bytes:
    """What PictureParser read; nothing where there was no body."""
    return cast("dict[str, bytes]", request.data).get(PICTURE, b"")


class PngRenderer(FileRenderer):
    """Of the pictures that are drawn here."""

    media_type = "image/png"
    format = "png"


class ContentView(APIView):
    """GET reads the file of an output, where it has one."""

    renderer_classes = (JSONRenderer, PngRenderer)

    @extend_schema(
        operation_id="outputs_content",
        responses={(200, "image/png"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, output_id: uuid.UUID) -> HttpResponse:
        """The very bytes that were signed; of one's own outputs alone."""
        by = reading.signatory(request)
        output = queries.output(output_id, by.person, within=by.projects)
        found = Picture.objects.filter(output=output, output__state=State.SIGNED).first()
        if found is None:
            raise NotFound(
                "expected an output that is a picture, found one that is not, or not yet"
            )
        return HttpResponse(
            bytes(found.file),
            content_type=found.output.media_type,
            headers={"Content-Disposition": f'inline; filename="{found.output_id}.png"'},
        )


class DetectView(APIView):
    """POST asks what is known of a picture."""

    authentication_classes = ()
    permission_classes = (AllowAny,)  # nothing is changed or kept, and nothing private is told
    throttle_classes = (LookingRate,)
    parser_classes = (PictureParser,)

    @extend_schema(
        operation_id="detect_picture_create",
        request={"image/*": OpenApiTypes.BINARY},
        responses={200: schema.DETECTED},
    )
    def post(self, request: Request) -> Response:
        """Free and without an account; the picture is kept nowhere."""
        return Response(detecting.to_json(detecting.detect(picture_in(request))))
