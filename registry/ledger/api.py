# SPDX-License-Identifier: Apache-2.0
"""The ledger over HTTP: its newest signed tree head, and each entry with its inclusion proof."""

from __future__ import annotations

import base64

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from . import cosigned, queries

NOTE_TYPE = "text/plain; charset=utf-8"

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
