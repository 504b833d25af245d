# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI shapes of what is said of pictures."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

from ..detecting import Answer
from ..schema import NAMED
from .looking import SCHEMES

DETECTED = inline_serializer(
    "DetectedPicture",
    {
        "answer": serializers.ChoiceField(choices=[(each.value, each.value) for each in Answer]),
        "says": serializers.CharField(help_text="what the answer is worth, in words"),
        "signed": inline_serializer(
            "DetectedPictureSigned", {**NAMED, "is_exact": serializers.BooleanField()}, many=True
        ),
        "watermark": inline_serializer(
            "DetectedPictureWatermark",
            {
                "is_found": serializers.BooleanField(),
                "p_value": serializers.FloatField(),
                "max_p_value": serializers.FloatField(),
                "key": serializers.CharField(),
                "scheme": serializers.ChoiceField(choices=[(each, each) for each in SCHEMES]),
                "scale": serializers.FloatField(
                    allow_null=True, help_text="beside the picture that was marked"
                ),
                "outputs": inline_serializer("DetectedPictureNumbered", NAMED, many=True),
            },
            allow_null=True,
        ),
        "resembles": inline_serializer(
            "DetectedPictureNear",
            {
                **NAMED,
                "differing_bits": serializers.IntegerField(),
                "of_bits": serializers.IntegerField(),
            },
            many=True,
        ),
    },
)
ALGORITHMS = inline_serializer(
    "SoftBindingAlgorithms",
    {
        "watermarks": serializers.ListField(child=serializers.DictField()),
        "fingerprints": serializers.ListField(child=serializers.DictField()),
    },
)
BINDING = inline_serializer(
    "SoftBindingQuery",
    {"alg": serializers.CharField(), "value": serializers.CharField(help_text="base64")},
)
MATCHES = inline_serializer(
    "SoftBindingMatches",
    {
        "matches": inline_serializer(
            "SoftBindingMatch",
            {
                "manifestId": serializers.CharField(),
                "similarityScore": serializers.IntegerField(
                    required=False, min_value=0, max_value=100
                ),
            },
            many=True,
        )
    },
)
