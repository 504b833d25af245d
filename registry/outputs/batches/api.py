# SPDX-License-Identifier: Apache-2.0
"""Batches over HTTP: many digests signed together, answered with a proof for each."""

from __future__ import annotations

import uuid

from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing.canonical import as_mapping
from assay.signing.digests import parse_sought
from registry.accounts import reading
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Scope, caller, limits
from registry.api.paging import listed
from registry.api.schema import PAGING, SOUGHT_FORM
from registry.api.streamed import Streamed
from registry.conduct.errors import NotAccepted
from registry.idempotency.api import id_for, idempotent_in_steps

from .. import schema
from ..models import Batch, State
from . import queries, services
from .errors import BatchFailed
from .lines import BODY, MEDIA_TYPE, LinesParser, Submission
from .trees import Grown

LINES = {(status.HTTP_200_OK, MEDIA_TYPE): OpenApiTypes.STR}


class BatchesView(APIView):
    """POST has digests signed together, as the caller's own word."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True
    parser_classes = (LinesParser,)
    _grown: Grown | None = None

    @extend_schema(
        operation_id="outputs_batch_create",
        request={MEDIA_TYPE: OpenApiTypes.STR},
        responses={(status.HTTP_201_CREATED, MEDIA_TYPE): OpenApiTypes.STR, 202: schema.BATCH},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """201 with evidence and proofs, a line each; 202 while the signer or the ledger is away.

        What a key remembers is the batch: its proofs are made anew each time.
        """
        batch_id = uuid.UUID(self._take(request).data["batch"])
        services.advance(batch_id)
        return _answer(queries.batches().get(pk=batch_id), self._grown)

    @idempotent_in_steps
    def _take(self, request: Request) -> Response:
        text = str(as_mapping(request.data, "body").get(BODY, ""))  # without a body none is parsed
        submission = Submission.parse(text)
        by, within, batch_id = caller(request), limits(request), id_for(request)
        batch, self._grown = services.take(submission, by=by, batch_id=batch_id, within=within)
        return Response({"batch": str(batch.pk)})


class OwnBatchesView(APIView):
    """GET lists one's own."""

    reads_own = True

    @extend_schema(
        operation_id="outputs_batches_list",
        parameters=[*PAGING],
        responses={200: schema.OWN_BATCHES},
    )
    def get(self, request: Request) -> Response:
        """The newest first, whatever became of them."""
        rows = queries.own(reading.required_signatory(request))
        return listed(self, request, rows, queries.among_own)


class BatchView(APIView):
    """GET reads one."""

    reads_own = True

    @extend_schema(operation_id="outputs_batch_retrieve", responses={200: schema.BATCH})
    def get(self, request: Request, batch_id: uuid.UUID) -> Response:
        """One's own batch, with its evidence once it is signed."""
        return Response(queries.answer(queries.batch(batch_id, reading.signatory(request))))


class ProofsView(APIView):
    """GET reads its proofs."""

    reads_own = True

    @extend_schema(
        operation_id="outputs_batch_proofs_retrieve",
        parameters=[
            OpenApiParameter("sha256", str, pattern=SOUGHT_FORM, description="of one output alone")
        ],
        responses=LINES,
    )
    def get(self, request: Request, batch_id: uuid.UUID) -> HttpResponseBase:
        """As they were answered first; with `sha256` that of one output."""
        found = queries.batch(batch_id, reading.signatory(request))
        if "sha256" not in request.query_params:
            return _lines(found, status.HTTP_200_OK)
        line = queries.proof(found, parse_sought(request.query_params["sha256"], "sha256"))
        return Streamed(iter([line]), content_type=MEDIA_TYPE)


def _answer(batch: Batch, grown: Grown | None) -> HttpResponseBase:
    url = f"/api/v1/outputs/batches/{batch.pk}"
    match State(batch.state):
        case State.SIGNED:
            return _lines(batch, status.HTTP_201_CREATED, grown)
        case State.FAILED if batch.failure == NotAccepted.code:
            raise NotAccepted(batch.reason)
        case State.FAILED:
            raise BatchFailed(batch.reason)
        case State.QUEUED | State.LEASED | State.GENERATED:
            said = queries.answer(batch)
            return Response(said, status=status.HTTP_202_ACCEPTED, headers={"Location": url})


def _lines(batch: Batch, code: int, grown: Grown | None = None) -> Streamed:
    return Streamed(queries.whole(batch, grown), content_type=MEDIA_TYPE, status=code)
