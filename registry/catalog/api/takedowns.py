# SPDX-License-Identifier: Apache-2.0
"""What those who run the registry take down, through the API: a project, or one checkpoint."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts.permissions import InBrowser
from registry.accounts.queries import User
from registry.idempotency.api import idempotent

from .. import queries
from ..models import Checkpoint
from ..services import takedowns
from ..services.takedowns import MAX_REASON, Order

MAX_NAMED = 100


class TakedownSerializer(serializers.Serializer[Checkpoint]):
    """Why, which everybody reads on the page; and whether all that has the same weights goes."""

    reason = serializers.CharField(max_length=MAX_REASON)
    everywhere = serializers.BooleanField(default=False)
    elsewhere = serializers.ListField(child=serializers.CharField(), read_only=True)


class ProjectTakedownView(APIView):
    """POST, by a session of those who run the registry."""

    permission_classes = (InBrowser,)

    @extend_schema(request=TakedownSerializer, responses={200: TakedownSerializer})
    @idempotent
    def post(self, request: Request, owner: str, project: str) -> Response:
        """All of it, and nothing is published there again."""
        by = accounts.caller(request)
        takedowns.check_staff(by)
        order = _order(request, by)
        found = queries.any_project(owner, project)
        others = _names(takedowns.elsewhere(found))
        takedowns.take_down_project(found, order)
        return _done(order, others)


class CheckpointTakedownView(APIView):
    """The same for one checkpoint."""

    permission_classes = (InBrowser,)

    @extend_schema(request=TakedownSerializer, responses={200: TakedownSerializer})
    @idempotent
    def post(self, request: Request, owner: str, project: str, checkpoint: str) -> Response:
        """Its bytes are served no more; its page says why."""
        by = accounts.caller(request)
        takedowns.check_staff(by)
        order = _order(request, by)
        found = queries.any_checkpoint(owner, project, checkpoint)
        others = _names(takedowns.elsewhere(found.project, found))
        takedowns.take_down_checkpoint(found, order)
        return _done(order, others)


def _order(request: Request, by: User) -> Order:
    asked = TakedownSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    said = asked.validated_data
    return Order(reason=said["reason"], by=by.actor, is_everywhere=said["everywhere"])


def _names(others: QuerySet[Checkpoint]) -> list[str]:
    return [each.full_name for each in others[:MAX_NAMED]]


def _done(order: Order, others: list[str]) -> Response:
    """`elsewhere` has the same weights: it keeps them up, or went with it."""
    said = {"reason": order.reason, "everywhere": order.is_everywhere, "elsewhere": others}
    return Response(said)
