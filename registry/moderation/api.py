# SPDX-License-Identifier: Apache-2.0
"""Reports over HTTP, and the public account of what came of them."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from registry.accounts import queries as accounts
from registry.accounts.permissions import InBrowser
from registry.conduct import queries as conduct
from registry.idempotency.api import idempotent

from . import reporting, subjects, transparency
from .errors import NotFound
from .models import MAX_CLAUSE, MAX_NAME, MAX_WORDS, Case
from .reporting import Accusation


class ReportSerializer(serializers.Serializer[Case]):
    """About what, which clause was broken, and what shows it."""

    about = serializers.CharField(max_length=MAX_NAME, write_only=True)
    policy = serializers.CharField(max_length=64, required=False, write_only=True)
    version = serializers.CharField(max_length=20, required=False, write_only=True)
    clause = serializers.CharField(max_length=MAX_CLAUSE, write_only=True)
    words = serializers.CharField(max_length=MAX_WORDS, write_only=True)
    evidence = serializers.CharField(
        max_length=MAX_WORDS, required=False, allow_blank=True, write_only=True
    )
    case = serializers.UUIDField(source="pk", read_only=True)
    state = serializers.CharField(read_only=True)
    url = serializers.CharField(source="path", read_only=True)


class YearSerializer(serializers.Serializer[transparency.Year]):
    """The account of a year; clauses are `POLICY#CLAUSE`."""

    year = serializers.IntegerField()
    cases = serializers.IntegerField()
    reports = serializers.DictField(child=serializers.IntegerField())
    sanctions = serializers.DictField(child=serializers.IntegerField())
    against = serializers.DictField(child=serializers.IntegerField())
    dismissed = serializers.IntegerField()
    appeals = serializers.IntegerField()
    upheld = serializers.IntegerField()
    lifted = serializers.IntegerField()
    ordered = serializers.IntegerField()
    median_hours = serializers.FloatField(allow_null=True)


class ReportsView(APIView):
    """POST, by a signed-in person: a program's word is nobody's report."""

    permission_classes = (InBrowser,)

    @extend_schema(
        operation_id="reports_create", request=ReportSerializer, responses={201: ReportSerializer}
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """201 with the case that it opened or joined."""
        asked = ReportSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said, by = asked.validated_data, accounts.caller(request)
        subject = subjects.named(said["about"], by)
        rules = subject.rules
        if "policy" in said or "version" in said:
            rules = conduct.version(said.get("policy", ""), said.get("version", ""))
        accusation = Accusation(
            version=rules,
            clause=said["clause"],
            words=said["words"],
            evidence=said.get("evidence", ""),
        )
        case = reporting.report(subject, accusation, by=by)
        return Response(ReportSerializer(case).data, status=status.HTTP_201_CREATED)


class TransparencyView(APIView):
    """Counts by clause and outcome; names are withheld."""

    @extend_schema(
        operation_id="transparency_retrieve",
        parameters=[OpenApiParameter("year", int, description="this year, if not said")],
        responses=YearSerializer,
    )
    def get(self, request: Request) -> Response:
        """The account of `?year=`, for everybody."""
        known = transparency.years(now=timezone.now())
        asked = request.query_params.get("year", str(known[0]))
        year = next((each for each in known if str(each) == asked), None)
        if year is None:
            raise NotFound(f"expected a year from {known[-1]} to {known[0]}, found {asked[:20]!r}")
        return Response(YearSerializer(transparency.of(year)).data)
