# SPDX-License-Identifier: Apache-2.0
"""Media over HTTP: a file comes back with its manifest, or a digest with one for beside it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import IO, Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing import canonical
from assay.signing.canonical import as_mapping
from assay.signing.digests import parse_id, sha256
from assay.signing.mediatypes import Kind
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Scope, caller, limits
from registry.api.problems import TooLarge
from registry.api.schema import HEX
from registry.idempotency.api import id_for, idempotent_in_steps

from .. import queries, schema
from ..asking import Assertion
from ..credentials import kinds
from ..models import Output, State
from . import services
from .services import Media

# As much as a batch's body may have: it is in memory here, as it is there. The file and its copy
# with a manifest are together twice that; what is larger is signed by its digest alone.
MAX_MEDIA_BYTES = 32 * 1024 * 1024
FILES = {kind.value: OpenApiTypes.BINARY for kind in Kind}


class MediaParser(BaseParser):
    """Any type: the bytes are the view's, and what a key remembers of them is their digest."""

    media_type = "*/*"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """Raises TooLarge."""
        del media_type
        content = stream.read(MAX_MEDIA_BYTES + 1)
        if len(content) > MAX_MEDIA_BYTES:
            raise TooLarge(
                f"expected at most {MAX_MEDIA_BYTES} bytes, found more; a larger file is signed by "
                "its digest, at /api/v1/outputs/sidecar"
            )
        view = (parser_context or {})["view"]
        view.content = content
        return {"sha256": sha256(content)}


class MediaView(APIView):
    """POST takes a file, and answers it with a C2PA manifest in it."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True
    parser_classes = (MediaParser,)
    content: bytes = b""
    _made: tuple[Output, bytes] | None = None

    @extend_schema(
        operation_id="outputs_media_create",
        parameters=[
            OpenApiParameter(
                "checkpoint",
                str,
                required=True,
                pattern=f"^sha256:{HEX}$",
                description="of a published checkpoint",
            )
        ],
        request=FILES,
        responses={(status.HTTP_201_CREATED, kind): OpenApiTypes.BINARY for kind in FILES},
    )
    def post(self, request: Request) -> HttpResponse:
        """The file as it was signed; what is known of it is at Location. Nothing of it is kept."""
        taken = self._take(request)
        if self._made is None:  # the key is known: what it made was given out
            raise services.not_kept(taken.data["output"])
        output, content = self._made
        return HttpResponse(
            content,
            content_type=output.media_type,
            status=_status(output),
            headers=_headers(output) | {"Content-Digest": _digest(output.sha256)},
        )

    @idempotent_in_steps
    def _take(self, request: Request) -> Response:
        stated = canonical.text(request.query_params.dict(), "checkpoint")
        kind = kinds.named(request.content_type or "none")
        _ = request.data  # which is what has the content read
        checkpoint = parse_id(stated, "checkpoint")
        media = Media(checkpoint=checkpoint, kind=kind, content=self.content)
        output_id = id_for(request)
        if not services.is_made(output_id):
            by, within = caller(request), limits(request)
            self._made = services.embed(media, by=by, output_id=output_id, within=within)
        return Response({"output": str(output_id)})


class SidecarView(APIView):
    """POST has digests signed, and answers a C2PA manifest for beside the file too."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True

    @extend_schema(
        operation_id="outputs_sidecar_create",
        request=schema.ASSERTION_REQUEST,
        responses={201: schema.SIDECAR, 202: schema.SIDECAR},
    )
    @idempotent_in_steps
    def post(self, request: Request) -> Response:
        """As of `sign`; the file never leaves its caller."""
        assertion = Assertion.parse(as_mapping(request.data, "body"))
        by, within, output_id = caller(request), limits(request), id_for(request)
        output, made = services.beside(assertion, by=by, output_id=output_id, within=within)
        said = {**queries.answer(output), "c2pa": base64.b64encode(made).decode()}
        return Response(said, status=_status(output), headers=_headers(output))


def _status(output: Output) -> int:
    if output.state == State.FAILED:
        raise queries.failure_of(output)
    is_signed = output.state == State.SIGNED
    return status.HTTP_201_CREATED if is_signed else status.HTTP_202_ACCEPTED


def _headers(output: Output) -> dict[str, str]:
    return {"Location": f"{settings.PUBLIC_URL}/api/v1/outputs/{output.pk}"}


def _digest(sha256_hex: str) -> str:
    """As RFC 9530 has it."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256_hex)).decode()}:"
