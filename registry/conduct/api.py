# SPDX-License-Identifier: Apache-2.0
"""Conduct over HTTP: a version with its signed statement; accepting it and withdrawing that."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Namespace
from registry.idempotency.api import idempotent_in_steps

from . import queries, services
from .errors import NotYours
from .models import Acceptance


class VersionSerializer(serializers.Serializer[object]):
    """A version: the document that signatures name, the text that people read, the bundle."""

    id = serializers.CharField()
    version = serializers.CharField()
    sha256 = serializers.CharField()
    policy = serializers.JSONField()
    text = serializers.CharField()
    bundle = serializers.JSONField()


class PartySerializer(serializers.Serializer[object]):
    """Who accepts: a name that the caller acts for; without it, the caller's own."""

    owner = serializers.CharField(max_length=39, required=False)


class AcceptanceSerializer(serializers.Serializer[Acceptance]):
    """An acceptance. The ledger has a commitment; `salt` (hexadecimal) opens it."""

    owner = serializers.CharField(source="party.name")
    conduct = serializers.CharField(source="version.__str__")
    statement = serializers.CharField(source="statement.sha256")
    salt = serializers.CharField(source="salt_hex")
    accepted_at = serializers.DateTimeField()


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
        acceptance = services.accept(version, party, person)
        body = AcceptanceSerializer(acceptance).data
        return Response(body, status=status.HTTP_201_CREATED)


class AcceptanceView(APIView):
    """DELETE withdraws a party's acceptance."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, policy: str, number: str, owner: str) -> Response:
        """From now on nothing is signed for the party under this version."""
        version = queries.version(policy, number)
        services.withdraw(version, _party(owner), accounts.caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _party(name: str) -> Namespace:
    party = accounts.namespace(name)
    if party is None:
        raise NotYours(f"expected a name that you act for, found {name[:60]!r}")
    return party
