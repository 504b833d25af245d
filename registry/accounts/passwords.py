# SPDX-License-Identifier: Apache-2.0
"""Signing in with a password: slow to guess, limited in memory, and locked after five failures."""

from __future__ import annotations

import threading

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

from . import queries
from .models import SignInFailure, User
from .names import MAX_LENGTH

# Argon2 takes 100 MiB a try: many tries at once would be a way to take the memory of the server.
_TRIES_AT_ONCE = threading.BoundedSemaphore(2)
_WAIT_SECONDS = 10


class PasswordBackend(ModelBackend):
    """Django's own check, behind a lock-out that counts wrong passwords for each name."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: object,
    ) -> User | None:
        """The person, or None; PermissionDenied (which Django turns into None) while locked."""
        if username is None or password is None:
            return None
        name = username[:MAX_LENGTH]
        _check_open(name)
        return self._check(request, name, password)

    def _check(self, request: HttpRequest | None, name: str, password: str) -> User | None:
        if not _TRIES_AT_ONCE.acquire(timeout=_WAIT_SECONDS):
            raise PermissionDenied("too many people are signing in")
        try:
            _check_open(name)  # again: the tries that we waited for may have been wrong ones
            person = super().authenticate(request, username=name, password=password)
            return _remembered(name, person if isinstance(person, User) else None)
        finally:
            _TRIES_AT_ONCE.release()


def _check_open(name: str) -> None:
    if queries.is_locked_out(name, now=timezone.now()):
        raise PermissionDenied("too many wrong passwords for this name")


def _remembered(name: str, person: User | None) -> User | None:
    """The same, once it is counted: whoever comes after must find it."""
    if person is None:
        SignInFailure.objects.create(name=name, at=timezone.now())
    else:
        SignInFailure.objects.filter(name=name).delete()
    return person
