# SPDX-License-Identifier: Apache-2.0
"""The ledger over HTTP: its newest signed tree head, and each entry with its inclusion proof."""

from __future__ import annotations

import base64

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing.digests import as_id
from registry.api.paging import CursorPaging
from registry.api.problems import InvalidRequest

from . import cosigned, queries

MAX_NAME = 80  # more than a name has: what is longer is nobody's
NOTE_TYPE = "text/plain; charset=utf-8"

SIGNER = OpenApiParameter(
    "signer", str, required=True, description="an organisation, or a person who consented"
)
ENTRY = inline_serializer(
    "LedgerEntry",
    {
        "index": serializers.IntegerField(),
        "leaf_hash": serializers.CharField(help_text="SHA-256 of 0x00 and the body"),
        "body": serializers.CharField(help_text="base64 of the canonical dsse/0.0.1 body"),
        "proof": inline_serializer(
            "LedgerInclusion",
            {
                "tree_size": serializers.IntegerField(),
                "hashes": serializers.ListField(child=serializers.CharField()),
            },
        ),
        "tree_head": serializers.CharField(help_text="C2SP signed note"),
    },
)


@require_safe
def tree_head(request: HttpRequest) -> HttpResponse:
    """The newest signed tree head, a C2SP note with the cosignatures of its witnesses."""
    del request
    note = cosigned.note(queries.tree_head())
    return HttpResponse(note, content_type=NOTE_TYPE, headers={"Cache-Control": "no-cache"})


@require_safe
def tlog_proof(request: HttpRequest, index: int) -> HttpResponse:
    """The C2SP tlog-proof of one entry: a better one takes its place once witnesses have signed."""
    del request
    headers = {
        "Cache-Control": "no-cache",
        "Content-Disposition": f'attachment; filename="{index}.tlog-proof"',
    }
    return HttpResponse(queries.tlog_proof(index), content_type=NOTE_TYPE, headers=headers)


class FoundSerializer(serializers.Serializer[queries.Statement]):
    """An entry as a search finds it; what was said and the proof are at the entry's own address."""

    index = serializers.IntegerField()
    statement = serializers.SerializerMethodField(help_text="`sha256:…`")
    predicate_type = serializers.CharField()
    logged_at = serializers.DateTimeField(source="created_at")

    def get_statement(self, found: queries.Statement) -> str:
        """The digest as it is printed."""
        return as_id(found.sha256)


class Newest(CursorPaging):
    """By the place in the ledger, which is a moment in time."""

    ordering = "-index"


class EntriesView(ListAPIView[queries.Statement]):
    """What a person or an organisation signed; nobody, and who did not consent, answer alike."""

    permission_classes = (AllowAny,)
    serializer_class = FoundSerializer
    pagination_class = Newest
    queryset = queries.Statement.objects.none()

    @extend_schema(operation_id="ledger_entries_list", parameters=[SIGNER])
    def get(self, request: Request, *args: object, **kwargs: object) -> Response:
        """The newest first."""
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[queries.Statement]:
        signer = self.request.query_params.get("signer", "")
        if not signer:
            raise InvalidRequest("expected ?signer= with a name, found none")
        return queries.signed_by(signer[:MAX_NAME].strip().lower())


class EntryView(APIView):
    """One entry, and the proof that a signed tree head includes it."""

    @extend_schema(operation_id="ledger_entries_retrieve", responses={200: ENTRY})
    def get(self, request: Request, index: int) -> Response:
        """The entry at this index."""
        entry = queries.entry(index)
        proof = queries.proof(index)
        return Response(
            {
                "index": index,
                "leaf_hash": entry.leaf_hash,
                "body": base64.b64encode(bytes(entry.body)).decode(),
                "proof": {
                    "tree_size": proof.size,
                    "hashes": [digest.hex() for digest in proof.hashes],
                },
                "tree_head": proof.note,
            }
        )
