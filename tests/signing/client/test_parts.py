# SPDX-License-Identifier: Apache-2.0
"""A large file goes on with the part that has not come, and each byte of it is counted once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assay.signing.client import parts
from assay.signing.client.errors import ClientError, RegistryUnreachable
from assay.signing.client.registry import RegistryClient
from assay.signing.client.uploads import Line, send
from assay.signing.errors import InvalidDocument
from assay.signing.manifest import FileEntry
from tests.signing.client.registry import Answer, Loopback, Seen, loopback

DATA = b"0123456789"
ENTRY = FileEntry(name="large.bin", sha256=hashlib.sha256(DATA).hexdigest(), size=len(DATA))
BATCH = "/lab/small.git/info/lfs/objects/batch"
ADDRESSES = {f"0000{number}": f"https://elsewhere.test/{number}/x" for number in (1, 2, 3)}


def upload(**header: str) -> Mapping[str, object]:
    """Where the parts go, and where they become one."""
    return {"upload": {"href": "https://elsewhere.test/whole/x", "header": header}}


THREE = upload(chunk_size="4", **ADDRESSES)


def listed(**fields: object) -> Mapping[str, object]:
    return {"transfer": "multipart", "objects": [{"oid": ENTRY.sha256, "size": 10, **fields}]}


def came(*numbers: int) -> list[Mapping[str, object]]:
    return [{"partNumber": number, "etag": f"etag-{number}"} for number in numbers]


@dataclass(frozen=True, kw_only=True)
class Sender:
    """A file that is sent to a registry on the loopback interface, and the bytes it counts."""

    registry: Loopback
    folder: Path
    counted: list[int] = field(default_factory=list[int])

    def send(self) -> None:
        with RegistryClient(self.registry.url) as client:
            line = Line(
                client=client, project="lab/small", folder=self.folder, sent=self.counted.append
            )
            send(line, [ENTRY])

    def offers(self, **fields: object) -> None:
        self.registry.on_json("POST", BATCH, listed(**fields))

    @property
    def put(self) -> list[tuple[str, bytes]]:
        """What was sent where."""
        return [(each.path, each.body) for each in self.registry.seen if each.method == "PUT"]


def taken(seen: Seen) -> Answer:
    return Answer(headers={"ETag": f'"{hashlib.sha256(seen.body).hexdigest()}"'})


@pytest.fixture
def sender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    monkeypatch.setattr(parts, "FROM_BYTES", 8)
    (tmp_path / ENTRY.name).write_bytes(DATA)
    with loopback() as registry:
        for number in (1, 2, 3):
            registry.made["PUT", f"/{number}/x"] = taken
        registry.on_json("POST", "/whole/x", {})
        yield Sender(registry=registry, folder=tmp_path)


def test_only_what_has_not_come_is_sent(sender: Sender) -> None:
    sender.offers(actions=THREE, parts=came(2))
    sender.send()
    assert sender.put == [("/1/x", b"0123"), ("/3/x", b"89")]
    assert sum(sender.counted) == len(DATA)
    etags = [hashlib.sha256(b"0123").hexdigest(), "etag-2", hashlib.sha256(b"89").hexdigest()]
    numbered = [{"partNumber": number, "etag": each} for number, each in enumerate(etags, 1)]
    ended = sender.registry.seen[-1]
    assert (ended.path, json.loads(ended.body)) == (
        "/whole/x",
        {"oid": ENTRY.sha256, "parts": numbered},
    )


def test_a_part_that_failed_is_sent_again_alone(sender: Sender) -> None:
    sender.offers(actions=THREE)  # of a registry that says nothing of parts
    sender.registry.before["PUT", "/2/x"] = [Answer(status=503)]
    sender.send()
    assert [path for path, _ in sender.put] == ["/1/x", "/2/x", "/2/x", "/3/x"]
    assert sum(sender.counted) == len(DATA)


def test_nothing_is_sent_of_what_is_there(sender: Sender) -> None:
    sender.offers()
    sender.send()
    assert (sender.put, sender.counted) == ([], [len(DATA)])


def test_a_refusal_is_said(sender: Sender) -> None:
    sender.offers(error={"code": 413, "message": "expected at most 9 bytes"})
    with pytest.raises(ClientError, match="expected at most 9 bytes") as refusal:
        sender.send()
    assert refusal.value.status == 413


def test_a_part_that_is_refused_ends_it_and_counts_for_nothing(sender: Sender) -> None:
    sender.offers(actions=THREE)
    sender.registry.before["PUT", "/2/x"] = [Answer(status=413)]
    with pytest.raises(ClientError, match="answered 413"):
        sender.send()
    assert sum(sender.counted) == 4


@pytest.mark.parametrize(
    ("actions", "says"),
    [
        (upload(chunk_size="4"), "an address for each part, found 0 of '4' bytes"),
        (upload(chunk_size="x", **ADDRESSES), "an address for each part, found 3 of 'x' bytes"),
        (upload(chunk_size="3", **ADDRESSES), "an address for each part, found 3 of '3' bytes"),
    ],
)
def test_an_answer_without_an_address_for_each_part_is_refused(
    sender: Sender, actions: object, says: str
) -> None:
    sender.offers(actions=actions)
    with pytest.raises(InvalidDocument, match=says):
        sender.send()
    assert sender.put == []


def test_an_answer_about_nothing_is_refused(sender: Sender) -> None:
    sender.registry.on_json("POST", BATCH, {"objects": []})
    with pytest.raises(InvalidDocument, match="object: expected an object"):
        sender.send()


def test_a_file_that_became_shorter_is_not_sent_on(sender: Sender) -> None:
    sender.offers(actions=THREE)
    (sender.folder / ENTRY.name).write_bytes(DATA[:5])
    with pytest.raises((InvalidDocument, RegistryUnreachable)):
        sender.send()
    assert sum(sender.counted) == 4
