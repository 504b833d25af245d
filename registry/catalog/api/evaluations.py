# SPDX-License-Identifier: Apache-2.0
"""Evaluations over HTTP: what was said of a checkpoint, saying something of it, taking it back."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing import canonical
from assay.signing.canonical import as_mapping
from assay.signing.digests import as_id
from assay.signing.statements import Withdrawn
from assay.signing.statements.evaluation import parse_reason
from registry.accounts import queries as accounts
from registry.accounts.permissions import HasScope, ScopeToWrite
from registry.api.paging import CursorPaging
from registry.api.schema import PAGING
from registry.idempotency.api import id_for, idempotent_in_steps

from ..errors import MayNotEvaluate
from ..models import Checkpoint
from ..models.evaluated import Evaluation
from ..queries import evaluations
from ..queries.evaluations import Said, read
from ..services import evaluating
from .projects import canonical_answer, project_for


class MetricSerializer(serializers.Serializer[object]):
    """What was measured, as exact decimals."""

    name = serializers.CharField()
    value = serializers.CharField(help_text='a decimal number as a string, such as "0.2504"')
    standard_error = serializers.CharField(allow_null=True, required=False)


class BenchmarkSerializer(serializers.Serializer[object]):
    """The data that was evaluated on."""

    name = serializers.CharField()
    sha256 = serializers.CharField()


class HarnessSerializer(serializers.Serializer[object]):
    """The program that measured."""

    name = serializers.CharField()
    version = serializers.CharField()
    commit = serializers.CharField(allow_null=True, required=False)


class ConfigSerializer(serializers.Serializer[object]):
    """The digest of the harness's configuration."""

    sha256 = serializers.CharField()


class ResultSerializer(serializers.Serializer[object]):
    """What is handed in; the statement's own parser says what is wrong with it."""

    task = serializers.CharField()
    dataset = BenchmarkSerializer()
    harness = HarnessSerializer()
    config = ConfigSerializer(allow_null=True, required=False)
    metrics = MetricSerializer(many=True)
    evaluated_at = serializers.DateTimeField()
    by = serializers.CharField(
        required=False, help_text="an organisation in whose name it is said; else one's own"
    )


class WithdrawalSerializer(serializers.Serializer[object]):
    """That whoever said it took it back, and why."""

    reason = serializers.ChoiceField(choices=tuple(Withdrawn))


class WithdrawnSerializer(WithdrawalSerializer):
    """And when everybody could see that."""

    at = serializers.DateTimeField()


class EvaluationSerializer(serializers.Serializer[Said]):
    """An evaluation, as it was signed; `evidence` is what `assay verify` reads."""

    id = serializers.UUIDField(source="row.key")
    checkpoint = serializers.CharField(source="row.checkpoint.full_name")
    checkpoint_id = serializers.SerializerMethodField()
    state = serializers.ChoiceField(
        choices=("received", "published", "withdrawn"),
        help_text="published once the ledger includes it",
    )
    by = serializers.CharField(source="row.owner.name")
    is_members = serializers.BooleanField(
        source="row.is_members",
        help_text="whether whoever handed it in acted for the project's owner then",
    )
    task = serializers.CharField(source="claim.result.task")
    dataset = BenchmarkSerializer(source="claim.result.dataset")
    harness = HarnessSerializer(source="claim.result.harness")
    config = serializers.SerializerMethodField()
    metrics = MetricSerializer(source="claim.result.metrics", many=True)
    evaluated_at = serializers.DateTimeField(source="claim.result.evaluated_at")
    published_at = serializers.DateTimeField(source="row.published_at", allow_null=True)
    withdrawn = serializers.SerializerMethodField()
    statement = serializers.CharField(source="row.statement.sha256")
    ledger_index = serializers.IntegerField(source="row.statement.entry.index", allow_null=True)
    url = serializers.SerializerMethodField()
    evidence = serializers.SerializerMethodField()

    def get_checkpoint_id(self, of: Said) -> str:
        return as_id(of.claim.checkpoint_sha256)

    @extend_schema_field(ConfigSerializer(allow_null=True))
    def get_config(self, of: Said) -> dict[str, object] | None:
        digest = of.claim.result.config_sha256
        return None if digest is None else {"sha256": digest}

    @extend_schema_field(WithdrawnSerializer(allow_null=True))
    def get_withdrawn(self, of: Said) -> dict[str, object] | None:
        if of.withdrawal is None or not of.is_withdrawn:
            return None
        return {"reason": of.withdrawal.reason.value, "at": of.row.withdrawn_at}

    def get_url(self, of: Said) -> str:
        return settings.PUBLIC_URL + evaluating.path(of.row)

    def get_evidence(self, of: Said) -> str:
        return f"{self.get_url(of)}/evidence"


