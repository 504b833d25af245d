# SPDX-License-Identifier: Apache-2.0
"""The ledger's files over HTTP: cached for ever or not at all, and there without a database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pytest_django import Settings

from assay.signing import merkle, treehead
from assay.signing.client import LedgerClient
from assay.signing.errors import MissingEvidence
from assay.signing.monitor import Memory, follow
from assay.signing.tiles import Reader
from assay.signing.treehead import Verifier
from registry.asgi import application
from registry.ledger import folder, queries, services
from registry.supervisor import programs, waiting
from registry.supervisor.processes import Process
from tests import running
from tests.registry.callers import Heard, call
from tests.registry.ledger.statements import record
from tests.running import Authority, Live

NOBODY_LISTENS = "postgresql://127.0.0.1:1/assay"


@pytest.fixture
def written(tmp_path: Path, settings: Settings) -> None:
    settings.DATA_DIR = tmp_path
    folder.write(folder.CHECKPOINT, b"a note\n")
    folder.write("tile/0/000.p/1", b"\x01" * 32)


async def ask(url: str, method: str = "GET") -> Heard:
    return await call(application, method, url, headers={"Host": "localhost"})


async def test_the_tree_head_is_asked_for_each_time(written: None) -> None:
    answer = await ask("/ledger/checkpoint")
    assert (answer.status, answer.body) == (200, b"a note\n")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_a_tile_is_kept_for_ever(written: None) -> None:
    answer = await ask("/ledger/tile/0/000.p/1")
    assert (answer.status, answer.body) == (200, b"\x01" * 32)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-length"] == "32"


async def test_a_head_request_gets_no_body(written: None) -> None:
    answer = await ask("/ledger/tile/0/000.p/1", "HEAD")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "32")


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/000",
        "tile/0/000.p",
        "tile/0/000.p/01",
        "tile/0/000.p/1/1",
        "tile/0/../../checkpoint",
        "tile/0/%2e%2e/%2e%2e/checkpoint",
        "tile/",
    ],
)
async def test_what_is_not_there_is_not_found(written: None, path: str) -> None:
    answer = await ask(f"/ledger/{path}")
    assert answer.problem["code"] == "not-found"
    assert "cache-control" not in answer.headers


async def test_files_are_only_read(written: None) -> None:
    answer = await ask("/ledger/checkpoint", "PUT")
    assert (answer.problem["code"], answer.headers["allow"]) == ("method-not-allowed", "GET, HEAD")


def serves(url: str) -> Callable[[], bool]:
    """Whether the web server answers; it is not ready, and never will be."""

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/healthz").is_success
        except httpx.TransportError:
            return False

    return answers


def prove(url: str, leaf: bytes, index: int, authority: Authority) -> None:
    """What a stranger does who knows the address and has pinned the ledger's key."""
    with httpx.Client(base_url=f"{url}/ledger/", timeout=60) as client:

        def fetch(path: str) -> bytes:
            answer = client.get(path)
            if answer.status_code != 200:
                raise MissingEvidence(path)
            return answer.content

        note = fetch("checkpoint").decode()
        head = treehead.verify(note, authority.trust_root.verifier)
        reader = Reader(size=head.size, fetch=fetch)
        proof = reader.inclusion_proof(index)
    merkle.verify_inclusion(leaf, index, head.size, proof, head.root)


def test_an_entry_is_proven_over_http_also_while_the_database_is_down(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    *_, last = record(*range(5))
    services.integrate()
    last.entry.refresh_from_db()
    leaf, index = bytes.fromhex(last.entry.leaf_hash), last.entry.index
    assert index == 4
    assert queries.tree_head().size == 5
    prove(live.url, leaf, index, authority)
    port = running.free_port()
    program = programs.web(running._deployment(port))
    environment = {**live.environment, "DATABASE_URL": NOBODY_LISTENS}
    web = Process(replace(program, environment={**program.environment, **environment}))
    url = f"http://127.0.0.1:{port}"
    try:
        waiting.until_it_answers(web, serves(url), expectation=f"{url}/ledger/checkpoint")
        # The pool looks for a connection for ten seconds before it gives up.
        assert httpx.get(f"{url}/api/v1/projects", timeout=30).status_code >= 500
        prove(url, leaf, index, authority)
    finally:
        web.stop()


def test_a_monitor_follows_a_ledger_that_grows(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    ledger = Verifier.parse(authority.trust_root.verifier)
    memory = Memory(folder=tmp_path / "monitor", ledger=ledger)
    client = LedgerClient(f"{live.url}/ledger")
    for numbers, sizes in ((range(3), (0, 3)), (range(3, 8), (3, 8)), (range(0), (8, 8))):
        record(*numbers)
        services.integrate()
        progress = follow(memory, client.checkpoint(), client.fetch)
        assert (progress.before.size, progress.now.size) == sizes
