# SPDX-License-Identifier: Apache-2.0
"""The addresses of the ledger; the page of an entry is site's, who knows what may be shown."""

from __future__ import annotations

from django.urls import path

from . import api

urlpatterns = [
    path("ledger/tree-head", api.tree_head, name="tree-head"),
    path("ledger/entries/<int:index>.tlog-proof", api.tlog_proof, name="tlog-proof"),
    path("api/v1/ledger/entries", api.EntriesView.as_view(), name="api-ledger-entries"),
    path("api/v1/ledger/entries/<int:index>", api.EntryView.as_view(), name="api-ledger-entry"),
]
