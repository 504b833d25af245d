# SPDX-License-Identifier: Apache-2.0
"""An identity token counts if it is whole, and each thing about it that may be wrong is refused."""

from __future__ import annotations

import base64
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from registry.oidc import fetching, tokens
from registry.oidc.errors import IssuerUnknown, IssuerUnreachable, TokenRefused
from registry.oidc.providers import Use
from registry.oidc.tokens import LAST_SECOND, Claims
from tests.issuer import Issuer, running
from tests.registry.oidc.conftest import Write


def verify(token: str, *, at: datetime | None = None) -> Claims:
    now = at or datetime.now(UTC)
    return tokens.verify(token, Use.SIGNING, audience="sigstore", now=now)[1]


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_token_of_a_listed_issuer_says_who(believed: Issuer) -> None:
    claims = verify(believed.token(email="alice@example.test"))
    assert (claims.issuer, claims.subject) == (believed.url, "https://example.test/alice")
    assert claims.text("email") == "alice@example.test"
    with pytest.raises(TokenRefused, match="expected the token to say nonce"):
        claims.text("nonce")


def test_it_may_be_for_several_audiences(believed: Issuer) -> None:
    assert verify(believed.token(aud=["other", "sigstore"])).issuer == believed.url


def test_keys_are_fetched_once(believed: Issuer) -> None:
    for _ in range(3):
        verify(believed.token())
    assert believed.asked == ["/.well-known/openid-configuration", "/keys"]


def test_rsa_keys_are_as_good(write: Write) -> None:
    with running(RSAKey.generate_key(2048)) as issuer:
        write({"name": "rsa", "issuer": issuer.url, "uses": ["signing"]})
        assert verify(issuer.token()).issuer == issuer.url


def test_a_new_key_of_the_issuer_is_found(believed: Issuer) -> None:
    verify(believed.token())
    believed.key = ECKey.generate_key("P-256")
    believed.key.ensure_kid()
    assert verify(believed.token()).issuer == believed.url


def test_keys_are_asked_for_again_only_now_and_then(believed: Issuer) -> None:
    verify(believed.token())
    for _ in range(3):
        stranger = ECKey.generate_key("P-256")
        stranger.ensure_kid()
        header = {"alg": "ES256", "kid": stranger.as_dict()["kid"]}
        token = jwt.encode(header, {"iss": believed.url}, stranger)
        with pytest.raises(TokenRefused, match="signature"):
            verify(token)
    assert believed.asked.count("/keys") == 2


NO_ALGORITHM = b'{"alg":"none"}'
# A timedelta is counted from when the test runs.
WRONG: list[tuple[dict[str, Any], str]] = [
    ({"aud": "other"}, "found one for 'other'"),
    ({"aud": None}, "found one for nobody"),
    ({"aud": 1}, "found one for nobody"),
    ({"aud": ["x"] * 17}, "found one for nobody"),
    ({"exp": -timedelta(hours=1)}, "found one until"),
    ({"exp": None}, "to say exp"),
    ({"exp": "soon"}, "to say exp"),
    ({"exp": True}, "to say exp"),
    ({"exp": -1}, "to say exp"),
    ({"exp": 1 << 39}, "to say exp"),
    ({"exp": LAST_SECOND + 1}, "to say exp"),
    ({"nbf": LAST_SECOND + 1}, "to say nbf"),
    ({"iat": timedelta(hours=1)}, "found one from"),
    ({"nbf": timedelta(hours=1)}, "found one from"),
    ({"iat": -timedelta(hours=25), "nbf": -timedelta(hours=25)}, "of the last day"),
    ({"iat": None}, "to say iat"),
    ({"sub": None}, "to say sub"),
    ({"sub": 7}, "to say sub"),
]


