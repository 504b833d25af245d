# SPDX-License-Identifier: Apache-2.0
"""Conduct over HTTP: a version with its statement; accepting it, reading that, withdrawing it."""

from __future__ import annotations

import re

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing import canonical
from assay.signing.statements import Consent
from registry.accounts import queries as accounts
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Namespace
from registry.idempotency.api import idempotent_in_steps

from . import proving, queries, services
from .errors import NotFound, NotYours
from .models import Acceptance

UNKEPT = {"Cache-Control": "private, no-store"}  # it has the salt
_DIGITS = re.compile(r"[0-9]{1,18}")  # as many as a column of the ledger holds


class VersionSerializer(serializers.Serializer[object]):
    """A version: the document that signatures name, the text that people read, the bundle."""

    id = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField()
    policy = serializers.JSONField()
    text = serializers.CharField()
    bundle = serializers.JSONField()


class PartySerializer(serializers.Serializer[object]):
    """Who accepts: a name that the caller acts for; without it, the caller's own.

    `consent` is what a key of the party's own signed (docs/spec/formats.md, section 2).
    """

    owner = serializers.CharField(max_length=39, required=False)
    consent = serializers.JSONField(required=False)


class ConsentSerializer(serializers.Serializer[object]):
    """What a key of the party's own signed: a DSSE envelope, the key in DER, and its SHA-256."""

    envelope = serializers.JSONField()
    key = serializers.CharField()
    key_sha256 = serializers.CharField()


class AcceptanceSerializer(serializers.Serializer[Acceptance]):
    """An acceptance. The ledger has commitments; `salt` (hexadecimal) opens them."""

    owner = serializers.CharField(source="party.name")
    conduct = serializers.CharField(source="version.__str__")
    statement = serializers.CharField(source="statement.sha256")
    salt = serializers.CharField(source="salt_hex")
    accepted_at = serializers.DateTimeField()
    consent = serializers.SerializerMethodField()

    @extend_schema_field(ConsentSerializer(allow_null=True))
    def get_consent(self, of: Acceptance) -> dict[str, object] | None:
        """What the party signed, with the key and its fingerprint; null where it has none."""
        signed = of.signed
        return None if signed is None else {**signed.to_json(), "key_sha256": signed.key_sha256}


class VersionView(APIView):
    """One version of a policy."""

    @extend_schema(operation_id="conduct_retrieve", responses=VersionSerializer)
    def get(self, request: Request, policy: str, number: str) -> Response:
        """What the version says, and the registry's signed statement that it is in effect."""
        found = queries.version(policy, number)
        return Response(
            {
                "id": found.policy_id,
                "version": found.version,
                "sha256": found.sha256,
                "policy": found.document,
                "text": found.text,
                "bundle": queries.bundle(found).to_json(),
            }
        )


class AcceptancesView(APIView):
    """POST accepts the version in the name of a party that the caller acts for."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(request=PartySerializer, responses={201: AcceptanceSerializer})
    @idempotent_in_steps  # the same again finds the acceptance that is there
    def post(self, request: Request, policy: str, number: str) -> Response:
        """The party's live acceptance: made now, or the one that is there."""
        version = queries.version(policy, number)
        wanted = PartySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        person = accounts.caller(request)
        party = _party(wanted.validated_data.get("owner", person.username))
        given = wanted.validated_data.get("consent")
        with canonical.within("consent"):
            consent = None if given is None else Consent.parse(given)
        acceptance = services.accept(version, party, person, consent)
        body = AcceptanceSerializer(acceptance).data
        return Response(body, status=status.HTTP_201_CREATED)


class AcceptanceView(APIView):
    """GET has a party's acceptance, DELETE withdraws it."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(operation_id="conduct_acceptance_retrieve", responses=AcceptanceSerializer)
    def get(self, request: Request, policy: str, number: str, owner: str) -> Response:
        """The newest one that was not withdrawn, for whoever decides for the party."""
        version, party = queries.version(policy, number), _party(owner)
        if not accounts.may_govern(accounts.caller(request), party):
            raise NotYours(f"expected a name that you decide for, found {owner[:60]!r}")
        found = queries.live_acceptance(party, version)
        if found is None:
            raise NotFound(f"expected a live acceptance of {version} by {party.name}, found none")
        return Response(AcceptanceSerializer(found).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, policy: str, number: str, owner: str) -> Response:
        """From now on nothing is signed for the party under this version."""
        version = queries.version(policy, number)
        services.withdraw(version, _party(owner), accounts.caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class AcceptanceEvidenceView(APIView):
    """GET has what a party shows of an acceptance, to be held to what it signed by it."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(
        operation_id="conduct_acceptance_evidence",
        parameters=[OpenApiParameter("before", int, description="An entry of the ledger.")],
        responses={200: OpenApiTypes.OBJECT},
    )
    def get(self, request: Request, policy: str, number: str, owner: str) -> HttpResponse:
        """For whoever decides for the party; 409 `not-included` while the ledger has no proof."""
        version, party = queries.version(policy, number), _party(owner)
        if not accounts.may_govern(accounts.caller(request), party):
            raise NotYours(f"expected a name that you decide for, found {owner[:60]!r}")
        before = request.query_params.get("before")
        found = proving.evidence(party, version, before=None if before is None else _entry(before))
        return HttpResponse(found.canonical(), content_type="application/json", headers=UNKEPT)


def _entry(asked: str) -> int:
    number = int(asked) if _DIGITS.fullmatch(asked) else asked
    return canonical.integer({"before": number}, "before")


def _party(name: str) -> Namespace:
    party = accounts.namespace(name)
    if party is None:
        raise NotYours(f"expected a name that you act for, found {name[:60]!r}")
    return party
