# SPDX-License-Identifier: Apache-2.0
"""The addresses of the ledger."""

from __future__ import annotations

from django.urls import path

from . import api, pages

urlpatterns = [
    path("ledger/tree-head", api.tree_head, name="tree-head"),
    path("ledger/entries/<int:index>", pages.entry, name="ledger-entry"),
    path("api/v1/ledger/entries/<int:index>", api.EntryView.as_view(), name="api-ledger-entry"),
]
