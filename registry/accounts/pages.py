# SPDX-License-Identifier: Apache-2.0
"""Signing in and out in a browser, and one's own settings (frontend/templates/accounts)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from . import queries, services
from .forms import SignInForm
from .models import User


class SignIn(LoginView):
    """GET shows the form (`form`, `next`), POST signs in and goes on to `next`."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = False


class SignOut(LogoutView):
    """POST only: a link or an image on another site must not sign anybody out."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """`accounts/settings.html` (`person`, `uses`); POST `findable` is yes or no to being found."""
    person = request.user
    if not isinstance(person, User):
        raise TypeError("expected a view that demands a sign-in")
    if request.method == "POST":
        services.set_findable(person, is_findable=request.POST.get("findable") == "yes")
        return redirect("settings")
    return render(
        request, "accounts/settings.html", {"person": person, "uses": queries.uses(person)}
    )
