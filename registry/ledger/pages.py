# SPDX-License-Identifier: Apache-2.0
"""The page of one ledger entry, for people: what was logged, by whom, and its proof."""

from __future__ import annotations

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assay.signing.certificates import Purpose

from . import queries
from .errors import NotFound


@require_safe
def entry(request: HttpRequest, index: int) -> HttpResponse:
    """`ledger/entry.html`: entry, statement, claim and body (JSON), signer, proof, tree_head."""
    try:
        statement = queries.statement_at(index)
    except NotFound as error:
        raise Http404(str(error.detail)) from error
    proof = queries.proof(index)
    chain = queries.chain(statement)
    context = {
        "entry": statement.entry,
        "statement": statement,
        "purpose": Purpose(statement.purpose),
        "claim": _pretty(statement.payload),
        "body": _pretty(statement.entry.body),
        "signer": queries.signer_uri(statement),
        "certificate": chain.leaf_pem.decode(),
        "proof": [digest.hex() for digest in proof.hashes],
        "tree_head": proof.note,
        "tree_size": proof.size,
    }
    return render(request, "ledger/entry.html", context)


def _pretty(document: bytes | memoryview) -> str:
    return json.dumps(json.loads(bytes(document)), indent=2, ensure_ascii=False)
