# SPDX-License-Identifier: Apache-2.0
"""Ledger entries for people, and whose a statement is to read: the log is public, not all it names.

The log itself publishes of every entry its body, which holds digests and the signer's certificate
(docs/spec/http.md). What was said stays with those who may see what it was said of.
"""

from __future__ import annotations

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assay.signing.certificates import Purpose
from registry.accounts import reading
from registry.catalog import queries as catalog
from registry.ledger import queries as ledger
from registry.ledger.errors import NotFound
from registry.outputs import queries as outputs


@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """`ledger/entry.html`: entry, statement, proof, tree_head, tree_size, is_shown.

    If it is: claim and body (JSON), signer, purpose, certificate.
    """
    try:
        statement = ledger.statement_at(index)
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    proof = ledger.proof(index)
    is_shown = may_read(statement, request)
    context = {
        "entry": statement.entry,
        "statement": statement,
        "proof": [digest.hex() for digest in proof.hashes],
        "tree_head": proof.note,
        "tree_size": proof.size,
        "is_shown": is_shown,
        **(_said(statement) if is_shown else {}),
    }
    return render(request, "ledger/entry.html", context)


def may_read(statement: ledger.Statement, request: HttpRequest) -> bool:
    """Whether the caller may see what the statement is about: an output, or a checkpoint."""
    if statement.purpose == Purpose.OUTPUT:
        viewer = reading.viewer(request, reading.OUTPUTS)
        return outputs.visible(viewer).filter(statement=statement).exists()
    return catalog.may_read(statement, reading.viewer(request, reading.CHECKPOINTS))


def _said(statement: ledger.Statement) -> dict[str, object]:
    return {
        "purpose": Purpose(statement.purpose),
        "claim": _pretty(statement.payload),
        "body": _pretty(statement.entry.body),
        "signer": ledger.signatories([statement])[statement.sha256],
        "certificate": ledger.chain(statement).leaf_pem.decode(),
    }


def _pretty(document: bytes | memoryview) -> str:
    return json.dumps(json.loads(bytes(document)), indent=2, ensure_ascii=False)
