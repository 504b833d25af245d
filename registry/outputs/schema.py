# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI shapes of what outputs take and answer; values of their own parse them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers
from rest_framework.serializers import Serializer

from assay.signing.excerpts import MAX_LINES
from registry.api.schema import digest_field, id_field

from .detecting import Answer
from .models import Claim, State

OUTPUT_REQUEST = inline_serializer(
    "OutputRequest",
    {
        "checkpoint": id_field("of a published checkpoint"),
        "prompt": serializers.CharField(help_text="1 to 4,096 bytes of UTF-8"),
        "max_new_bytes": serializers.IntegerField(min_value=1, max_value=1024),
        "temperature": serializers.CharField(help_text="a decimal from 0 to 2, such as 0.7"),
        "seed": serializers.IntegerField(
            required=False, min_value=0, help_text="drawn and recorded if it is not given"
        ),
    },
)
_ASSERTION: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "checkpoint": id_field("of a published checkpoint"),
    "media_type": serializers.CharField(),
    "digests": inline_serializer(
        "OutputDigests",
        {
            "sha256": digest_field("of the exact bytes"),
            "normalised": digest_field("of the UTF-8 of the normalised text", required=False),
            "lines": inline_serializer(
                "OutputLines",
                {
                    "count": serializers.IntegerField(min_value=1, max_value=MAX_LINES),
                    "sha256": digest_field("of the list (formats, section 2.2)"),
                },
                required=False,
            ),
        },
    ),
}
ASSERTION_REQUEST = inline_serializer("OutputAssertion", _ASSERTION)
_OUTPUT: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "id": serializers.UUIDField(),
    "state": serializers.CharField(help_text=", ".join(State.values)),
    "claim": serializers.ChoiceField(choices=Claim.choices),
    "checkpoint": id_field(),
    "media_type": serializers.CharField(),
    "url": serializers.URLField(),
    "request": serializers.DictField(
        allow_null=True, help_text="the document and the salt of the request commitment"
    ),
    "text": serializers.CharField(required=False, allow_null=True),
    "content_url": serializers.URLField(required=False, help_text="where a picture's file is"),
    "evidence": serializers.DictField(required=False, help_text="formats, section 6"),
    "standing": inline_serializer(
        "OutputStanding",
        {
            "state": serializers.CharField(help_text="good, revoked-since, revoked, unknown"),
            "says": serializers.CharField(),
            "proven_before": serializers.DateTimeField(allow_null=True),
            "acceptance_withdrawn_at": serializers.DateTimeField(allow_null=True),
        },
        required=False,
    ),
    "failure": serializers.DictField(required=False),
}
OUTPUT = inline_serializer("Output", _OUTPUT)
SIDECAR = inline_serializer(
    "OutputSidecar",
    {
        **_OUTPUT,
        "c2pa": serializers.CharField(help_text="a C2PA manifest store (JUMBF), in base64"),
    },
)


def _page(name: str, item: Serializer[Any]) -> Serializer[Any]:
    """A page of a list, as `registry.api.paging` answers it."""
    around = {each: serializers.URLField(allow_null=True) for each in ("next", "previous")}
    return inline_serializer(name, {**around, "results": item})


