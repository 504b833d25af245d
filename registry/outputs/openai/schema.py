# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI shapes of what OpenAI's clients send and read; parameters.py judges what they ask."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from .parameters import DEFAULT_TOKENS, Form

_ASKED: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "temperature": serializers.FloatField(required=False, min_value=0, max_value=2),
    "seed": serializers.IntegerField(required=False, min_value=0),
    "stream": serializers.BooleanField(required=False),
    "stream_options": serializers.DictField(required=False),
}


def _model() -> serializers.CharField:
    return serializers.CharField(help_text="OWNER/PROJECT or OWNER/PROJECT@REVISION")


def _length(form: Form) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, min_value=1, max_value=1024, default=DEFAULT_TOKENS[form]
    )


COMPLETION_REQUEST = inline_serializer(
    "OpenAICompletionRequest",
    {
        "model": _model(),
        "prompt": serializers.CharField(),
        "max_tokens": _length(Form.COMPLETION),
        **_ASKED,
    },
)
CHAT_REQUEST = inline_serializer(
    "OpenAIChatRequest",
    {
        "model": _model(),
        "messages": serializers.ListField(child=serializers.DictField()),
        "max_completion_tokens": _length(Form.CHAT),
        **_ASKED,
    },
)
COMPLETION = inline_serializer(
    "OpenAICompletion",
    {
        "id": serializers.CharField(),
        "object": serializers.CharField(),
        "created": serializers.IntegerField(),
        "model": serializers.CharField(),
        "system_fingerprint": serializers.CharField(help_text="the checkpoint's id"),
        "choices": serializers.ListField(child=serializers.DictField()),
        "usage": serializers.DictField(),
        "assay": serializers.DictField(help_text="the output, as GET /api/v1/outputs/{id}"),
    },
)
_SHOWN: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "id": serializers.CharField(),
    "object": serializers.CharField(),
    "created": serializers.IntegerField(),
    "owned_by": serializers.CharField(),
    "checkpoint": serializers.CharField(),
    "checkpoint_name": serializers.CharField(),
}
MODEL = inline_serializer("OpenAIModel", _SHOWN)
MODELS = inline_serializer(
    "OpenAIModels",
    {
        "object": serializers.CharField(),
        "data": inline_serializer("OpenAIListed", _SHOWN, many=True),
    },
)
IMAGES_REQUEST = inline_serializer(
    "OpenAIImagesRequest",
    {
        "model": _model(),
        "prompt": serializers.CharField(help_text="one of the checkpoint's labels"),
        "n": serializers.IntegerField(required=False, min_value=1, max_value=4),
        "size": serializers.CharField(
            required=False, help_text="auto (512x512), or what it draws times a whole number"
        ),
        "seed": serializers.IntegerField(required=False, min_value=0),
    },
)
IMAGES = inline_serializer(
    "OpenAIImages",
    {
        "created": serializers.IntegerField(),
        "size": serializers.CharField(),
        "output_format": serializers.CharField(),
        "data": inline_serializer(
            "OpenAIImage",
            {
                "b64_json": serializers.CharField(help_text="a PNG file"),
                "assay": serializers.DictField(help_text="as GET /api/v1/outputs/{id}"),
            },
            many=True,
        ),
    },
)
