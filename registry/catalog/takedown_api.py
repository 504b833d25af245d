# SPDX-License-Identifier: Apache-2.0
"""What those who run the registry take down, through the API: a project, or one checkpoint."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts.permissions import InBrowser
from registry.idempotency.api import idempotent

from . import queries, takedowns
from .models import Checkpoint
from .takedowns import MAX_REASON


class TakedownSerializer(serializers.Serializer[Checkpoint]):
    """Why; everybody reads it on the page."""

    reason = serializers.CharField(max_length=MAX_REASON)


class ProjectTakedownView(APIView):
    """POST, by a session of those who run the registry."""

    permission_classes = (InBrowser,)

    @extend_schema(request=TakedownSerializer, responses={200: TakedownSerializer})
    @idempotent
    def post(self, request: Request, owner: str, project: str) -> Response:
        """All of it, and nothing is published there again."""
        by = accounts.caller(request)
        takedowns.check_staff(by)
        asked = _asked(request)
        found = queries.any_project(owner, project)
        takedowns.take_down_project(found, asked["reason"], by=by.actor)
        return Response(asked)


class CheckpointTakedownView(APIView):
    """The same for one checkpoint."""

    permission_classes = (InBrowser,)

    @extend_schema(request=TakedownSerializer, responses={200: TakedownSerializer})
    @idempotent
    def post(self, request: Request, owner: str, project: str, checkpoint: str) -> Response:
        """Its bytes are served no more; its page says why."""
        by = accounts.caller(request)
        takedowns.check_staff(by)
        asked = _asked(request)
        found = queries.any_checkpoint(owner, project, checkpoint)
        takedowns.take_down_checkpoint(found, asked["reason"], by=by.actor)
        return Response(asked)


def _asked(request: Request) -> dict[str, str]:
    asked = TakedownSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return {"reason": asked.validated_data["reason"]}
