# SPDX-License-Identifier: Apache-2.0
"""The addresses of signing in by a provider."""

from __future__ import annotations

from django.urls import path

from . import pages

urlpatterns = [
    path("auth/sign-in/<slug:name>", pages.begin, name="auth-begin"),
    path("auth/callback/<slug:name>", pages.callback, name="auth-callback"),
    path("settings/sign-ins", pages.sign_ins, name="sign-ins"),
    path("settings/sign-ins/<int:identity_id>/remove", pages.unlink, name="sign-in-remove"),
    path("auth/name", pages.choose_name, name="auth-name"),
]
