# SPDX-License-Identifier: Apache-2.0
"""Bad xorbs and shards: a status and words for each, and nothing that was not there before."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from lz4 import frame
from pytest_django import Settings

from registry.accounts import services as accounts
from registry.accounts.models import Token
from registry.env import Portion
from registry.hub.models import Extent, Xorb
from registry.hub.xet import planning
from registry.hub.xet.granting import PREFIX
from registry.hub.xet.shards import MAX_SHARD_BYTES
from registry.hub.xet.xorbs import MAX_CHUNK_BYTES, MAX_XORB_BYTES
from registry.storage import quotas
from registry.storage.models import Blob, Holding
from tests.registry.callers import LEAVES
from tests.registry.catalog.world import World
from tests.registry.hub.xet.made import Term, file, framed, of, shard, xorb
from tests.registry.hub.xet.sending import Sender, told

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = (b"one " * 9000, b"two " * 9000)
SENT = xorb(*PARTS)
WHOLE = b"".join(PARTS)
TERM = SENT.term(0, 2)
BOMB = framed(frame.compress(bytes(60_000_000)), 1, MAX_CHUNK_BYTES)
V1 = f"{PREFIX}/v1/shards"


def everything(folder: Path) -> tuple[object, ...]:
    """All that an upload could leave."""
    return (
        sorted(path.name for path in folder.rglob("*") if path.is_file()),
        sorted(Blob.objects.values_list("pk", flat=True)),
        sorted(Holding.objects.values_list("blob", "holder")),
        sorted(Xorb.objects.values_list("holder", "name", "staged", "is_released")),
        sorted(Extent.objects.values_list("xorb", "first", "end", "sha256", "offset")),
        quotas.use_of("staged:user:alice"),
    )


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (SENT.packed[:-1], "400 invalid-xorb: expected the rest of chunk 1, found the end"),
        (b"", "400 invalid-xorb: expected a chunk, found none"),
        (xorb(b"another").packed, f"400 invalid-xorb: expected the xorb {SENT.name}, found"),
        (SENT.packed + BOMB, "400 invalid-xorb: chunk 2: expected one LZ4 frame of 131072 bytes"),
        (framed(b"x", 7, 1), "400 invalid-xorb: chunk 0: expected scheme 0, 1 or 2, found 7"),
    ],
)
def test_what_is_not_the_xorb_leaves_nothing(
    alice: Sender, data_folder: Path, body: bytes, said: str
) -> None:
    before = everything(data_folder)
    assert told(alice.xorb(SENT, body)).startswith(said)
    assert everything(data_folder) == before


def test_a_xorb_too_long_is_refused_before_it_is_read_or_while_it_is(alice: Sender) -> None:
    path = f"{PREFIX}/v1/xorbs/default/{SENT.name}"
    announced = {"Content-Length": str(MAX_XORB_BYTES + 1)}
    assert told(alice.ask("POST", path, None, headers=announced)).startswith("413 body-too-large")
    pieces = [b"XETBLOB" + bytes(16 * 1024 * 1024)] * 5
    assert told(alice.ask("POST", path, *pieces)).startswith("4")


def test_a_connection_that_breaks_leaves_nothing(alice: Sender, data_folder: Path) -> None:
    before = everything(data_folder)
    for path, body in ((f"{PREFIX}/v1/xorbs/default/{SENT.name}", SENT.packed), (V1, shard())):
        refused = alice.ask("POST", path, body[:40], LEAVES)
        assert told(refused).startswith("400 truncated-body: expected an end of the body")
    assert everything(data_folder) == before


def test_an_address_without_a_hash_is_refused(alice: Sender) -> None:
    assert told(alice.xorb(SENT, name="x" * 64)).startswith("400 invalid-hash: expected 64")


def wrong_terms() -> dict[str, tuple[Term, str]]:
    proof = SENT.term(0, 1).proof
    return {
        "a xorb nobody sent": (replace(TERM, xorb=b"x" * 32), "xorb-unknown"),
        "behind the end": (replace(TERM, end=3), "invalid-shard"),
        "longer than it is": (replace(TERM, size_bytes=len(WHOLE) + 1), "invalid-shard"),
        "shorter than it is": (replace(TERM, size_bytes=1), "invalid-shard"),
        "another proof": (replace(TERM, proof=proof), "invalid-shard"),
        "no chunks": (replace(TERM, end=0), "invalid-shard"),
        "backwards": (replace(TERM, first=2, end=1), "invalid-shard"),
    }


@pytest.mark.parametrize("wrong", wrong_terms())
def test_a_range_that_is_none_has_the_whole_shard_refused(
    alice: Sender, data_folder: Path, wrong: str
) -> None:
    alice.xorb(SENT)
    before, (term, code) = everything(data_folder), wrong_terms()[wrong]
    bad = of(PARTS[0] + WHOLE, SENT.term(0, 1), term)
    refused = alice.shard(of(PARTS[1], SENT.term(1, 2)), bad)
    assert told(refused).startswith(f"400 {code}: ")
    assert "expected" in told(refused)
    assert everything(data_folder) == before


def test_another_sha256_has_the_whole_shard_refused(alice: Sender, data_folder: Path) -> None:
    alice.xorb(SENT)
    before, other = everything(data_folder), hashlib.sha256(b"other").hexdigest()
    bad = file(other, [TERM])
    refused = alice.shard(of(PARTS[0], SENT.term(0, 1)), bad)
    assert told(refused).startswith(f"400 invalid-shard: expected a file that is sha256:{other}")
    last = alice.streamed(bad)[-1]
    assert (last["type"], last["code"], last["retryable"]) == ("error", "invalid-shard", False)
    assert f"expected a file that is sha256:{other}, found its ranges to be" in last["message"]
    assert everything(data_folder) == before


def test_what_another_sent_does_not_exist_for_one(
    alice: Sender, bob: Sender, data_folder: Path
) -> None:
    """Staged or published, all of its hashes known: the words are those for what nobody sent."""
    unknown = told(bob.shard(of(WHOLE, TERM))).replace(SENT.name, "X")
    alice.xorb(SENT)
    before = everything(data_folder)
    assert told(bob.shard(of(WHOLE, TERM))).replace(SENT.name, "X") == unknown
    assert everything(data_folder) == before
    alice.shard(of(WHOLE, TERM))
    assert told(bob.shard(of(WHOLE, TERM))).replace(SENT.name, "X") == unknown
    assert not Holding.objects.filter(holder__contains="bob").exists()


def test_what_is_no_shard_is_refused_by_its_status(alice: Sender) -> None:
    for version in ("v1", "v2"):
        refused = alice.ask("POST", f"{PREFIX}/{version}/shards", shard()[:-1])
        assert told(refused).startswith("400 invalid-shard: expected 48 more bytes")
        announced = {"Content-Length": str(MAX_SHARD_BYTES + 1)}
        refused = alice.ask("POST", f"{PREFIX}/{version}/shards", None, headers=announced)
        assert told(refused).startswith("413 body-too-large")


def test_a_quota_holds_at_the_xorb_and_at_the_shard(
    alice: Sender, data_folder: Path, settings: Settings
) -> None:
    settings.STORAGE_QUOTA = len(WHOLE) - 1
    before = everything(data_folder)[:-1]
    assert told(alice.xorb(SENT)).startswith("413 quota-exceeded: expected at most")
    assert everything(data_folder)[:-1] == before
    settings.STORAGE_QUOTA = len(WHOLE)
    assert alice.xorb(SENT).status == 200
    twice = of(WHOLE * 2, TERM, TERM)
    assert told(alice.shard(twice)).startswith("413 quota-exceeded: expected at most")
    assert alice.shard(of(WHOLE, TERM)).status == 200
    settings.STORAGE_QUOTA = 0
    assert told(alice.xorb(xorb(b"more"))).startswith("413 quota-exceeded")


def test_a_disk_nearly_full_takes_nothing(alice: Sender, settings: Settings) -> None:
    settings.DISK_RESERVE = Portion(percent=100)
    assert told(alice.xorb(SENT)).startswith("507 insufficient-storage: expected room")
    assert told(alice.shard(of(b""))).startswith("507 insufficient-storage: expected room")


def test_who_leaves_between_xorb_and_shard_has_sent_nothing(
    alice: Sender, world: World, data_folder: Path
) -> None:
    alice.xorb(SENT)
    for token in Token.objects.filter(user=world.people.alice):
        accounts.revoke_token(token, by="user:alice")
    before = everything(data_folder)
    refused = told(alice.shard(of(WHOLE, TERM)))
    assert refused.startswith("401 xet-token-refused: expected a live token behind this one")
    assert everything(data_folder) == before


def test_a_shard_that_goes_to_and_fro_among_xorbs_is_refused(
    alice: Sender, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "KEPT_XORBS", 1)
    monkeypatch.setattr(planning, "MAX_LOADED_XORBS", 3)
    other = xorb(b"another " * 9000)
    alice.xorb(SENT)
    alice.xorb(other)
    before = everything(data_folder)
    ranges = [SENT.term(0, 1), other.term(0, 1)] * 2
    refused = alice.shard(of((PARTS[0] + b"another " * 9000) * 2, *ranges))
    assert "400 invalid-shard: expected ranges in the order of their xorbs" in told(refused)
    assert everything(data_folder) == before