@pytest.mark.parametrize(("more", "message"), WRONG)
def test_a_token_that_says_otherwise_is_refused(
    believed: Issuer, more: dict[str, Any], message: str
) -> None:
    now = time.time()
    claims: dict[str, Any] = {
        name: int(now + value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in more.items()
    }
    with pytest.raises(TokenRefused, match=message):
        verify(believed.token(**claims))


def test_a_minute_of_skew_is_forgiven_and_no_more(believed: Issuer) -> None:
    now = int(time.time())
    token = believed.token(iat=now, nbf=now, exp=now + 600)
    for second in (-59, 659):
        assert verify(token, at=datetime.fromtimestamp(now + second, UTC)).issuer == believed.url
    for second in (-61, 661):
        with pytest.raises(TokenRefused, match="valid now"):
            verify(token, at=datetime.fromtimestamp(now + second, UTC))


def test_a_token_without_a_start_is_valid_since_it_was_issued(believed: Issuer) -> None:
    assert verify(believed.token(nbf=None)).issuer == believed.url


def test_another_key_than_the_issuers_is_refused(believed: Issuer) -> None:
    with pytest.raises(TokenRefused, match="signature by a key of the issuer"):
        verify(believed.token(key=ECKey.generate_key("P-256")))


def test_a_token_under_a_shared_secret_is_refused(believed: Issuer) -> None:
    """The classic: the public key, taken as the secret of an HMAC. joserfc cannot even make one."""
    _, claims, _ = believed.token().split(".")
    header = encoded(json.dumps({"alg": "HS256", "kid": believed.key.as_dict()["kid"]}).encode())
    signed = f"{header}.{claims}"
    mac = hmac.digest(believed.key.as_pem(private=False), signed.encode(), "sha256")
    with pytest.raises(TokenRefused, match="signature by a key of the issuer"):
        verify(f"{signed}.{encoded(mac)}")


def test_a_token_that_nobody_signed_is_refused(believed: Issuer) -> None:
    _, claims, _ = believed.token().split(".")
    with pytest.raises(TokenRefused, match="signature by a key of the issuer"):
        verify(f"{encoded(NO_ALGORITHM)}.{claims}.")


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "e30.e30.", "e30.W10.x", "x" * 20_000])
def test_what_is_no_token_is_refused(believed: Issuer, token: str) -> None:
    with pytest.raises(TokenRefused, match="expected"):
        verify(token)


def test_a_header_that_is_no_json_is_refused(believed: Issuer) -> None:
    _, claims, signature = believed.token().split(".")
    with pytest.raises(TokenRefused, match="base64url"):
        verify(f"e30x.{claims}.{signature}")


def test_an_issuer_that_is_not_listed_is_refused(issuer: Issuer, write: Write) -> None:
    with pytest.raises(IssuerUnknown, match="believes for signing"):
        verify(issuer.token())
    write({"name": "example", "issuer": issuer.url, "uses": ["publishing"]})
    with pytest.raises(IssuerUnknown, match=issuer.url):
        verify(issuer.token())


def test_a_token_of_one_issuer_is_not_anothers(believed: Issuer) -> None:
    with pytest.raises(TokenRefused, match="expected a token of https://other"):
        tokens.check_with(
            believed.token(),
            lambda **_: {"keys": [believed.key.as_dict(private=False)]},
            issuer="https://other.example",
            audience="sigstore",
            now=datetime.now(UTC),
        )


CONFIGURATION = "/.well-known/openid-configuration"
FAULTS = [
    (CONFIGURATION, 500, b"{}", "expected 200"),
    (CONFIGURATION, 302, b"", "expected 200"),
    (CONFIGURATION, 200, b"[]", "expected a JSON object"),
    (CONFIGURATION, 200, b"{", "expected a JSON object"),
    (CONFIGURATION, 200, b'{"issuer":"https://other.example"}', "another issuer's"),
    (CONFIGURATION, 200, b" " * (300 << 10), "answered more than"),
    ("/keys", 404, b"{}", "expected 200"),
]


@pytest.mark.parametrize(("path", "status", "body", "message"), FAULTS)
def test_an_issuer_that_does_not_answer_as_it_must_is_no_refusal(
    believed: Issuer, path: str, status: int, body: bytes, message: str
) -> None:
    believed.answers[path] = (status, body)
    with pytest.raises(IssuerUnreachable, match=message):
        verify(believed.token())


def test_an_issuer_that_drips_is_waited_for_no_longer_in_all(
    believed: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_SECONDS", 0.5)
    believed.pause = 0.02  # each byte is soon enough, and 2,000 of them are not
    believed.answers[CONFIGURATION] = (200, b" " * 2_000)
    with pytest.raises(IssuerUnreachable, match=r"within 0\.5 seconds"):
        verify(believed.token())


@pytest.mark.parametrize("url", ["http://192.0.2.1/keys", "file:///etc/passwd", 7])
def test_keys_from_elsewhere_than_https_are_not_fetched(believed: Issuer, url: object) -> None:
    document = json.dumps({"issuer": believed.url, "jwks_uri": url})
    believed.answers[CONFIGURATION] = (200, document.encode())
    with pytest.raises(IssuerUnreachable, match="jwks_uri"):
        verify(believed.token())


def test_an_issuer_that_is_away_is_no_refusal(write: Write) -> None:
    with running() as issuer:
        write({"name": "example", "issuer": issuer.url, "uses": ["signing"]})
        token = issuer.token()
    with pytest.raises(IssuerUnreachable, match="ConnectError"):
        verify(token)


@pytest.mark.parametrize("keys", [b"{}", b'{"keys":7}', b'{"keys":[7]}', b'{"keys":[{}]}'])
def test_a_key_set_that_is_none_is_refused(believed: Issuer, keys: bytes) -> None:
    believed.answers["/keys"] = (200, keys)
    with pytest.raises(TokenRefused, match="signature by a key"):
        verify(believed.token())