class EvaluationPageSerializer(serializers.Serializer[object]):
    """A page of them, the newest first."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = EvaluationSerializer(many=True)


class EvaluationsView(APIView):
    """GET lists them, the newest first; POST hands one in, in the caller's name."""

    permission_classes = (ScopeToWrite("publish"),)

    @extend_schema(
        operation_id="evaluations_list",
        parameters=[*PAGING],
        responses=EvaluationPageSerializer,
    )
    def get(self, request: Request, /, **address: str) -> Response:
        """Of members and of others; what was withdrawn, too."""
        paging = CursorPaging()
        page = paging.paginate_queryset(
            evaluations.rows(_checkpoint(request, **address)), request, view=self
        )
        return paging.get_paginated_response(
            [EvaluationSerializer(each).data for each in read(page or [])]
        )

    @extend_schema(
        operation_id="evaluations_create",
        request=ResultSerializer,
        responses={201: EvaluationSerializer, 202: EvaluationSerializer},
    )
    @idempotent_in_steps
    def post(self, request: Request, /, **address: str) -> Response:
        """201 once the ledger includes it; 202 while it is away."""
        body = dict(as_mapping(request.data, "body"))
        name = canonical.text(body, "by", max_characters=100) if "by" in body else ""
        body.pop("by", None)
        result = evaluating.result_of(body, now=timezone.now())
        of, by = _checkpoint(request, **address), accounts.caller(request)
        is_bound = bool(accounts.bound_to(request))
        owner = evaluating.speaker(by, name, of=of, is_bound=is_bound)
        key, actor = id_for(request), accounts.actor(request)
        made = evaluating.hand_in(result, of=of, by=by, owner=owner, key=key, actor=actor)
        return _made(evaluating.settle(made), status.HTTP_201_CREATED)


class EvaluationView(APIView):
    """One of them."""

    @extend_schema(operation_id="evaluations_retrieve", responses=EvaluationSerializer)
    def get(self, request: Request, evaluation: uuid.UUID, **address: str) -> Response:
        """As it was signed, and whether it was withdrawn."""
        found = evaluations.one(_checkpoint(request, **address), evaluation)
        return Response(_shown(found))


class EvaluationEvidenceView(APIView):
    """All that `assay verify` needs (docs/spec/formats.md, section 6)."""

    @extend_schema(operation_id="evaluations_evidence", responses=OpenApiTypes.OBJECT)
    def get(self, request: Request, evaluation: uuid.UUID, **address: str) -> HttpResponse:
        """Canonical bytes; with the withdrawal, if there is one."""
        found = evaluations.one(_checkpoint(request, **address), evaluation)
        content = evaluations.evidence(found).canonical()
        return canonical_answer(content, f"{found.key}.assay.json", cache="private, no-cache")


class EvaluationWithdrawalView(APIView):
    """POST takes it back: a second statement says so, and nothing is deleted."""

    permission_classes = (HasScope("publish"),)

    @extend_schema(
        operation_id="evaluations_withdraw",
        request=WithdrawalSerializer,
        responses={200: EvaluationSerializer, 202: EvaluationSerializer},
    )
    @idempotent_in_steps
    def post(self, request: Request, /, evaluation: uuid.UUID, **address: str) -> Response:
        """For whoever said it, or acts for them."""
        body = as_mapping(request.data, "body")
        canonical.only(body, "reason")
        reason = parse_reason(body)
        found = evaluations.one(_checkpoint(request, **address), evaluation)
        by, actor = accounts.caller(request), accounts.actor(request)
        if accounts.bound_to(request) and found.owner_id != found.checkpoint.project.owner_id:
            raise MayNotEvaluate("expected what this project's token said, found another's")
        made = evaluating.withdraw(found, reason, by=by, actor=actor)
        return _made(evaluating.settle(made), status.HTTP_200_OK)


def _checkpoint(request: Request, *, owner: str, project: str, checkpoint: str) -> Checkpoint:
    """A published one, or what is left of one, of a project that the caller sees."""
    within = project_for(request, owner, project)
    return evaluations.checkpoint(within, checkpoint)


def _made(row: Evaluation, done: int) -> Response:
    said = _shown(row)
    is_through = row.published_at and (row.withdrawal_id is None or row.withdrawn_at)
    code = done if is_through else status.HTTP_202_ACCEPTED
    return Response(said, status=code, headers={"Location": str(said["url"])})


def _shown(row: Evaluation) -> dict[str, object]:
    (said,) = read([row])
    return dict(EvaluationSerializer(said).data)
