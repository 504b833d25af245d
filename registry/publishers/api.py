# SPDX-License-Identifier: Apache-2.0
"""A project's publishers, named by a person in a browser; and the exchange that jobs ask for."""

from __future__ import annotations

from dataclasses import asdict

from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts.permissions import InBrowser
from registry.api.problems import NotFound
from registry.catalog import queries as catalog
from registry.catalog.errors import MayNotPublish
from registry.catalog.queries import Project
from registry.oidc.tokens import MAX_TOKEN_CHARACTERS

from . import queries, services
from .limits import Rate
from .models import MAX_SUBJECT, Publisher
from .services import MAX_CLAIM_CHARACTERS, Description


class PublisherSerializer(serializers.ModelSerializer[Publisher]):
    """A publisher as its project shows it."""

    named_by = serializers.CharField(source="named_by.username", read_only=True)
    claims = serializers.DictField(
        child=serializers.CharField(max_length=MAX_CLAIM_CHARACTERS), default=dict
    )
    issuer = serializers.CharField(max_length=400)
    subject = serializers.CharField(max_length=MAX_SUBJECT)

    class Meta:
        model = Publisher
        fields = ("id", "issuer", "subject", "claims", "named_by", "created_at")
        read_only_fields = ("id", "created_at")


class ExchangeSerializer(serializers.Serializer[Publisher]):
    """What a job sends."""

    identity_token = serializers.CharField(max_length=MAX_TOKEN_CHARACTERS)


class PublishersView(APIView):
    """GET lists, POST names one: for those who act for the owner."""

    permission_classes = (InBrowser,)

    @extend_schema(operation_id="publishers_list", responses=PublisherSerializer(many=True))
    def get(self, request: Request, owner: str, project: str) -> Response:
        """The project's publishers."""
        found = queries.publishers_of(_project(request, owner, project))
        return Response(PublisherSerializer(found, many=True).data)

    @extend_schema(request=PublisherSerializer, responses={201: PublisherSerializer})
    def post(self, request: Request, owner: str, project: str) -> Response:
        """Name one."""
        wanted = PublisherSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        publisher = services.name(
            _project(request, owner, project),
            Description(**wanted.validated_data),
            by=accounts.caller(request),
        )
        return Response(PublisherSerializer(publisher).data, status=status.HTTP_201_CREATED)


class PublisherView(APIView):
    """DELETE takes it back."""

    permission_classes = (InBrowser,)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, owner: str, project: str, publisher_id: int) -> Response:
        """What its jobs hold opens nothing any more."""
        found = queries.publishers_of(_project(request, owner, project))
        publisher = found.filter(pk=publisher_id).first()
        if publisher is None:
            raise NotFound("expected one of the project's publishers, found none")
        services.remove(publisher, by=accounts.caller(request), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ExchangeView(APIView):
    """POST an identity token of a CI job; the answer holds a secret for fifteen minutes."""

    authentication_classes = ()
    permission_classes = (AllowAny,)  # the identity token says who asks
    throttle_classes = (Rate,)

    @extend_schema(
        operation_id="publishing_exchange",
        request=ExchangeSerializer,
        responses={
            201: inline_serializer(
                "PublishingToken",
                {
                    "secret": serializers.CharField(),
                    "project": serializers.CharField(),
                    "expires_at": serializers.DateTimeField(),
                },
            )
        },
    )
    def post(self, request: Request, owner: str, project: str) -> Response:
        """The secret is in this answer and nowhere else."""
        asked = ExchangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        token = asked.validated_data["identity_token"]
        given = services.exchange_for(owner, project, token, now=timezone.now())
        body = asdict(given)
        headers = {"Cache-Control": "no-store"}
        return Response(body, status=status.HTTP_201_CREATED, headers=headers)


def _project(request: Request, owner: str, project: str) -> Project:
    found = catalog.project(owner, project, accounts.caller(request))
    if not accounts.may_publish(accounts.caller(request), found.owner):
        raise MayNotPublish(f"expected somebody who acts for {found.owner.name!r}")
    return found
