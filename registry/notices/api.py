# SPDX-License-Identifier: Apache-2.0
"""Webhooks for programs that a person has signed in with: made, listed, renewed and taken away.

Only in a browser's session, as tokens are: whoever finds a token must not be told of everything
that is private from then on.
"""

from __future__ import annotations

import uuid
from typing import Protocol

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts.permissions import InBrowser
from registry.api.problems import NotFound
from registry.catalog.queries import Project
from registry.idempotency.api import idempotent

from . import queries, services
from .models import MAX_URL, Delivery, Event, Hook
from .services import Wanted

NO_STORE = {"Cache-Control": "no-store"}
MOST_DELIVERIES = 100


class Asked(Protocol):
    """A webhook out of `queries.hooks_of`, which alone says whether its project may be named."""

    project: Project | None
    is_seen: bool


class WebhookSerializer(serializers.ModelSerializer[Hook]):
    """A webhook as its owner sees it."""

    owner = serializers.CharField(source="owner.name", read_only=True)
    project = serializers.SerializerMethodField()

    class Meta:
        model = Hook
        fields = (
            *("id", "owner", "project", "url", "events", "fingerprint"),
            *("created_at", "disabled_at", "reason"),
        )
        read_only_fields = fields

    def get_project(self, hook: Asked) -> str | None:
        """`owner/name`; null for all that the owner has, empty for what may not be seen now."""
        if hook.project is None:
            return None
        return hook.project.full_name if hook.is_seen else ""


class NewWebhookSerializer(serializers.Serializer[Hook]):
    """What is asked for."""

    owner = serializers.CharField(max_length=80)
    project = serializers.CharField(max_length=160, default="", allow_blank=True)
    url = serializers.CharField(max_length=MAX_URL)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=Event.choices), min_length=1, max_length=20
    )


class ShownOnceSerializer(serializers.Serializer[Hook]):
    """The webhook with its secret, which is in this answer and nowhere else."""

    webhook = WebhookSerializer(read_only=True)
    secret = serializers.CharField(read_only=True)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """What was sent, or is to be, and what came back."""

    state = serializers.CharField(read_only=True)

    class Meta:
        model = Delivery
        fields = (
            *("id", "kind", "state", "attempts", "happened_at", "due_at", "tried_at"),
            *("status", "answer"),
        )
        read_only_fields = fields


class WebhooksView(APIView):
    """GET lists, POST makes one."""

    permission_classes = (InBrowser,)

    @extend_schema(operation_id="webhooks_list", responses=WebhookSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One's own, and those of what one owns."""
        found = queries.hooks_of(accounts.caller(request))
        return Response(WebhookSerializer(found, many=True).data)

    @extend_schema(request=NewWebhookSerializer, responses={201: ShownOnceSerializer})
    def post(self, request: Request) -> Response:
        """The secret is in this answer and nowhere else."""
        asked = NewWebhookSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made, secret = services.add(Wanted(**asked.validated_data), by=accounts.caller(request))
        shown = _shown_once(_hook(request, made.pk), secret)
        return Response(shown, status=status.HTTP_201_CREATED, headers=NO_STORE)


class WebhookView(APIView):
    """GET one, DELETE takes it away."""

    permission_classes = (InBrowser,)

    @extend_schema(responses=WebhookSerializer)
    def get(self, request: Request, hook_id: uuid.UUID) -> Response:
        """One of one's own."""
        return Response(WebhookSerializer(_hook(request, hook_id)).data)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, hook_id: uuid.UUID) -> Response:
        """Nothing more is sent there."""
        services.remove(_hook(request, hook_id), by=accounts.caller(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecretView(APIView):
    """POST gives it another secret."""

    permission_classes = (InBrowser,)

    @extend_schema(request=None, responses={200: ShownOnceSerializer})
    def post(self, request: Request, hook_id: uuid.UUID) -> Response:
        """The old one signs nothing from now on."""
        hook = _hook(request, hook_id)
        secret = services.renew(hook, by=accounts.caller(request))
        return Response(_shown_once(hook, secret), headers=NO_STORE)


class StateView(APIView):
    """POST switches it on again."""

    permission_classes = (InBrowser,)

    @extend_schema(request=None, responses=WebhookSerializer)
    @idempotent
    def post(self, request: Request, hook_id: uuid.UUID) -> Response:
        """What waited is sent first."""
        hook = _hook(request, hook_id)
        services.switch_on(hook, by=accounts.caller(request), now=timezone.now())
        return Response(WebhookSerializer(_hook(request, hook_id)).data)


class DeliveriesView(APIView):
    """GET what was sent, POST a ping."""

    permission_classes = (InBrowser,)

    @extend_schema(operation_id="webhook_deliveries", responses=DeliverySerializer(many=True))
    def get(self, request: Request, hook_id: uuid.UUID) -> Response:
        """The newest first, at most 100."""
        found = queries.deliveries_of(_hook(request, hook_id), accounts.caller(request))
        found = found[:MOST_DELIVERIES]
        return Response(DeliverySerializer(found, many=True).data)

    @extend_schema(request=None, responses={201: DeliverySerializer})
    @idempotent
    def post(self, request: Request, hook_id: uuid.UUID) -> Response:
        """A delivery about nothing, to try the address."""
        sent = services.ping(_hook(request, hook_id), by=accounts.caller(request))
        return Response(DeliverySerializer(sent).data, status=status.HTTP_201_CREATED)


def _hook(request: Request, hook_id: uuid.UUID) -> Hook:
    found = queries.hooks_of(accounts.caller(request)).filter(pk=hook_id).first()
    if found is None:
        raise NotFound("expected a webhook of yours, found none")
    return found


def _shown_once(hook: Hook, secret: str) -> dict[str, object]:
    return {"webhook": WebhookSerializer(hook).data, "secret": secret}
