# SPDX-License-Identifier: Apache-2.0
"""The catalogue over HTTP: projects, checkpoints, evidence, and a person's own upload."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.utils.http import parse_etags, quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing import canonical
from assay.signing.digests import parse_sought
from assay.signing.manifest import Manifest
from registry.accounts import queries as accounts
from registry.accounts import reading
from registry.accounts.permissions import ScopeToWrite
from registry.api.paging import page_size
from registry.api.schema import PAGING, SOUGHT
from registry.api.streamed import Streamed
from registry.idempotency.api import idempotent

from .. import queries, services
from ..content import tensors
from ..models import Checkpoint, Project
from ..models.found import FACETS
from ..queries import digests, searching
from ..queries.searching import Sort, Wanted
from ..services import Submission
from .listed import FoundProjectsSerializer, found
from .serializers import (
    AcknowledgedSerializer,
    CheckpointSerializer,
    KnownSerializer,
    NewCheckpointSerializer,
    ProjectSerializer,
    WholeCheckpointSerializer,
)

WITHIN = OpenApiParameter(
    "project", str, description="owner/name, where several projects have these very files"
)

SEARCHING = [
    OpenApiParameter("q", str, description="words, as on the page /projects"),
    *(OpenApiParameter(name, str, description="a value of this facet") for name in FACETS),
    OpenApiParameter("sort", str, enum=tuple(Sort)),
    *PAGING,
]


class ProjectsView(APIView):
    """Projects, searched and narrowed down."""

    @extend_schema(
        operation_id="projects_list", parameters=SEARCHING, responses=FoundProjectsSerializer
    )
    def get(self, request: Request) -> Response:
        """Those that are like that, with how many there are by facet; counts end at 10,000."""
        given = request.query_params
        limit = page_size(given.get("page_size", ""))
        cursor = given.get("cursor", "")
        wanted = Wanted.parse(given.dict())
        return Response(found(searching.find(wanted, cursor=cursor, limit=limit), request))


class ProjectView(APIView):
    """One project."""

    @extend_schema(operation_id="projects_retrieve_one", responses=ProjectSerializer)
    def get(self, request: Request, owner: str, project: str) -> Response:
        """The project `owner/name`."""
        return Response(ProjectSerializer(project_for(request, owner, project)).data)


class CheckpointsView(ListAPIView[Checkpoint]):
    """A project's checkpoints: GET lists the published ones, POST publishes a person's upload."""

    permission_classes = (ScopeToWrite("publish"),)
    serializer_class = CheckpointSerializer
    queryset = Checkpoint.objects.none()

    def get_queryset(self) -> QuerySet[Checkpoint]:
        owner, project = self.kwargs["owner"], self.kwargs["project"]
        return queries.published_in(project_for(self.request, owner, project))

    @extend_schema(request=NewCheckpointSerializer, responses={202: AcknowledgedSerializer})
    @idempotent
    def post(self, request: Request, owner: str, project: str) -> Response:
        """The files are blobs of the caller's; the answer comes before they are signed."""
        wanted = NewCheckpointSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        with canonical.within("manifest"):
            manifest = Manifest.parse(wanted.validated_data["manifest"])
        submission = Submission(
            user=accounts.caller(request),
            project=project_for(request, owner, project),
            name=wanted.validated_data["name"],
            step=None,
            manifest=manifest,
            holder=accounts.holder_of(request),
        )
        return acknowledged(services.receive(submission))


class CheckpointView(APIView):
    """One checkpoint, by name."""

    @extend_schema(operation_id="checkpoints_by_name", responses=WholeCheckpointSerializer)
    def get(self, request: Request, owner: str, project: str, checkpoint: str) -> Response:
        """The checkpoint `owner/project@name`."""
        viewer = reading.viewer(request, reading.CHECKPOINTS)
        found = queries.checkpoint_named(owner, project, checkpoint, viewer)
        return Response(WholeCheckpointSerializer(found, context={"viewer": viewer}).data)


