# SPDX-License-Identifier: Apache-2.0
"""The address of the timestamp authority."""

from __future__ import annotations

from django.urls import path

from .api import timestamp

urlpatterns = [path("timestamp", timestamp, name="timestamp")]
