# SPDX-License-Identifier: Apache-2.0
"""The addresses of accounts: signing in and out, one's own tokens, organisations' people."""

from __future__ import annotations

from django.urls import path

from . import member_pages, token_pages
from .api import AccountView, TokensView, TokenView, WhoAmIView
from .member_api import MembersView, MemberView, OrganisationsView
from .pages import SignIn, SignOut, settings

urlpatterns = [
    path("login", SignIn.as_view(), name="login"),
    path("logout", SignOut.as_view(), name="logout"),
    path("settings", settings, name="settings"),
    path("settings/tokens", token_pages.tokens, name="token-page"),
    path("settings/tokens/<int:token_id>/revoke", token_pages.revoke, name="token-revoke"),
    path("settings/organisations", member_pages.organisations, name="organisations"),
    path("settings/organisations/<str:name>", member_pages.members, name="members-page"),
    path("api/v1/organisations", OrganisationsView.as_view(), name="organisations-api"),
    path("api/v1/organisations/<str:name>/members", MembersView.as_view(), name="members"),
    path(
        "api/v1/organisations/<str:name>/members/<str:person>",
        MemberView.as_view(),
        name="member",
    ),
    path("api/v1/account", AccountView.as_view(), name="account"),
    path("api/v1/whoami", WhoAmIView.as_view(), name="whoami"),
    path("api/v1/tokens", TokensView.as_view(), name="tokens"),
    path("api/v1/tokens/<int:token_id>", TokenView.as_view(), name="token"),
]
