# SPDX-License-Identifier: Apache-2.0
"""Tokens: scannable, hashed, scoped, expiring, revocable; each way not to open is told apart."""

from __future__ import annotations

import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, connections, transaction
from django.utils import timezone
from psycopg.sql import SQL, Identifier

from registry.accounts import secrets, services, tokens
from registry.accounts.errors import (
    InvalidToken,
    InvalidTokenRequest,
    ScopeMissing,
    TokenExpired,
    TokenMalformed,
    TokenRevoked,
    TokenUnknown,
    TooManyTokens,
    Unauthenticated,
)
from registry.accounts.models import Token
from registry.audit.models import AuditRow
from tests.registry.people import People

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def issued(people: People) -> tuple[Token, str]:
    """Alice's token for publishing, valid for a day."""
    return services.issue_token(
        people.alice, "laptop", ["publish"], timezone.now() + timedelta(days=1)
    )


def test_a_secret_can_be_found_by_scanners_and_told_from_a_typo() -> None:
    secret = secrets.generate()
    assert len(secret) == 6 + 32 + 6
    assert secrets.is_well_formed(secret)
    assert not secrets.is_well_formed(secret[:-1] + ("0" if secret[-1] != "0" else "1"))
    assert secrets.generate() != secret


def test_the_checksum_is_crc_32_in_base_62() -> None:
    # CRC-32 of the check string "123456789" is 0xCBF43926 (3421780262).
    number, digits = 0xCBF43926, ""
    while number:
        number, digit = divmod(number, 62)
        digits = secrets.ALPHABET[digit] + digits
    assert secrets.checksum("123456789") == digits.rjust(6, "0")


def test_only_a_hash_of_the_secret_is_kept(issued: tuple[Token, str]) -> None:
    token, secret = issued
    assert token.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            query = SQL("SELECT count(*) FROM {} t WHERE t::text LIKE %s").format(Identifier(table))
            cursor.execute(query, [f"%{secret}%"])
            assert cursor.fetchone() == (0,)


def test_a_live_token_opens(issued: tuple[Token, str]) -> None:
    token, secret = issued
    assert tokens.authenticate(f"Bearer {secret}", now=timezone.now()) == token
    assert tokens.authenticate(f"bearer  {secret} ", now=timezone.now()) == token


@pytest.mark.parametrize("header", [None, "", "Basic YTpi", "assay_x"])
def test_another_scheme_is_no_token_at_all(header: str | None) -> None:
    assert tokens.authenticate(header, now=NOW) is None


@pytest.mark.parametrize(
    "secret", ["", "assay_", "x" * 44, "assay_" + "a" * 38, "assay_" + "ü" * 38, "assay_\udcff"]
)
def test_a_typo_is_told_without_asking_the_database(secret: str) -> None:
    with pytest.raises(TokenMalformed, match="`assay_` and 38 letters and digits"):
        tokens.authenticate(f"Bearer {secret}", now=NOW)


def test_an_unknown_token_is_told(db: None) -> None:
    with pytest.raises(TokenUnknown, match="unknown here"):
        tokens.authenticate(f"Bearer {secrets.generate()}", now=NOW)


def test_a_revoked_token_is_told_and_revoked_once(issued: tuple[Token, str]) -> None:
    token, secret = issued
    for _ in range(2):
        services.revoke_token(token, by="system")
    with pytest.raises(TokenRevoked, match="revoked"):
        tokens.authenticate(f"Bearer {secret}", now=timezone.now())
    assert AuditRow.objects.filter(action="token.revoke").count() == 1


def test_a_token_expires_to_the_second(issued: tuple[Token, str]) -> None:
    token, secret = issued
    tokens.authenticate(f"Bearer {secret}", now=token.expires_at - timedelta(microseconds=1))
    with pytest.raises(TokenExpired, match=f"{token.expires_at:%Y-%m-%d}"):
        tokens.authenticate(f"Bearer {secret}", now=token.expires_at)


def test_a_token_dies_with_its_owners_account(issued: tuple[Token, str], people: People) -> None:
    people.alice.is_active = False
    people.alice.save()
    with pytest.raises(TokenRevoked):
        tokens.authenticate(f"Bearer {issued[1]}", now=timezone.now())


