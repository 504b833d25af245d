# SPDX-License-Identifier: Apache-2.0
"""Signing in and out in a browser; the templates are in frontend/templates/accounts."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView

from .forms import SignInForm


class SignIn(LoginView):
    """GET shows the form (`form`, `next`), POST signs in and goes on to `next`."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = False


class SignOut(LogoutView):
    """POST only: a link or an image on another site must not sign anybody out."""
