# SPDX-License-Identifier: Apache-2.0
"""The addresses of webhooks."""

from __future__ import annotations

from django.urls import path

from . import pages
from .api import DeliveriesView, SecretView, StateView, WebhooksView, WebhookView

ONE = "api/v1/webhooks/<uuid:hook_id>"

urlpatterns = [
    path("settings/webhooks", pages.webhooks, name="webhooks-page"),
    path("settings/webhooks/<uuid:hook_id>", pages.webhook, name="webhook-page"),
    path("api/v1/webhooks", WebhooksView.as_view(), name="webhooks"),
    path(ONE, WebhookView.as_view(), name="webhook"),
    path(f"{ONE}/secret", SecretView.as_view(), name="webhook-secret"),
    path(f"{ONE}/on", StateView.as_view(), name="webhook-on"),
    path(f"{ONE}/deliveries", DeliveriesView.as_view(), name="webhook-deliveries"),
]
