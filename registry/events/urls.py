# SPDX-License-Identifier: Apache-2.0
"""The address of the event stream."""

from __future__ import annotations

from django.urls import path

from .stream import events

urlpatterns = [path("events", events, name="events")]
