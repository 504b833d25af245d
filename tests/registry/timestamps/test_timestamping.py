# SPDX-License-Identifier: Apache-2.0
"""POST /timestamp: a reply that verifies, RFC 3161's own failure, and problems for the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from asn1crypto import core, tsp
from django.test import Client

from assay.signing import timestamps
from tests.running import Authority

QUERY = "application/timestamp-query"


def test_a_query_gets_a_timestamp_that_verifies(authority: Authority, client: Client) -> None:
    query = timestamps.request(b"a signature")
    answer = client.post("/timestamp", query, content_type=QUERY)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/timestamp-reply"
    root = authority.trust_root.root
    at = timestamps.verify(answer.content, data=b"a signature", root=root)
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)


def test_what_is_no_query_gets_the_failure_of_the_standard(
    authority: Authority, client: Client
) -> None:
    answer = client.post("/timestamp", b"not DER", content_type=QUERY)
    assert answer.status_code == 200
    # asn1crypto's own TimeStampResp cannot be without a token, though RFC 3161 says it may.
    status = tsp.PKIStatusInfo.load(core.Sequence.load(answer.content)[0].dump())
    assert status["status"].native == "rejection"


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_another_media_type_is_refused(client: Client, content_type: str) -> None:
    answer = client.post("/timestamp", b"{}", content_type=content_type)
    assert answer.status_code == 415
    assert answer["Content-Type"] == "application/problem+json"
    assert QUERY in answer.json()["detail"]


def test_a_large_query_is_refused(client: Client) -> None:
    answer = client.post("/timestamp", b"0" * 5000, content_type=QUERY)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body-too-large"


def test_without_the_signer_there_is_no_timestamp(authority: Authority, client: Client) -> None:
    authority.stop()
    try:
        answer = client.post("/timestamp", timestamps.request(b"x"), content_type=QUERY)
        assert answer.status_code == 503
        assert answer["Content-Type"] == "application/problem+json"
    finally:
        authority.start()
