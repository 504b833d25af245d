# SPDX-License-Identifier: Apache-2.0
"""`/c2pa/…`: C2PA's Soft Binding Resolution API over the pictures that were generated here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing import canonical
from assay.signing.canonical import as_mapping
from assay.signing.errors import InvalidDocument
from registry.api.parsing import StrictJSONParser
from registry.api.problems import FieldProblem
from registry.api.rendering import FileRenderer

from ..errors import InvalidQuery
from ..limits import DetectingRate, LookingRate, ResolvingRate
from . import bindings, schema
from .api import PictureParser, picture_in
from .bindings import ALGORITHMS, FINGERPRINT, MAX_RESULTS, TRUSTMARK, WATERMARK, Binding

MANIFEST_TYPE = "application/c2pa"
MAX_WANTED = 100
_DIGITS = re.compile(r"[0-9]{1,9}", re.ASCII)  # `int` refuses thousands of them
_VALUE = (
    OpenApiParameter("value", str, required=True, description="base64"),
    OpenApiParameter("alg", str, required=True, enum=ALGORITHMS),
)
_MOST = OpenApiParameter("maxResults", int)


class _View(APIView):
    """For anybody: a manifest is what a file carried for anybody to read."""

    permission_classes = (AllowAny,)
    throttle_classes: tuple[type[DetectingRate], ...] = (ResolvingRate,)


class AlgorithmsView(_View):
    """GET lists the algorithms of soft bindings that are known here."""

    @extend_schema(
        operation_id="c2pa_algorithms", tags=["c2pa"], responses={200: schema.ALGORITHMS}
    )
    def get(self, request: Request) -> Response:
        """By name."""
        del request
        return Response(
            {
                "watermarks": [{"alg": WATERMARK}, {"alg": TRUSTMARK}],
                "fingerprints": [{"alg": FINGERPRINT}],
            }
        )


class ByBindingView(_View):
    """GET and POST find manifests by the value of a soft binding."""

    parser_classes = (StrictJSONParser,)

    @extend_schema(
        operation_id="c2pa_by_binding",
        tags=["c2pa"],
        parameters=[*_VALUE, _MOST],
        responses={200: schema.MATCHES},
    )
    def get(self, request: Request) -> Response:
        """Of a value in the query."""
        asked = {name: request.query_params.get(name) for name in ("alg", "value")}
        return _bound(request, asked)

    @extend_schema(
        operation_id="c2pa_by_large_binding",
        tags=["c2pa"],
        parameters=[_MOST],
        request=schema.BINDING,
        responses={200: schema.MATCHES},
    )
    def post(self, request: Request) -> Response:
        """Of a value in a document."""
        with _refusing():
            asked = as_mapping(request.data, "body")
        return _bound(request, asked)


class ByContentView(_View):
    """POST finds manifests by a picture."""

    throttle_classes = (LookingRate,)
    parser_classes = (PictureParser,)

    @extend_schema(
        operation_id="c2pa_by_content",
        tags=["c2pa"],
        parameters=[OpenApiParameter("alg", str, enum=ALGORITHMS), _MOST],
        request={"image/*": OpenApiTypes.BINARY},
        responses={200: schema.MATCHES},
    )
    def post(self, request: Request) -> Response:
        """Of what it shows; it is kept nowhere."""
        alg = request.query_params.get("alg")
        with _refusing():
            named = None if alg is None else bindings.algorithm(alg)
            most = _most(request)
        return _matched(bindings.by_content(picture_in(request), named, most=most))


class StoreRenderer(FileRenderer):
    """Of manifests; our own evidence is a document, too."""

    media_type = MANIFEST_TYPE
    format = "c2pa"


class ManifestView(_View):
    """GET reads a manifest."""

    renderer_classes = (JSONRenderer, StoreRenderer)

    @extend_schema(
        operation_id="c2pa_manifest",
        tags=["c2pa"],
        parameters=[OpenApiParameter("returnActiveManifest", bool)],
        responses={(200, MANIFEST_TYPE): OpenApiTypes.BINARY, 200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, manifest_id: str) -> HttpResponse:
        """The whole store, as the file had it; our evidence for a file that had none."""
        with _refusing():
            if request.query_params.get("returnActiveManifest", "false") != "false":
                expected, found = "false: whole stores are kept here", "another value"
                raise InvalidDocument("returnActiveManifest", expected, found)
            store, output = bindings.manifest(manifest_id)
        if store is None:
            return Response(bindings.evidence(output), content_type=JSONRenderer.media_type)
        return HttpResponse(store, content_type=MANIFEST_TYPE)


@contextmanager
def _refusing() -> Iterator[None]:
    """What is wrong with a question, as C2PA's clients expect to hear it."""
    try:
        yield
    except InvalidDocument as error:
        message = f"expected {error.expected}, found {error.found}"
        field = FieldProblem(field=error.field, message=message)
        raise InvalidQuery(str(error), errors=(field,)) from error


def _bound(request: Request, asked: canonical.Obj) -> Response:
    with _refusing():
        binding, most = Binding.parse(asked), _most(request)
    return _matched(bindings.by_binding(binding, most=most))


def _matched(found: list[bindings.Match]) -> Response:
    return Response({"matches": [each.to_json() for each in found]})


def _most(request: Request) -> int:
    asked = request.query_params.get("maxResults", str(MAX_RESULTS))
    number = int(asked) if _DIGITS.fullmatch(asked) else asked
    return canonical.integer({"maxResults": number}, "maxResults", minimum=1, maximum=MAX_WANTED)