def test_every_refusal_is_a_challenge() -> None:
    for kind in (TokenMalformed, TokenUnknown, TokenExpired, TokenRevoked):
        assert issubclass(kind, InvalidToken)
        headers = kind("why").headers
        assert headers == {"WWW-Authenticate": 'Bearer realm="assay", error="invalid_token"'}
    assert Unauthenticated("why").headers == {"WWW-Authenticate": 'Bearer realm="assay"'}


def test_its_use_is_noted_once_a_minute(issued: tuple[Token, str]) -> None:
    token, secret = issued
    first = timezone.now()
    for seconds, noted in ((0, 0), (59, 0), (61, 61)):
        tokens.authenticate(f"Bearer {secret}", now=first + timedelta(seconds=seconds))
        token.refresh_from_db()
        assert token.last_used_at == first + timedelta(seconds=noted)


def test_a_scope_is_needed(issued: tuple[Token, str]) -> None:
    assert tokens.require(issued[0], "node", "publish") == issued[0]
    with pytest.raises(ScopeMissing, match="expected scope node; this token has publish"):
        tokens.require(issued[0], "node")
    with pytest.raises(Unauthenticated, match="node or publish, found none"):
        tokens.require(None, "node", "publish")


@pytest.mark.parametrize("scopes", [[], ["admin"], ["publish", "everything"]])
def test_scopes_are_a_closed_list(scopes: list[str], people: People) -> None:
    with pytest.raises(InvalidTokenRequest, match="read, publish, outputs, node, generation"):
        services.issue_token(people.alice, "x", scopes, timezone.now() + timedelta(days=1))
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.create(
            user=people.alice, label="x", sha256="0" * 64, scopes=scopes, expires_at=NOW
        )


def test_a_token_has_a_label_and_a_future(people: People) -> None:
    with pytest.raises(InvalidTokenRequest, match="in the future"):
        services.issue_token(people.alice, "x", ["read"], timezone.now())
    for label in ("", " ", "x" * 81):
        with pytest.raises(InvalidTokenRequest, match="1 to 80"):
            services.issue_token(people.alice, label, ["read"], timezone.now() + timedelta(1))
    assert not Token.objects.exists()


def test_the_command_prints_a_secret_that_opens_until_it_is_revoked(people: People) -> None:
    printed, said = io.StringIO(), io.StringIO()
    call_command(
        "token", "issue", "bob", "--scope=node", "--scope=read", stdout=printed, stderr=said
    )
    secret = printed.getvalue().strip()
    token = tokens.authenticate(f"Bearer {secret}", now=timezone.now())
    assert token is not None
    assert (token.user, token.scopes) == (people.bob, ["node", "read"])
    assert f"token {token.pk}, until" in said.getvalue()
    call_command("token", "revoke", str(token.pk), stderr=said)
    with pytest.raises(TokenRevoked):
        tokens.authenticate(f"Bearer {secret}", now=timezone.now())


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("issue", "nobody", "--scope=read"), "found 'nobody'"),
        (("issue", "alice", "--scope=read", "--days=0"), "in the future"),
        (("revoke", "999999"), "found 999999"),
    ],
)
def test_the_command_says_what_is_wrong(words: tuple[str, ...], found: str, people: People) -> None:
    with pytest.raises(CommandError, match=found):
        call_command("token", *words)


def test_one_has_as_many_live_tokens_as_one_can_look_through(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "MAX_LIVE_TOKENS", 2)
    soon = timezone.now() + timedelta(hours=1)
    first, _ = services.issue_token(people.alice, "first", ["read"], soon)
    services.issue_token(people.alice, "second", ["read"], soon)
    with pytest.raises(TooManyTokens, match="fewer than 2 live tokens, found 2; revoke one"):
        services.issue_token(people.alice, "third", ["read"], soon)
    services.issue_token(people.bob, "of somebody else", ["read"], soon)
    services.revoke_token(first, by=people.alice.actor)
    services.issue_token(people.alice, "third", ["read"], soon)


@pytest.mark.django_db(transaction=True)
def test_of_many_tokens_at_once_none_is_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MAX_LIVE_TOKENS", 3)
    alice, soon = services.create_user("alice"), timezone.now() + timedelta(hours=1)

    def issue(number: int) -> bool:
        try:
            services.issue_token(alice, f"token {number}", ["read"], soon)
        except TooManyTokens:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(issue, range(20))) == 3
    assert Token.objects.count() == 3
