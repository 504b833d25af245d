# SPDX-License-Identifier: Apache-2.0
"""What an owner decides of a project over HTTP: the rules that it is under."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts import reading
from registry.accounts.permissions import HasScope
from registry.conduct import queries as conduct

from .. import queries, services
from ..models import Project


class RulesSerializer(serializers.Serializer[Project]):
    """A version of a policy; `sha256` is its document's."""

    id = serializers.CharField(max_length=64, source="conduct.policy_id")
    version = serializers.CharField(max_length=20, source="conduct.version")
    sha256 = serializers.CharField(read_only=True, source="conduct.sha256")


class RulesView(APIView):
    """PUT decides under which conduct version it is published from now on."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(
        operation_id="rules_update", request=RulesSerializer, responses={200: RulesSerializer}
    )
    def put(self, request: Request, owner: str, project: str) -> Response:
        """For owners alone; what is published stays under what it was signed with."""
        wanted = RulesSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        said = wanted.validated_data["conduct"]
        found = queries.project(owner, project, reading.viewer(request, reading.CHECKPOINTS))
        version = conduct.version(said["policy_id"], said["version"])
        by = accounts.person(request)
        return Response(RulesSerializer(services.put_under(found, version, by=by)).data)
