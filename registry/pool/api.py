# SPDX-License-Identifier: Apache-2.0
"""The pool over HTTP: nodes join, lease runs, report their losses, publish, give them back."""

from __future__ import annotations

import uuid

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from assay.signing import canonical
from assay.signing.canonical import Obj, as_mapping
from assay.signing.digests import as_id
from registry.accounts import queries as accounts
from registry.accounts import services as accounts_services
from registry.accounts.permissions import HasScope
from registry.accounts.queries import Node, Scope, caller
from registry.api.problems import NotFound
from registry.catalog import queries as catalog
from registry.catalog.api.projects import acknowledged
from registry.catalog.api.serializers import AcknowledgedSerializer
from registry.conduct import queries as conduct
from registry.idempotency.api import idempotent, idempotent_in_steps

from . import queries, schema, services
from .leases import LEASE_SECONDS
from .models import Lease, LeaseState
from .recipe import MAX_STEPS

MAX_STATE_CHARACTERS = 40


class NodesView(APIView):
    """POST joins the pool."""

    permission_classes = (HasScope(Scope.NODE),)

    @extend_schema(
        operation_id="nodes_create", request=schema.JOIN_REQUEST, responses={201: schema.NODE}
    )
    @idempotent_in_steps
    def post(self, request: Request) -> Response:
        """The node and its certificates; the same key again is the same node."""
        joining = services.Joining.parse(_body(request))
        joined = services.join(joining, by=caller(request), now=timezone.now())
        node = joined.node
        body = {"id": str(node.id), "uri": node.uri, "chain": list(joined.chain)}
        return Response(body, status=status.HTTP_201_CREATED)


class NodeHeartbeatView(APIView):
    """POST says that the node is there."""

    permission_classes = (HasScope(Scope.NODE),)

    @extend_schema(
        operation_id="nodes_heartbeat_create",
        request=schema.NODE_STATE,
        responses={200: schema.NODE_STATE},
    )
    @idempotent
    def post(self, request: Request, node_id: uuid.UUID) -> Response:
        """Whether it has a lease, as the registry sees it."""
        body = _body(request, "state")
        if "state" in body:
            canonical.text(body, "state", max_characters=MAX_STATE_CHARACTERS)
        node = _node(request, node_id)
        accounts_services.record_sighting(node)
        return Response({"state": "leased" if queries.has_lease(node) else "idle"})


class LeasesView(APIView):
    """POST asks for work."""

    permission_classes = (HasScope(Scope.NODE),)

    @extend_schema(
        operation_id="leases_create",
        request=schema.LEASE_REQUEST,
        responses={201: schema.LEASE, 204: None},
    )
    @idempotent_in_steps
    def post(self, request: Request) -> Response:
        """A run to train, and the checkpoint to go on from; 204 when there is nothing to do."""
        node = _node(request, canonical.text(_body(request, "node"), "node"))
        lease = services.claim(node, now=timezone.now())
        if lease is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(_leased(lease), status=status.HTTP_201_CREATED)


class HeartbeatView(APIView):
    """POST keeps a lease."""

    permission_classes = (HasScope(Scope.NODE),)

    @extend_schema(
        operation_id="leases_heartbeat_create",
        request=schema.HEARTBEAT_REQUEST,
        responses={200: schema.HEARTBEAT},
    )
    @idempotent
    def post(self, request: Request, lease_id: uuid.UUID) -> Response:
        """Whether it is still held, and until when."""
        step = canonical.integer(_body(request, "step"), "step", maximum=MAX_STEPS)
        now = timezone.now()
        lease = services.heartbeat(lease_id, by=caller(request), step=step, now=now)
        is_held = lease.state == LeaseState.ACTIVE and lease.expires_at > now
        state = LeaseState.ACTIVE if is_held else LeaseState.LOST
        return Response({"state": state.value, "expires_at": _instant(lease)})


class LossesView(APIView):
    """POST reports what the last steps cost."""

    permission_classes = (HasScope(Scope.NODE),)

    @extend_schema(
        operation_id="leases_losses_create", request=schema.LOSSES_REQUEST, responses={204: None}
    )
    @idempotent
    def post(self, request: Request, lease_id: uuid.UUID) -> Response:
        """At most 1,000 points; the same again changes nothing."""
        points = services.parse_points(_body(request))
        services.report(lease_id, points, by=caller(request), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class CheckpointsView(APIView):
    """POST publishes a checkpoint of the run."""

    permission_classes = (HasScope(Scope.NODE),)

    @extend_schema(
        operation_id="leases_checkpoints_create",
        request=schema.CHECKPOINT_REQUEST,
        responses={202: AcknowledgedSerializer},
    )
    @idempotent
    def post(self, request: Request, lease_id: uuid.UUID) -> Response:
        """Received, and soon published: poll the checkpoint by its id."""
        submitted = services.Submitted.parse(_body(request))
        now = timezone.now()
        checkpoint = services.submit(lease_id, submitted, by=caller(request), now=now)
        return acknowledged(checkpoint)


class CompleteView(APIView):
    """POST ends the run."""

    permission_classes = (HasScope(Scope.NODE),)

    @extend_schema(operation_id="leases_complete_create", request=None, responses={204: None})
    @idempotent
    def post(self, request: Request, lease_id: uuid.UUID) -> Response:
        """409 as long as the last step's checkpoint is not published."""
        services.complete(lease_id, by=caller(request), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class ReleaseView(APIView):
    """POST gives the run back."""

    permission_classes = (HasScope(Scope.NODE),)

    @extend_schema(operation_id="leases_release_create", request=None, responses={204: None})
    @idempotent
    def post(self, request: Request, lease_id: uuid.UUID) -> Response:
        """Another node may take it at once."""
        services.release(lease_id, by=caller(request), now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


def _body(request: Request, *fields: str) -> Obj:
    """The body's object; with `fields`, no others may be in it."""
    body = as_mapping(request.data, "body")
    if fields:
        canonical.only(body, *fields)
    return body


def _node(request: Request, node_id: uuid.UUID | str) -> Node:
    """The caller's own node; anybody else's is as good as none."""
    node = accounts.node(node_id, owner=caller(request))
    if node is None:
        raise NotFound(f"expected a node of yours, found {str(node_id)[:80]!r}")
    return node


def _leased(lease: Lease) -> dict[str, object]:
    run = lease.run
    return {
        "id": str(lease.id),
        "fence": lease.fence,
        "expires_at": _instant(lease),
        "lease_seconds": LEASE_SECONDS,
        "name_prefix": queries.name_prefix(run),
        "run": {
            "id": str(run.id),
            "project": run.project.full_name,
            "recipe": run.recipe,
            "dataset": {"sha256": run.dataset.sha256, "files": run.dataset.manifest["files"]},
            "conduct": conduct.reference(run.conduct).to_json(),
        },
        "resume": _resume(lease),
    }


def _resume(lease: Lease) -> dict[str, object] | None:
    checkpoint = catalog.latest_of_run(str(lease.run_id))
    if checkpoint is None:
        return None
    return {
        "checkpoint": as_id(checkpoint.manifest_sha256),
        "step": checkpoint.step,
        "files": checkpoint.manifest["files"],
    }


def _instant(lease: Lease) -> str:
    return canonical.instant_text(lease.expires_at)
