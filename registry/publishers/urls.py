# SPDX-License-Identifier: Apache-2.0
"""The addresses of trusted publishing."""

from __future__ import annotations

from django.urls import path

from . import pages
from .api import ExchangeView, PublishersView, PublisherView

PAGE = "<str:owner>/<str:project>/settings/publishers"
PROJECT = "api/v1/projects/<str:owner>/<str:project>"

urlpatterns = [
    path(f"{PROJECT}/publishers", PublishersView.as_view(), name="publishers"),
    path(f"{PROJECT}/publishers/<int:publisher_id>", PublisherView.as_view(), name="publisher"),
    path(f"{PROJECT}/publishing-token", ExchangeView.as_view(), name="publishing-token"),
    path(PAGE, pages.publishers, name="publishers-page"),
    path(f"{PAGE}/<int:publisher_id>/remove", pages.remove, name="publisher-remove"),
]
