# SPDX-License-Identifier: Apache-2.0
"""`/v1/…` (docs/spec/openai.md): completions, chats and models, for clients that know only those.

A request is remembered by its Idempotency-Key as one for an output, and answered from the row: a
stream that broke is there again for whoever asks again with the key.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from assay.signing.canonical import as_mapping
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Scope, caller, limits
from registry.api.streamed import Streamed
from registry.catalog import queries as catalog
from registry.catalog.queries import Checkpoint, revisions, seeing
from registry.idempotency.api import id_for, idempotent_in_steps

from .. import queries, services
from . import documents, schema, streaming
from .documents import Answer
from .errors import signed
from .parameters import Asked, Delivery, Form
from .views import View

WAIT_SECONDS = 50.0  # less than the minute after which proxies give up
MAX_LISTED = 100  # their lists have no pages


class _TextView(View):
    """POST asks for a text, in one of the two forms."""

    permission_classes = (HasScope(Scope.OUTPUTS),)
    minds_limits = True
    form: ClassVar[Form]

    def answer(self, request: Request) -> HttpResponseBase:
        """The text and its evidence, whole or as events."""
        begun = self._ask(request)
        output_id = uuid.UUID(begun.data["output"])
        delivery = Delivery.parse(as_mapping(request.data, "body"))
        if delivery.is_streamed:
            events = streaming.events(output_id, self.form, delivery)
            return Streamed(events, content_type=streaming.CONTENT_TYPE, headers=streaming.HEADERS)
        output = services.for_an_end(output_id, seconds=WAIT_SECONDS)
        return Response(Answer(of=signed(output), form=self.form).whole())

    @idempotent_in_steps
    def _ask(self, request: Request) -> Response:
        asked = Asked.parse(as_mapping(request.data, "body"), self.form)
        output = services.ask_by_name(
            asked.model,
            asked.sampling,
            by=caller(request),
            output_id=id_for(request),
            within=limits(request),
        )
        return Response({"output": str(output.pk)})


class CompletionsView(_TextView):
    """POST has a prompt continued."""

    form = Form.COMPLETION

    @extend_schema(
        operation_id="openai_completion_create",
        tags=["openai"],
        request=schema.COMPLETION_REQUEST,
        responses={200: schema.COMPLETION},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """As OpenAI's `completions.create`, of a checkpoint."""
        return self.answer(request)


class ChatView(_TextView):
    """POST has a conversation continued."""

    form = Form.CHAT

    @extend_schema(
        operation_id="openai_chat_create",
        tags=["openai"],
        request=schema.CHAT_REQUEST,
        responses={200: schema.COMPLETION},
    )
    def post(self, request: Request) -> HttpResponseBase:
        """As OpenAI's `chat.completions.create`, of a checkpoint."""
        return self.answer(request)


class ModelsView(View):
    """GET lists what may be asked."""

    @extend_schema(
        operation_id="openai_models_list", tags=["openai"], responses={200: schema.MODELS}
    )
    def get(self, request: Request) -> Response:
        """Of the newest projects those that a text can be asked of, by what `main` is at."""
        del request
        found = [documents.model(each.project.full_name, each) for each in _listed()]
        return Response({"object": "list", "data": found})


class ModelView(View):
    """GET reads one."""

    @extend_schema(
        operation_id="openai_models_retrieve", tags=["openai"], responses={200: schema.MODEL}
    )
    def get(self, request: Request, model: str) -> Response:
        """Any that is public, by `OWNER/PROJECT` or `OWNER/PROJECT@REVISION`."""
        del request
        found = queries.named(model, None)
        queries.check_generatable(found)
        return Response(documents.model(model, found))


def _listed() -> list[Checkpoint]:
    rows = catalog.projects().filter(seeing.files(None), taken_down_at=None)
    newest = list(rows.values_list("pk", flat=True)[:MAX_LISTED])
    heads = revisions.heads(newest)
    found = [heads[key].revision.checkpoint for key in newest if key in heads]
    return [each for each in found if queries.is_generatable(each)]
