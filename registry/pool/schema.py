# SPDX-License-Identifier: Apache-2.0
"""The OpenAPI shapes of what the pool takes and answers; values of their own parse them."""

from __future__ import annotations

from drf_spectacular.utils import inline_serializer
from rest_framework import serializers

FILES = serializers.ListField(
    child=inline_serializer(
        "LeasedFile",
        {
            "name": serializers.CharField(),
            "sha256": serializers.CharField(),
            "size": serializers.IntegerField(),
        },
    )
)
JOIN_REQUEST = inline_serializer(
    "NodeRequest",
    {
        "name": serializers.CharField(max_length=80),
        "csr": serializers.CharField(help_text="a PKCS#10 request for a P-256 key, in PEM"),
        "hardware": serializers.DictField(),
    },
)
NODE = inline_serializer(
    "Node",
    {
        "id": serializers.UUIDField(),
        "uri": serializers.URLField(),
        "chain": serializers.ListField(child=serializers.CharField(), help_text="PEM, leaf first"),
    },
)
NODE_STATE = inline_serializer("NodeState", {"state": serializers.CharField()})
LEASE_REQUEST = inline_serializer("LeaseRequest", {"node": serializers.UUIDField()})
LEASE = inline_serializer(
    "Lease",
    {
        "id": serializers.UUIDField(),
        "fence": serializers.IntegerField(),
        "expires_at": serializers.DateTimeField(),
        "lease_seconds": serializers.IntegerField(),
        "name_prefix": serializers.CharField(
            allow_blank=True, help_text="what the names of the run's checkpoints begin with"
        ),
        "run": inline_serializer(
            "LeasedRun",
            {
                "id": serializers.UUIDField(),
                "project": serializers.CharField(),
                "recipe": serializers.DictField(),
                "dataset": inline_serializer(
                    "LeasedDataset", {"sha256": serializers.CharField(), "files": FILES}
                ),
                "conduct": serializers.DictField(),
            },
        ),
        "resume": inline_serializer(
            "LeasedCheckpoint",
            {
                "checkpoint": serializers.CharField(),
                "step": serializers.IntegerField(),
                "files": FILES,
            },
            allow_null=True,
        ),
    },
)
HEARTBEAT_REQUEST = inline_serializer("LeaseHeartbeatRequest", {"step": serializers.IntegerField()})
HEARTBEAT = inline_serializer(
    "LeaseHeartbeat",
    {
        "state": serializers.CharField(help_text="active, or lost"),
        "expires_at": serializers.DateTimeField(),
    },
)
LOSSES_REQUEST = inline_serializer(
    "LossReport",
    {
        "points": serializers.ListField(
            child=inline_serializer(
                "LossPoint",
                {
                    "step": serializers.IntegerField(),
                    "bytes_seen": serializers.IntegerField(),
                    "train": serializers.CharField(help_text="a decimal, nats per byte"),
                    "validation": serializers.CharField(required=False, allow_null=True),
                    "seconds": serializers.CharField(help_text="a decimal"),
                },
            ),
            max_length=1000,
        )
    },
)
CHECKPOINT_REQUEST = inline_serializer(
    "RunCheckpoint",
    {
        "name": serializers.CharField(),
        "step": serializers.IntegerField(),
        "manifest": serializers.DictField(),
        "statement": serializers.DictField(help_text="the node's DSSE envelope"),
    },
)
