# SPDX-License-Identifier: Apache-2.0
"""Outputs over HTTP: ask for a text, have digests signed, read; the generation program's side."""

from __future__ import annotations

import uuid

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing import canonical
from assay.signing.canonical import as_mapping
from assay.signing.digests import as_id, parse_sought
from assay.signing.errors import InvalidDocument
from assay.signing.pack import SUFFIX
from assay.signing.statements import Mark
from registry.accounts import reading
from registry.accounts.permissions import HasScope, ScopeToWrite
from registry.accounts.queries import Scope, User, caller, limits
from registry.api.paging import listed
from registry.api.problems import NotFound
from registry.api.schema import PAGING, SOUGHT
from registry.api.warnings import warn
from registry.catalog import queries as catalog
from registry.conduct.errors import NotYours
from registry.idempotency.api import call_of, id_for, idempotent, idempotent_in_steps

from . import asserting, detecting, packing, queries, schema, services, standing, waiting
from .batches import finding
from .generating import LEASE_SECONDS, MAX_REASON_CHARACTERS
from .limits import DetectingRate
from .models import Output
from .pictures import taking
from .pictures.taking import Delivered

MAX_TEXT_CHARACTERS = 4096  # more than any request may ask for; the exact limit is the request's


class OutputsView(APIView):
    """GET lists one's own; POST asks for a text."""

    permission_classes = (ScopeToWrite(Scope.OUTPUTS),)
    minds_limits = True
    reads_own = True

    @extend_schema(
        operation_id="outputs_list",
        parameters=[*PAGING],
        responses={200: schema.OWN},
    )
    def get(self, request: Request) -> Response:
        """All that one asked for, or had signed by itself, the newest first."""
        by = reading.required_signatory(request)
        rows = queries.own(by.person, within=by.projects)
        return listed(self, request, rows, queries.among_own)

    @extend_schema(
        operation_id="outputs_create",
        request=schema.OUTPUT_REQUEST,
        responses={201: schema.OUTPUT, 202: schema.OUTPUT},
    )
    @idempotent_in_steps
    def post(self, request: Request) -> Response:
        """201 with the signed text, or 202 and where it will be if it takes longer than 30 s."""
        wanted = services.Request.parse(as_mapping(request.data, "body"))
        by, within, output_id = caller(request), limits(request), id_for(request)
        output = services.ask(wanted, by=by, output_id=output_id, within=within)
        return _made(services.for_an_end(output.pk, seconds=waiting.ANSWER_SECONDS))


class AssertionsView(APIView):
    """POST has digests signed as the caller's own word."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True

    @extend_schema(
        operation_id="outputs_sign_create",
        request=schema.ASSERTION_REQUEST,
        responses={201: schema.OUTPUT, 202: schema.OUTPUT},
    )
    def post(self, request: Request) -> Response:
        """201 with the evidence, or 202 while the signer or the ledger is away.

        Whoever calls with a token is hardly ever answered here, but with others (serving.py).
        """
        call = call_of(request)
        assertion = services.Assertion.parse(as_mapping(request.data, "body"))
        by, within = caller(request), limits(request)
        asked = asserting.Asked(by=by, within=within, assertion=assertion, call=call)
        (ended,) = asserting.sign((asked,))
        for topic, text in ended.said.items():
            warn(topic, text)
        if isinstance(ended.answer, Exception):
            raise ended.answer
        answer = ended.answer
        return Response(answer.body, status=answer.status, headers=answer.headers)


class OutputView(APIView):
    """GET reads one."""

    @extend_schema(operation_id="outputs_retrieve", responses={200: schema.OUTPUT})
    def get(self, request: Request, output_id: uuid.UUID) -> Response:
        """One's own output, or a sample."""
        by = reading.signatory(request)
        output = queries.output(output_id, by.person, within=by.projects)
        return Response(standing.with_answer(output))