class CheckpointByIdView(APIView):
    """One checkpoint, by id."""

    @extend_schema(
        operation_id="checkpoints_by_id", parameters=[WITHIN], responses=WholeCheckpointSerializer
    )
    def get(self, request: Request, sha256: str) -> Response:
        """The checkpoint; one that is not published yet only to those who publish it."""
        viewer = reading.viewer(request, reading.CHECKPOINTS)
        found = queries.checkpoint(sha256, viewer, within=_within(request))
        return Response(WholeCheckpointSerializer(found, context={"viewer": viewer}).data)


class EvidenceView(APIView):
    """All that a verifier needs, in one document (docs/spec/formats.md, section 6)."""

    @extend_schema(
        operation_id="checkpoints_evidence", parameters=[WITHIN], responses=OpenApiTypes.OBJECT
    )
    def get(self, request: Request, sha256: str) -> HttpResponse:
        """Canonical bytes, with proofs under the newest tree head."""
        viewer = reading.viewer(request, reading.CHECKPOINTS)
        found = queries.checkpoint(sha256, viewer, within=_within(request))
        evidence = queries.evidence(found)
        return canonical_answer(evidence.canonical(), f"{sha256[:12]}.assay.json", cache="no-cache")


class ManifestView(APIView):
    """The manifest, whose SHA-256 is the id (docs/spec/formats.md, section 1).

    What is shown to some alone is kept by no cache between them and here.
    """

    @extend_schema(operation_id="checkpoints_manifest", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, sha256: str) -> HttpResponse:
        """Canonical bytes, which never change."""
        viewer = reading.viewer(request, reading.CHECKPOINTS)
        found = queries.checkpoint(sha256, viewer)
        cache = "max-age=31536000" if queries.is_everybodys(found) else "private, no-cache"
        return canonical_answer(queries.manifest(found).canonical(), "manifest.json", cache=cache)


class TensorsView(APIView):
    """Every tensor with its digest; the SHA-256 of all lines is what the statement names."""

    @extend_schema(
        operation_id="checkpoints_tensors",
        parameters=[WITHIN],
        responses={(status.HTTP_200_OK, "application/x-ndjson"): OpenApiTypes.STR},
    )
    def get(self, request: Request, sha256: str) -> HttpResponseBase:
        """One line of canonical JSON a tensor, by file and name (docs/spec/formats.md)."""
        viewer = reading.viewer(request, reading.CHECKPOINTS)
        found = queries.checkpoint(sha256, viewer, within=_within(request))
        tag = quote_etag(tensors.signed(found).sha256)
        headers = {"Cache-Control": "private, no-cache", "ETag": tag}
        headers["Content-Disposition"] = f'attachment; filename="{sha256[:12]}.tensors.jsonl"'
        if tag in parse_etags(request.headers.get("If-None-Match", "")):
            return HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
        answer = Streamed(tensors.lines(found), content_type="application/x-ndjson")
        for name, value in headers.items():
            answer[name] = value
        return answer


class ByHashView(APIView):
    """Who published a file, found by its SHA-256."""

    @extend_schema(operation_id="by_hash", parameters=[SOUGHT], responses=KnownSerializer)
    def get(self, request: Request, sought: str) -> Response:
        """Where it was published, by whom, under which conduct, and what was revoked since."""
        viewer = reading.viewer(request, reading.CHECKPOINTS)
        known = digests.known(parse_sought(sought, "sha256"), viewer)
        return Response(KnownSerializer(known).data)


def acknowledged(checkpoint: Checkpoint) -> Response:
    """202 and where to follow the checkpoint; a node's publish is answered alike."""
    body = AcknowledgedSerializer(checkpoint).data
    return Response(body, status=status.HTTP_202_ACCEPTED, headers={"Location": body["url"]})


def project_for(request: Request, owner: str, name: str) -> Project:
    """As this caller may see it, or publish to it by a token for it alone."""
    viewer = reading.viewer(request, reading.CHECKPOINTS)
    return queries.project(owner, name, viewer, bound_to=accounts.bound_to(request))


def _within(request: Request) -> str:
    return request.query_params.get("project", "")


def canonical_answer(content: bytes, name: str, *, cache: str) -> HttpResponse:
    """A canonical document, to be kept as a file."""
    headers = {"Cache-Control": cache, "Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="application/json", headers=headers)
