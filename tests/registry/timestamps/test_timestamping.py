# SPDX-License-Identifier: Apache-2.0
"""POST /timestamp: a reply that verifies, RFC 3161's own failure, and problems for the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import core, tsp
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from assay.signing import timestamps
from registry.timestamps import api
from tests.running import Authority

QUERY = "application/timestamp-query"


@pytest.fixture(autouse=True)
def _nobody_has_asked_yet() -> None:
    cache.clear()


@pytest.fixture
def two_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api._Rate, "rate", "2/min")


def test_a_query_gets_a_timestamp_that_verifies(authority: Authority, client: Client) -> None:
    query = timestamps.request(b"a signature")
    answer = client.post("/timestamp", query, content_type=QUERY)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/timestamp-reply"
    trust = authority.trust_root
    by = timestamps.authority(trust.registry)
    at = timestamps.verify(answer.content, data=b"a signature", root=trust.root, authority=by)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


@pytest.mark.parametrize("path", ["/timestamp", "/api/v1/timestamp"])
@pytest.mark.parametrize(
    ("query", "says"),
    [
        (b"", "a TimeStampReq in DER"),
        (b"not DER", "a TimeStampReq in DER"),
        (b"0" * 5000, "at most 4096 bytes"),
        (b"\x30\x80" * 2000, "a TimeStampReq in DER"),
    ],
)
def test_what_is_no_query_gets_the_failure_of_the_standard(
    client: Client, path: str, query: bytes, says: str
) -> None:
    """Without a signer: nothing is spent on it."""
    headers = {"Content-Type": QUERY}  # which the client leaves out of a request without a body
    answer = client.post(path, query, content_type=QUERY, headers=headers)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/timestamp-reply")
    # asn1crypto's own TimeStampResp cannot be without a token, though RFC 3161 says it may.
    status = tsp.PKIStatusInfo.load(core.Sequence.load(answer.content)[0].dump())
    assert status["status"].native == "rejection"
    assert status["fail_info"].native == {"bad_data_format"}
    assert says in status["status_string"].native[0]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_another_media_type_is_refused(client: Client, content_type: str) -> None:
    answer = client.post("/timestamp", b"{}", content_type=content_type)
    assert answer.status_code == 415
    assert answer["Content-Type"] == "application/problem+json"
    assert QUERY in answer.json()["detail"]


def test_without_the_signer_there_is_no_timestamp(authority: Authority, client: Client) -> None:
    authority.stop()
    try:
        answer = client.post("/timestamp", timestamps.request(b"x"), content_type=QUERY)
        assert answer.status_code == 503
        assert answer["Content-Type"] == "application/problem+json"
        assert str(authority.socket) not in answer.content.decode()
    finally:
        authority.start()


def ask(client: Client, **headers: str) -> int:
    query = timestamps.request(b"x")
    return client.post("/timestamp", query, content_type=QUERY, headers=headers).status_code


def test_one_address_is_asked_to_wait(
    authority: Authority, client: Client, two_a_minute: None
) -> None:
    assert [ask(client) for _ in range(2)] == [200, 200]
    answer = client.post("/timestamp", timestamps.request(b"x"), content_type=QUERY)
    assert (answer.status_code, answer.json()["code"]) == (429, "throttled")
    assert 0 < int(answer["Retry-After"]) <= 60
    assert ask(Client(REMOTE_ADDR="203.0.113.9")) == 200


def test_what_the_signer_does_not_see_is_not_counted(
    authority: Authority, client: Client, two_a_minute: None
) -> None:
    for _ in range(3):
        client.post("/timestamp", b"{}", content_type="application/json")
    assert ask(client) == 200


@pytest.mark.parametrize(("proxies", "third"), [(0, 429), (1, 200)])
def test_only_a_proxy_of_ours_is_believed_about_addresses(
    authority: Authority,
    client: Client,
    two_a_minute: None,
    settings: Settings,
    proxies: int,
    third: int,
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": proxies}
    seen = [f"203.0.113.{number}" for number in range(3)]
    assert [ask(client, X_Forwarded_For=one) for one in seen] == [200, 200, third]


def test_what_a_caller_says_before_the_proxy_is_not_believed(
    authority: Authority, client: Client, two_a_minute: None, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    said = [f"203.0.113.{number}, 198.51.100.7" for number in range(3)]
    assert [ask(client, X_Forwarded_For=one) for one in said] == [200, 200, 429]