class PackView(APIView):
    """GET reads all that proves one, in one file (docs/spec/evidence-pack.md)."""

    @extend_schema(
        operation_id="outputs_pack",
        parameters=[OpenApiParameter("acceptances", bool, description="Show what you accepted.")],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, output_id: uuid.UUID) -> HttpResponse:
        """Of one's own output, or of a sample; 404 before it is signed.

        `?acceptances=true` puts in what its caller had accepted, for whoever decides for them.
        """
        by = reading.signatory(request)
        output = queries.output(output_id, by.person, within=by.projects)
        shown_by = _shower(request) if "acceptances" in request.query_params else None
        name = f"output-{str(output.id)[:8]}{SUFFIX}"
        headers = {
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        viewer = None if by.projects else by.person  # what is packed besides is of any project
        content = packing.pack(output, viewer, shown_by=shown_by).canonical()
        return HttpResponse(content, content_type="application/zip", headers=headers)


def _shower(request: Request) -> User | None:
    """Who chooses to show what they accepted; an output's token alone does not. None for false."""
    asked = request.query_params["acceptances"]
    if asked not in {"true", "false"}:
        raise InvalidDocument("acceptances", "true or false", ascii(asked[:20]))
    if asked == "false":
        return None
    person = reading.viewer(request, frozenset({Scope.PUBLISH}))
    if person is None:
        raise NotYours("expected a session, or a token with scope publish, to show who accepted")
    return person


class ByContentView(APIView):
    """GET finds signed outputs by the digest of their content."""

    @extend_schema(
        operation_id="outputs_by_content", parameters=[SOUGHT], responses={200: schema.BY_CONTENT}
    )
    def get(self, request: Request, sought: str) -> Response:
        """One's own, and samples; 404 where there are none, which proves nothing."""
        sha256, by = parse_sought(sought, "sha256"), reading.signatory(request)
        shown, has_more = finding.listed(sha256, by)
        if not shown:
            raise NotFound(
                f"expected the digest of a signed output's content, found none with {as_id(sha256)}"
                " that you may see; that proves nothing about it"
            )
        return Response({"sha256": sha256, "outputs": shown, "has_more": has_more})


class DetectView(APIView):
    """POST asks what is known of a text."""

    authentication_classes = ()
    permission_classes = (AllowAny,)  # nothing is changed or kept, and nothing private is told
    throttle_classes = (DetectingRate,)

    @extend_schema(
        operation_id="detect_create", request=schema.QUESTION, responses={200: schema.DETECTED}
    )
    def post(self, request: Request) -> Response:
        """Free and without an account; the text is kept nowhere."""
        question = detecting.Question.parse(as_mapping(request.data, "body"))
        return Response(detecting.to_json(detecting.detect(question.text)))


class WorkView(APIView):
    """POST leases the next request to the generation program."""

    permission_classes = (HasScope(Scope.GENERATION),)

    @extend_schema(
        operation_id="generation_lease_create",
        request=schema.WORK_REQUEST,
        responses={200: schema.WORK, 204: None},
    )
    @idempotent_in_steps
    def post(self, request: Request) -> Response:
        """Waits up to 10 s for one; 204 if none comes."""
        body = as_mapping(request.data, "body")
        canonical.only(body, "node")
        node = canonical.text(body, "node", max_characters=80)
        output = services.for_work(holder=caller(request), node=node, seconds=waiting.WORK_SECONDS)
        if output is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(_work(output))


class CompletionView(APIView):
    """POST delivers a text or a picture; repeating it is safe, as its lease is its key."""

    permission_classes = (HasScope(Scope.GENERATION),)

    @extend_schema(
        operation_id="generation_complete_create",
        request=schema.COMPLETION,
        responses={204: None},
    )
    @idempotent_in_steps
    def post(self, request: Request, lease_id: uuid.UUID) -> Response:
        """What comes is kept before it is signed; if the signer is away, that happens later."""
        body = as_mapping(request.data, "body")
        now, holder = timezone.now(), caller(request)
        if "picture" in body:
            delivered = Delivered.parse(body)
            output = taking.complete(lease_id, delivered, holder=holder, now=now)
        else:
            canonical.only(body, "text", "mark")
            mark = _mark(body)
            output = services.complete(lease_id, _text(body), holder=holder, now=now, mark=mark)
        services.advance(output.pk)
        return Response(status=status.HTTP_204_NO_CONTENT)


class FailureView(APIView):
    """POST says that there will be no text under this lease."""

    permission_classes = (HasScope(Scope.GENERATION),)

    @extend_schema(
        operation_id="generation_fail_create", request=schema.FAILURE, responses={204: None}
    )
    @idempotent
    def post(self, request: Request, lease_id: uuid.UUID) -> Response:
        """Three attempts are made in all."""
        body = as_mapping(request.data, "body")
        canonical.only(body, "reason")
        reason = canonical.text(body, "reason", max_characters=MAX_REASON_CHARACTERS)
        services.fail(lease_id, reason, holder=caller(request), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _made(output: Output) -> Response:
    code, headers = queries.status_of(output), {"Location": queries.location_of(output)}
    return Response(queries.answer(output), status=code, headers=headers)


def _work(output: Output) -> dict[str, object]:
    manifest = catalog.manifest(output.checkpoint)
    return {
        "id": str(output.lease_id),
        "lease_seconds": LEASE_SECONDS,
        "checkpoint": as_id(manifest.id),
        "files": manifest.to_json()["files"],
        **(output.sampling or {}),
    }


def _text(body: canonical.Obj) -> str:
    """May be empty: a model may have nothing to add."""
    value = body.get("text")
    if not isinstance(value, str):
        raise InvalidDocument("text", "a string", type(value).__name__)
    if len(value) > MAX_TEXT_CHARACTERS:
        raise InvalidDocument("text", f"at most {MAX_TEXT_CHARACTERS} characters", str(len(value)))
    return value


def _mark(body: canonical.Obj) -> Mark | None:
    """A program from before there were marks says nothing of one, and makes none."""
    stated = canonical.nullable({"mark": None, **body}, "mark", canonical.mapping)
    with canonical.within("mark"):
        return None if stated is None else Mark.parse(stated)
