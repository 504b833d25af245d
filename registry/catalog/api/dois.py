# SPDX-License-Identifier: Apache-2.0
"""DOIs over HTTP: what became of a checkpoint's, and asking for it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts import reading
from registry.accounts.permissions import HasScope
from registry.idempotency.api import idempotent

from .. import queries
from ..errors import DoiUnknown, MayNotGovern
from ..models import Checkpoint
from ..queries import dois
from ..queries.dois import Doi, DoiState
from ..services import dois as services


class DoiSerializer(serializers.Serializer[Doi]):
    """Whether it is registered; for one that was refused, why."""

    doi = serializers.CharField()
    url = serializers.CharField(help_text="where it leads once it is registered")
    state = serializers.ChoiceField(choices=DoiState.choices)
    reason = serializers.CharField(help_text="what DataCite said last; else empty")
    registered_at = serializers.DateTimeField(allow_null=True)


class DoiView(APIView):
    """GET says how far it has come; POST asks for it, for good. For owners alone."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(operation_id="doi_retrieve", responses=DoiSerializer)
    def get(self, request: Request, owner: str, project: str, checkpoint: str) -> Response:
        """What was asked for; everybody reads a registered one with the checkpoint."""
        of = _checkpoint(request, owner, project, checkpoint)
        found = dois.of(of)
        if found is None:
            raise DoiUnknown(f"expected a DOI of {of.full_name}, found that none was asked for")
        return Response(DoiSerializer(found).data)

    @extend_schema(
        operation_id="doi_ask",
        request=None,
        responses={200: DoiSerializer, 202: DoiSerializer},
    )
    @idempotent
    def post(self, request: Request, owner: str, project: str, checkpoint: str) -> Response:
        """202 until DataCite has it. It cannot be taken back."""
        of = _checkpoint(request, owner, project, checkpoint)
        made = services.ask(of, by=accounts.person(request))
        is_done = made.state == DoiState.REGISTERED
        code = status.HTTP_200_OK if is_done else status.HTTP_202_ACCEPTED
        return Response(DoiSerializer(made).data, status=code)


def _checkpoint(request: Request, owner: str, project: str, name: str) -> Checkpoint:
    """One that the caller decides for, who is a person; 404 where they may not see it."""
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    found = queries.checkpoint_named(owner, project, name, viewer)
    by = accounts.person(request)
    if not accounts.may_govern(by, found.project.owner):
        raise MayNotGovern(f"expected {owner}, or an owner of it, found {by.username}")
    return found
