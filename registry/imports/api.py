# SPDX-License-Identifier: Apache-2.0
"""Imports for programs: asked for, and followed by who asked."""

from __future__ import annotations

import uuid

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing.digests import as_id
from registry.accounts import queries as accounts
from registry.accounts.permissions import HasScope
from registry.catalog import queries as catalog
from registry.catalog.queries import Project
from registry.idempotency.api import idempotent

from . import queries, services
from .models import MAX_NAME, MAX_SOURCE_NAME, Import, State

MOST_LISTED = 100
DIGEST = r"^sha256:[0-9a-f]{64}$"


class NewImportSerializer(serializers.Serializer[Import]):
    """What is to be converted: bytes that were sent as a blob before."""

    sha256 = serializers.RegexField(DIGEST)
    name = serializers.CharField(max_length=MAX_SOURCE_NAME, help_text="of the file: .pt, .bin, …")
    to = serializers.CharField(max_length=MAX_NAME, default="model.safetensors")


class ImportSerializer(serializers.ModelSerializer[Import]):
    """An import as who asked for it sees it."""

    state = serializers.CharField(help_text="waiting, converted, done or refused")
    origin = serializers.SerializerMethodField()
    result = serializers.SerializerMethodField()
    revision = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()
    to = serializers.CharField(source="name")

    class Meta:
        model = Import
        fields = (
            *("id", "state", "reason", "origin", "to", "result", "revision", "url"),
            *("created_at", "ended_at"),
        )
        read_only_fields = fields

    def get_origin(self, of: Import) -> dict[str, str]:
        """The file's name and digest."""
        return {"name": of.source_name, "sha256": as_id(of.source_sha256)}

    def get_result(self, of: Import) -> dict[str, str | int | None] | None:
        """Digest and length of the safetensors file, once there is one."""
        if not of.result_sha256:
            return None
        return {"sha256": as_id(of.result_sha256), "size": of.result_bytes}

    def get_revision(self, of: Import) -> str:
        """The oid, once it is published."""
        return of.oid if of.state == State.DONE else ""

    def get_url(self, of: Import) -> str:
        """Where to follow it."""
        return f"{settings.PUBLIC_URL}/api/v1/projects/{of.project.full_name}/imports/{of.pk}"


class ImportsView(APIView):
    """GET lists the caller's own, POST asks for one."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(operation_id="imports_list", responses=ImportSerializer(many=True))
    def get(self, request: Request, owner: str, project: str) -> Response:
        """The newest."""
        person, holder = accounts.caller(request), accounts.holder_of(request)
        rows = queries.imports(_project(request, owner, project), person, holder)
        return Response(ImportSerializer(rows[:MOST_LISTED], many=True).data)

    @extend_schema(request=NewImportSerializer, responses={202: ImportSerializer})
    @idempotent
    def post(self, request: Request, owner: str, project: str) -> Response:
        """From here on nobody is given the bytes; what comes of them is a commit to `main`."""
        wanted = NewImportSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        row = services.ask(
            services.Wanted(
                user=accounts.caller(request),
                holder=accounts.holder_of(request),
                project=_project(request, owner, project),
                sha256=wanted.validated_data["sha256"].removeprefix("sha256:"),
                source_name=wanted.validated_data["name"],
                name=wanted.validated_data["to"],
            )
        )
        body = ImportSerializer(row).data
        return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": body["url"]})


class ImportView(APIView):
    """One import."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(operation_id="imports_retrieve", responses=ImportSerializer)
    def get(self, request: Request, owner: str, project: str, import_id: uuid.UUID) -> Response:
        """How far it has come."""
        within = _project(request, owner, project)
        person, holder = accounts.caller(request), accounts.holder_of(request)
        found = queries.one(within, person, import_id, holder)
        return Response(ImportSerializer(found).data)


def _project(request: Request, owner: str, name: str) -> Project:
    bound_to = accounts.bound_to(request)
    return catalog.project(owner, name, accounts.caller(request), bound_to=bound_to)