OWN = _page(
    "OwnOutputs",
    inline_serializer(
        "OwnOutput",
        {
            "id": serializers.UUIDField(),
            "url": serializers.URLField(),
            "claim": serializers.ChoiceField(choices=Claim.choices),
            "checkpoint": id_field(),
            "media_type": serializers.CharField(),
            "state": serializers.CharField(),
            "created_at": serializers.DateTimeField(),
            "ended_at": serializers.DateTimeField(
                allow_null=True, help_text="when it was signed, or failed"
            ),
        },
        many=True,
    ),
)
OWN_BATCHES = _page(
    "OwnBatches",
    inline_serializer(
        "OwnBatch",
        {
            "id": serializers.UUIDField(),
            "url": serializers.URLField(),
            "state": serializers.CharField(),
            "checkpoint": id_field(),
            "count": serializers.IntegerField(),
            "created_at": serializers.DateTimeField(),
            "ended_at": serializers.DateTimeField(allow_null=True),
        },
        many=True,
    ),
)
BY_CONTENT = inline_serializer(
    "OutputsByContent",
    {
        "sha256": digest_field(),
        "outputs": inline_serializer(
            "OutputByContent",
            {
                "id": serializers.UUIDField(),
                "url": serializers.URLField(),
                "claim": serializers.ChoiceField(choices=Claim.choices),
                "checkpoint": id_field(),
                "media_type": serializers.CharField(),
                "is_exact": serializers.BooleanField(
                    help_text="false where the digest is of the normalised text alone"
                ),
                "signed_at": serializers.DateTimeField(),
                "batch": serializers.UUIDField(
                    allow_null=True,
                    help_text="of one that was signed in it; then its proof is at `url`",
                ),
            },
            many=True,
        ),
        "has_more": serializers.BooleanField(help_text="whether there are more than are listed"),
    },
)
QUESTION = inline_serializer(
    "DetectRequest", {"text": serializers.CharField(help_text="at most 16 KiB of UTF-8")}
)
NAMED: dict[str, serializers.Field[Any, Any, Any, Any]] = {
    "id": serializers.UUIDField(),
    "url": serializers.URLField(),
    "claim": serializers.ChoiceField(choices=Claim.choices),
    "checkpoint": id_field(),
    "signed_at": serializers.DateTimeField(),
}
DETECTED = inline_serializer(
    "Detected",
    {
        "answer": serializers.ChoiceField(choices=[(each.value, each.value) for each in Answer]),
        "says": serializers.CharField(help_text="what the answer is worth, in words"),
        "signed": inline_serializer(
            "DetectedSigned", {**NAMED, "is_exact": serializers.BooleanField()}, many=True
        ),
        "watermark": inline_serializer(
            "DetectedWatermark",
            {
                "is_found": serializers.BooleanField(),
                "p_value": serializers.FloatField(),
                "max_p_value": serializers.FloatField(),
                "key": serializers.CharField(),
                "places": serializers.IntegerField(),
            },
            allow_null=True,
        ),
        "resembles": inline_serializer(
            "DetectedResembling",
            {**NAMED, "shared": serializers.IntegerField(), "asked": serializers.IntegerField()},
            many=True,
        ),
    },
)
BATCH = inline_serializer(
    "OutputBatch",
    {
        "batch": serializers.UUIDField(),
        "state": serializers.CharField(help_text="generated, signed or failed"),
        "claim": serializers.CharField(),
        "checkpoint": id_field(),
        "count": serializers.IntegerField(),
        "url": serializers.URLField(),
        "evidence": serializers.DictField(required=False, help_text="formats, section 6"),
        "failure": serializers.DictField(required=False),
    },
)
OWN_KEY = inline_serializer(
    "OutputKey",
    {
        "csr": serializers.CharField(help_text="PKCS#10, in PEM, of a P-256 key"),
        "checkpoint": id_field("whose rules you have accepted"),
    },
)
OWN_CERTIFICATE = inline_serializer(
    "OutputCertificate",
    {
        "serial": serializers.CharField(),
        "subject": serializers.CharField(help_text="a person's pseudonym, as in all certificates"),
        "key": id_field("of the SubjectPublicKeyInfo"),
        "conduct": id_field("of the version that was accepted"),
        "starts_at": serializers.DateTimeField(),
        "ends_at": serializers.DateTimeField(),
        "chain": serializers.CharField(help_text="the certificate and its issuer's, in PEM"),
    },
)
OWN_STATEMENT_REQUEST = inline_serializer(
    "OutputStatementRequest",
    {
        **_ASSERTION,
        "output": serializers.UUIDField(required=False, help_text="an id that was given before"),
    },
)
OWN_STATEMENT = inline_serializer(
    "OutputStatement",
    {
        "output": serializers.UUIDField(),
        "statement": serializers.CharField(help_text="canonical bytes, in base64"),
    },
)
OWN_MANIFEST_REQUEST = inline_serializer(
    "OutputManifestRequest",
    {
        "checkpoint": id_field("of a published checkpoint"),
        "media_type": serializers.CharField(help_text="one that a manifest is written into"),
    },
)
OWN_MANIFEST = inline_serializer(
    "OutputManifest",
    {
        "output": serializers.UUIDField(),
        "definition": serializers.DictField(help_text="as c2pa's builders take it"),
    },
)
OWN_SIGNATURE = inline_serializer(
    "OutputSignature",
    {
        **_ASSERTION,
        "output": serializers.UUIDField(),
        "chain": serializers.CharField(help_text="as it was issued"),
        "signature": serializers.CharField(help_text="ECDSA in DER over the DSSE PAE, in base64"),
    },
)
WORK_REQUEST = inline_serializer("GenerationLeaseRequest", {"node": serializers.CharField()})
WORK = inline_serializer(
    "GenerationLease",
    {
        "id": serializers.UUIDField(),
        "lease_seconds": serializers.IntegerField(),
        "checkpoint": id_field(),
        "files": serializers.ListField(child=serializers.DictField()),
        "prompt": serializers.CharField(),
        "max_new_bytes": serializers.IntegerField(required=False),
        "temperature": serializers.CharField(required=False),
        "size": serializers.IntegerField(required=False, help_text="of a picture, in pixels"),
        "seed": serializers.IntegerField(),
    },
)
COMPLETION = inline_serializer(
    "GenerationText",
    {
        "text": serializers.CharField(required=False),
        "picture": serializers.CharField(required=False, help_text="a PNG file, in base64"),
        "fingerprint": serializers.CharField(required=False, help_text="of a picture"),
        "mark": inline_serializer(
            "Watermark",
            {"scheme": serializers.CharField(), "key": serializers.CharField()},
            required=False,
            allow_null=True,
        ),
    },
)
FAILURE = inline_serializer("GenerationFailure", {"reason": serializers.CharField()})
