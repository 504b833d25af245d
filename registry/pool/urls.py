# SPDX-License-Identifier: Apache-2.0
"""The addresses of the pool: nodes, leases, a run's page, and the event stream."""

from __future__ import annotations

from django.urls import path

from . import api, pages

urlpatterns = [
    path("events", pages.events, name="events"),
    path("<str:owner>/<str:project>/runs/<uuid:run_id>", pages.run, name="run"),
    path("api/v1/nodes", api.NodesView.as_view(), name="api-nodes"),
    path(
        "api/v1/nodes/<uuid:node_id>/heartbeat",
        api.NodeHeartbeatView.as_view(),
        name="api-node-heartbeat",
    ),
    path("api/v1/leases", api.LeasesView.as_view(), name="api-leases"),
    path(
        "api/v1/leases/<uuid:lease_id>/heartbeat",
        api.HeartbeatView.as_view(),
        name="api-lease-heartbeat",
    ),
    path("api/v1/leases/<uuid:lease_id>/losses", api.LossesView.as_view(), name="api-lease-losses"),
    path(
        "api/v1/leases/<uuid:lease_id>/checkpoints",
        api.CheckpointsView.as_view(),
        name="api-lease-checkpoints",
    ),
    path(
        "api/v1/leases/<uuid:lease_id>/complete",
        api.CompleteView.as_view(),
        name="api-lease-complete",
    ),
    path(
        "api/v1/leases/<uuid:lease_id>/release",
        api.ReleaseView.as_view(),
        name="api-lease-release",
    ),
]
