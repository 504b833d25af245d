# SPDX-License-Identifier: Apache-2.0
"""The sign-in form, which says so when a name is locked, and the form for a token."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import queries
from .models import Scope
from .tokens import DEFAULT_DAYS, MAX_DAYS, MAX_LABEL_CHARACTERS, MAX_PROJECTS

# Generation is an operator's alone, and is issued by the command (manage.py token).
SCOPES = (
    (Scope.READ, gettext_lazy("read what you may read")),
    (Scope.PUBLISH, gettext_lazy("publish checkpoints where you may")),
    (Scope.OUTPUTS, gettext_lazy("generate and sign outputs")),
    (Scope.NODE, gettext_lazy("let a machine of yours join runs")),
)


class SignInForm(AuthenticationForm):
    """A wrong name and a wrong password look the same; a lock looks the same for any name."""

    def clean(self) -> dict[str, object]:
        """Django's check, after the lock's."""
        name = self.cleaned_data.get("username") or ""
        if queries.is_locked_out(name, now=timezone.now()):
            raise ValidationError(
                _("Too many wrong passwords. Try again in a quarter of an hour."), code="locked"
            )
        return super().clean()


class TokenForm(forms.Form):
    """What a token is for, what it may do, and for how long."""

    label = forms.CharField(max_length=MAX_LABEL_CHARACTERS)
    scopes = forms.MultipleChoiceField(
        choices=SCOPES,
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.READ, Scope.PUBLISH],
        error_messages={"required": gettext_lazy("Choose at least one.")},
    )
    projects = forms.CharField(required=False, max_length=MAX_PROJECTS * 161)
    days = forms.IntegerField(min_value=1, max_value=MAX_DAYS, initial=DEFAULT_DAYS)

    def clean_projects(self) -> list[str]:
        """Names between spaces or commas; whether they are any is said as for programs."""
        written: str = self.cleaned_data["projects"]
        return written.replace(",", " ").split()
