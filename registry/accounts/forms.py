# SPDX-License-Identifier: Apache-2.0
"""The sign-in form: Django's, and it says so when a name is locked."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from . import queries


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
