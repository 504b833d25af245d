# SPDX-License-Identifier: Apache-2.0
"""Signing in with a password: slow to guess, locked after five failures, gone on POST only."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from registry.accounts import passwords, services, tasks
from registry.accounts.models import SignInFailure, User

PASSWORD = "a long enough password"


@pytest.fixture
def dora(db: None) -> User:
    """Somebody with a password."""
    return services.create_user("dora", PASSWORD)


class QuickArgon2(Argon2PasswordHasher):
    """The same hash for a hundredth of the work: these tests are about what stands around it."""

    time_cost, memory_cost, parallelism = 1, 8, 1


@pytest.fixture(autouse=True)
def _quick(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickArgon2"]


@pytest.fixture(autouse=True)
def _a_template(tmp_path: Path, settings: Settings) -> None:
    """The form itself, without the site around it."""
    folder = tmp_path / "accounts"
    folder.mkdir()
    (folder / "login.html").write_text("{{ form.as_p }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]


def sign_in(client: Client, password: str = PASSWORD, name: str = "dora") -> int:
    answer = client.post("/login?next=/events", {"username": name, "password": password})
    return answer.status_code


def test_the_right_password_signs_in_and_signing_out_takes_a_post(dora: User) -> None:
    client = Client()
    assert client.get("/login").status_code == 200
    assert sign_in(client) == 302
    assert client.get("/logout").status_code == 405
    assert client.session["_auth_user_id"] == str(dora.pk)
    assert client.post("/logout").status_code == 302
    assert "_auth_user_id" not in client.session


def test_passwords_are_hashed_with_argon2(db: None, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    hashed = services.create_user("erin", PASSWORD).password
    assert hashed.startswith("argon2$argon2id$v=19$m=102400,t=2,p=8$")


def test_the_sixth_try_is_locked_even_with_the_right_password(dora: User) -> None:
    client = Client()
    for _ in range(5):
        assert sign_in(client, "wrong") == 200
    answer = client.post("/login", {"username": "dora", "password": PASSWORD})
    assert "Too many wrong passwords" in answer.content.decode()
    assert authenticate(username="dora", password=PASSWORD) is None
    assert SignInFailure.objects.count() == 5


def test_a_lock_opens_after_a_quarter_of_an_hour_and_a_success_clears_it(dora: User) -> None:
    client = Client()
    for _ in range(5):
        sign_in(client, "wrong")
    SignInFailure.objects.update(at=timezone.now() - timedelta(minutes=15, seconds=1))
    assert sign_in(client) == 302
    assert not SignInFailure.objects.exists()


def test_the_sweep_forgets_failures_that_count_no_longer_and_sessions_that_are_over(
    dora: User,
) -> None:
    now = timezone.now()
    for minutes in (14, 16):
        at = now - timedelta(minutes=minutes)
        SignInFailure.objects.create(name="dora", at=at)
    for hours in (-1, 1):
        Session.objects.create(session_key=str(hours), expire_date=now + timedelta(hours=hours))
    tasks.sweep()
    assert SignInFailure.objects.get().at == now - timedelta(minutes=14)
    assert Session.objects.get().session_key == "1"


def test_a_lock_says_nothing_about_who_exists(dora: User) -> None:
    client = Client()
    pages = []
    for name in ("dora", "nobody"):
        for _ in range(6):
            answer = client.post("/login", {"username": name, "password": "wrong"})
        pages.append(answer.content.decode().replace(name, "NAME"))
    assert "Too many wrong passwords" in pages[0]
    assert pages[0] == pages[1]


def test_a_name_with_nul_is_refused_by_the_form(db: None) -> None:
    assert sign_in(Client(), name="do\0ra") == 200
    assert not SignInFailure.objects.exists()


def test_without_a_password_nobody_signs_in(db: None) -> None:
    services.create_user("robot")
    assert authenticate(username="robot", password="") is None
    assert authenticate(username="robot") is None


def test_two_passwords_at_a_time_are_hashed(dora: User, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = threading.BoundedSemaphore(1)
    busy.acquire()
    monkeypatch.setattr(passwords, "_TRIES_AT_ONCE", busy)
    monkeypatch.setattr(passwords, "_WAIT_SECONDS", 0.01)
    request = RequestFactory().post("/login")
    assert authenticate(request, username="dora", password=PASSWORD) is None
    assert not SignInFailure.objects.exists()


class Busy:
    """A place for one that is free only after others have guessed wrong."""

    def __init__(self, guesses: int) -> None:
        self.guesses = guesses

    def acquire(self, *, timeout: float) -> bool:
        now = timezone.now()
        for _ in range(self.guesses):
            SignInFailure.objects.create(name="dora", at=now)
        return True

    def release(self) -> None:
        """Nobody waits behind us."""


@pytest.mark.parametrize(("guesses", "opens"), [(4, True), (5, False)])
def test_who_waited_while_the_name_was_locked_finds_it_locked(
    dora: User, monkeypatch: pytest.MonkeyPatch, guesses: int, opens: bool
) -> None:
    monkeypatch.setattr(passwords, "_TRIES_AT_ONCE", Busy(guesses))
    request = RequestFactory().post("/login")
    found = authenticate(request, username="dora", password=PASSWORD)
    assert (found == dora) is opens


def test_next_does_not_lead_to_another_site(dora: User) -> None:
    answer = Client().post(
        "/login?next=https://evil.example/", {"username": "dora", "password": PASSWORD}
    )
    assert answer["Location"] == "/"
