# SPDX-License-Identifier: Apache-2.0
"""Ledger entries for people, of every kind; and whose a statement is to read.

The log itself publishes of every entry its body, which holds digests and the signer's certificate
(docs/spec/http.md). What was said stays with those who may see what it was said of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.serialization import Encoding
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from assay.signing.certificates import Chain, Purpose
from assay.signing.entries import EntryKind
from registry.accounts import reading
from registry.api.problems import NotFound
from registry.authority import revocations
from registry.catalog import queries as catalog
from registry.ledger import certificates
from registry.ledger import queries as ledger
from registry.outputs import queries as outputs
from registry.storage.named import FOR_EVER

from . import bodies, strangers
from .bodies import CertificateEntry, OtherEntry, Role, SignatureEntry

LARGEST_INDEX = 2**63 - 1  # what the database counts to
SERIAL_DIGITS = 40


@require_safe
def entry(request: HttpRequest, index: str) -> HttpResponse:
    """`ledger/entry.html`: entry, proof, tree_head, tree_size, checks, body, and what it is.

    part (the template that says so), mark; statement and is_shown where it is one of ours.
    """
    found = _entry(index)
    if found is None:
        return _none(request, index)
    number = int(index)
    proof = ledger.proof(number)
    context = {
        "entry": found,
        "proof": [digest.hex() for digest in proof.hashes],
        "tree_head": proof.note,
        "tree_size": proof.size,
        "body": _pretty(found.body),
        "checks": (strangers.leaf_hash(number, found.leaf_hash),),
        **_what(found, request),
    }
    return render(request, "ledger/entry.html", context)


@require_safe
def raw(_request: HttpRequest, index: str) -> HttpResponse:
    """The bytes that were logged, as they are."""
    found = _entry(index)
    if found is None:
        raise _no_such(index)
    return _download(bytes(found.body), f"{index}.entry", "application/octet-stream")


@require_safe
def certificate(_request: HttpRequest, index: str) -> HttpResponse:
    """The certificate in an entry, and behind it that of its issuer where it is known (PEM)."""
    found = _entry(index)
    body = bodies.read(bytes(found.body)) if found else OtherEntry()
    if isinstance(body, OtherEntry):
        raise NotFound(f"expected an entry with a certificate, found none at {index[:40]!a}")
    chain = [body.certificate]
    issued = _issued(body)
    if issued is not None:
        chain.append(issued.intermediate)
    pem = b"".join(each.public_bytes(Encoding.PEM) for each in chain)
    # What was only announced gets its issuer's beside it once it is issued.
    return _download(pem, f"{index}.pem", "application/x-pem-file", caching="no-cache")


@require_safe
def signature(_request: HttpRequest, index: str) -> HttpResponse:
    """The signature in an entry (DER)."""
    found = _entry(index)
    body = bodies.read(bytes(found.body)) if found else OtherEntry()
    if not isinstance(body, SignatureEntry):
        raise NotFound(f"expected an entry with a signature, found none at {index[:40]!a}")
    return _download(body.signature, f"{index}.sig", "application/octet-stream")


def may_read(statement: ledger.Statement, request: HttpRequest) -> bool:
    """Whether the caller may see what the statement is about: an output, or a checkpoint.

    Nobody sees what is kept no longer.
    """
    if ledger.is_blank(statement):
        return False
    if statement.purpose == Purpose.OUTPUT:
        viewer = reading.viewer(request, reading.OUTPUTS)
        return outputs.may_read(statement, viewer)
    return catalog.may_read(statement, reading.viewer(request, reading.CHECKPOINTS))


def _entry(index: str) -> ledger.Entry | None:
    """The entry at an index, if it is the index of one."""
    if not (index.isascii() and index.isdigit()) or index != str(int(index[:SERIAL_DIGITS])):
        return None
    return ledger.find(int(index)) if int(index) <= LARGEST_INDEX else None


def _none(request: HttpRequest, index: str) -> HttpResponse:
    """`ledger/no_entry.html`: index, size, last."""
    head = ledger.newest_head()
    size = head.size if head else 0
    context = {"index": index[:SERIAL_DIGITS], "size": size, "last": size - 1}
    return render(request, "ledger/no_entry.html", context, status=404)


def _no_such(index: str) -> NotFound:
    return NotFound(f"expected the index of an entry, found {index[:SERIAL_DIGITS]!a}")


def _what(found: ledger.Entry, request: HttpRequest) -> Mapping[str, object]:
    statement = ledger.statement_of(found)
    if statement is not None:
        is_shown = may_read(statement, request)
        return {
            "part": "ledger/parts/statement.html",
            "statement": statement,
            "is_shown": is_shown,
            **(_said(statement) if is_shown else {}),
        }
    match bodies.read(bytes(found.body)):
        case CertificateEntry() as body:
            return _certified(body, found)
        case SignatureEntry() as body:
            return _signed(body, found)
        case OtherEntry():
            return {"part": "ledger/parts/other.html", "mark": "entry"}


def _said(statement: ledger.Statement) -> Mapping[str, object]:
    return {
        "purpose": Purpose(statement.purpose),
        "claim": _pretty(statement.payload),
        "signer": ledger.signatories([statement])[statement.sha256],
        "certificate": ledger.chain(statement).leaf_pem.decode(),
    }


def _certified(body: CertificateEntry, found: ledger.Entry) -> Mapping[str, object]:
    held = body.certificate
    issued = _issued(body)
    index = found.index or 0
    return {
        "part": "ledger/parts/certificate.html",
        "mark": "certificate",
        "role": body.role,
        "is_issued": issued is not None,
        "is_revoked": revocations.is_revoked(held.serial_number),
        "checks": (
            strangers.leaf_hash(index, found.leaf_hash),
            strangers.certificate(index, has_chain=body.role is not Role.ANNOUNCED or bool(issued)),
        ),
        **_facts(body),
    }


def _signed(body: SignatureEntry, found: ledger.Entry) -> Mapping[str, object]:
    index = found.index or 0
    return {
        "part": "ledger/parts/signature.html",
        "mark": "signature",
        "kind": body.kind,
        "sha256": body.sha256,
        "checks": (
            strangers.leaf_hash(index, found.leaf_hash),
            strangers.certificate(index, has_chain=_issued(body) is not None),
            *((strangers.signature(index),) if body.kind is EntryKind.HASHED else ()),
        ),
        **_facts(body),
    }


def _issued(body: CertificateEntry | SignatureEntry) -> Chain | None:
    """The certificate of this serial number with its issuer's, if it was issued."""
    row = certificates.find(f"{body.certificate.serial_number:x}")
    return certificates.chain_of(row) if row else None


def _facts(body: CertificateEntry | SignatureEntry) -> Mapping[str, object]:
    held = body.certificate
    return {
        "subject": bodies.subject(held),
        "issuer": bodies.common_name(held.issuer),
        "serial": f"{held.serial_number:x}",
        "starts_at": held.not_valid_before_utc,
        "ends_at": held.not_valid_after_utc,
        "purpose": bodies.purpose(held),
        "conduct": bodies.conduct_sha256(held),
        "pem": held.public_bytes(Encoding.PEM).decode(),
    }


def _download(
    content: bytes, name: str, media_type: str, *, caching: str = FOR_EVER
) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": caching}
    return HttpResponse(content, content_type=media_type, headers=headers)


def _pretty(document: bytes | memoryview) -> str:
    """JSON over several lines; what is none, in hexadecimal."""
    try:
        return json.dumps(json.loads(bytes(document)), indent=2, ensure_ascii=False)
    except ValueError:
        return bytes(document).hex(" ", -2)
