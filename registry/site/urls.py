# SPDX-License-Identifier: Apache-2.0
"""The addresses of the site's own pages; every first segment is reserved (accounts/names.py)."""

from __future__ import annotations

from django.urls import path

from . import entries, health, pages, pieces, verifying

urlpatterns = [
    path("", pages.home, name="home"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("welcome/<str:ticket>", pages.welcome, name="welcome"),
    path("site/ask", pages.ask, name="ask"),
    path("site/theme", pages.theme, name="theme"),
    path("site/samples/<uuid:run_id>", pages.samples, name="samples"),
    path("site/losses/<uuid:run_id>", pages.losses, name="losses"),
    path("site/answers/<uuid:output_id>", pages.answer, name="answer"),
    path("outputs/<uuid:output_id>/text", pages.text, name="output-text"),
    path("verify", verifying.verify, name="verify"),
    path("conduct", pages.conduct, name="conduct"),
    path("ledger", pages.ledger, name="ledger"),
    path("ledger/witness", pages.witness, name="ledger-witness"),
    path("ledger/entries/<str:index>.entry", entries.raw, name="ledger-entry-raw"),
    path("ledger/entries/<str:index>.pem", entries.certificate, name="ledger-entry-pem"),
    path("ledger/entries/<str:index>.sig", entries.signature, name="ledger-entry-sig"),
    path("ledger/entries/<str:index>", entries.entry, name="ledger-entry"),
    path("ledger/statements/<str:sha256>/<str:name>", pieces.piece, name="piece"),
    path("conduct/<str:policy_id>/<str:version>/policy.json", pieces.policy, name="policy"),
    path("conduct/<str:policy_id>/<str:version>/text.md", pieces.policy_text, name="policy-text"),
    path(".well-known/assay/root.pem", pieces.root, name="root-pem"),
]
