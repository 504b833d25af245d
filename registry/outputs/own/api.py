# SPDX-License-Identifier: Apache-2.0
"""Callers' own keys over HTTP: certified, told what to sign, and their signatures taken."""

from __future__ import annotations

import uuid

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing import canonical
from assay.signing.canonical import as_mapping, instant_text
from assay.signing.certificates import Chain
from assay.signing.chains import subject_uri
from assay.signing.digests import as_id
from assay.signing.provenance import accepted
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Scope, caller, limits
from registry.authority import services as authority
from registry.idempotency.api import idempotent_in_steps

from .. import queries, schema
from . import services
from .services import OUTPUT, Pictured, Signed, Stated, Wanted


class CertificatesView(APIView):
    """POST certifies a key of the caller's own."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True

    @extend_schema(
        operation_id="outputs_certificates_create",
        request=schema.OWN_KEY,
        responses={201: schema.OWN_CERTIFICATE},
    )
    @idempotent_in_steps
    def post(self, request: Request) -> Response:
        """201 with a certificate for some days, and its issuer's."""
        wanted = Wanted.parse(as_mapping(request.data, "body"))
        chain = services.certify(wanted, by=caller(request), within=limits(request))
        return Response(_shown(chain, wanted), status=status.HTTP_201_CREATED)


class StatementsView(APIView):
    """POST says what a key of the caller's own is to sign."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True

    @extend_schema(
        operation_id="outputs_statements_create",
        request=schema.OWN_STATEMENT_REQUEST,
        responses={200: schema.OWN_STATEMENT},
    )
    @idempotent_in_steps
    def post(self, request: Request) -> Response:
        """Nothing is kept but, under a key, the id that was drawn."""
        stated = Stated.parse(as_mapping(request.data, "body"), output_id=uuid.uuid4())
        payload = services.state(stated, by=caller(request), within=limits(request))
        said = {OUTPUT: str(stated.output), "statement": canonical.base64_text(payload)}
        return Response(said)


class ManifestsView(APIView):
    """POST says what a C2PA manifest by a certificate of the caller's own is to say."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True

    @extend_schema(
        operation_id="outputs_manifests_create",
        request=schema.OWN_MANIFEST_REQUEST,
        responses={200: schema.OWN_MANIFEST},
    )
    @idempotent_in_steps
    def post(self, request: Request) -> Response:
        """Nothing is kept but, under a key, the answer."""
        asked = Pictured.parse(as_mapping(request.data, "body"), output_id=uuid.uuid4())
        found = services.define(asked, by=caller(request), within=limits(request))
        return Response({OUTPUT: str(asked.output), "definition": found})


class OwnView(APIView):
    """POST takes the signature."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True

    @extend_schema(
        operation_id="outputs_own_create",
        request=schema.OWN_SIGNATURE,
        responses={201: schema.OUTPUT, 202: schema.OUTPUT},
    )
    def post(self, request: Request) -> Response:
        """As of `sign`: 201 with the evidence, or 202 while the ledger is away."""
        taken = self._take(request)
        output = queries.outputs().get(pk=taken.data[OUTPUT])
        code, headers = queries.status_of(output), {"Location": queries.location_of(output)}
        return Response(queries.answer(output), status=code, headers=headers)

    @idempotent_in_steps
    def _take(self, request: Request) -> Response:
        signed = Signed.parse(as_mapping(request.data, "body"))
        by, within = caller(request), limits(request)
        output = services.take(signed, by=by, within=within, now=timezone.now())
        return Response({OUTPUT: str(output.pk)})


def _shown(chain: Chain, wanted: Wanted) -> dict[str, object]:
    leaf = chain.leaf
    under = accepted(leaf)
    return {
        "serial": f"{leaf.serial_number:x}",
        "subject": subject_uri(leaf),
        "key": as_id(wanted.key_sha256),
        "conduct": None if under is None else as_id(under),
        "starts_at": instant_text(leaf.not_valid_before_utc),
        "ends_at": instant_text(leaf.not_valid_after_utc),
        "chain": "".join(authority.pems(chain)),
    }
