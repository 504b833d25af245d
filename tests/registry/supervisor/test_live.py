# SPDX-License-Identifier: Apache-2.0
"""The fixtures `authority` and `live` are a real signer, web server and worker."""

import time

import pytest

from assay.signing.signer.client import SignerClient
from registry.accounts.queries import user
from registry.accounts.services import create_user
from tests.running import Authority, Live


def test_the_signer_answers_with_the_trust_root(authority: Authority) -> None:
    assert SignerClient(authority.socket).describe().trust_root == authority.trust_root


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_begins_with_an_empty_ledger(authority: Authority, number: int) -> None:
    signer = SignerClient(authority.socket)
    assert signer.describe().head.size == 0, number
    signer.sign_head(1, bytes(32), ())


def test_the_server_sees_the_rows_of_the_test(live: Live) -> None:
    create_user("alice", "correct horse battery")
    with live.client() as client:
        assert client.get("/readyz").status_code == 200
        assert client.get("/api/v1/projects").json()["results"] == []
    assert user("alice") is not None


def test_rows_are_gone_in_the_next_test(live: Live) -> None:
    assert user("alice") is None
    assert live.web.exit_code is None
    assert time.monotonic() > live.web.started_at
