# SPDX-License-Identifier: Apache-2.0
"""`assay download`: nothing appears that does not verify, and nothing is fetched twice."""

from __future__ import annotations

import argparse
import errno
import gzip
import io
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assay.signing import canonical, oms
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.client import attempts, downloads
from assay.signing.commands import download
from assay.signing.commands.terminal import Terminal
from assay.signing.digests import as_id, sha256
from assay.signing.evidence import Evidence
from assay.signing.manifest import SIGNATURE_NAME, SIGNATURE_NAMES, SIGSTORE_NAME
from tests.signing.client.registry import Answer, Loopback, loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.world import AT, FILES, World, manifest_of

NAME = "alice/tiny@step-100"
PATH = "/api/v1/projects/alice/tiny/checkpoints"
QUIET = Terminal(output=io.StringIO(), is_live=False, has_colour=False, has_marks=True)
WEIGHTS = max(FILES, key=lambda name: len(FILES[name]))


@pytest.fixture
def shop(desk: Desk) -> Iterator[Loopback]:
    """A registry that shows one checkpoint."""
    with loopback() as registry:
        stock(registry, desk.world)
        yield registry


def stock(registry: Loopback, world: World, evidence: Evidence | None = None) -> None:
    """Put the checkpoint, its evidence and its files on show."""
    evidence = evidence or world.evidence_for_checkpoint()
    signature = canonical.dumps(world.model_signature().to_json())
    checkpoint_id = as_id(manifest_of(FILES).id)
    document = {
        "id": checkpoint_id,
        "name": "step-100",
        "signature": {"sha256": sha256(signature), "size": len(signature)},
    }
    registry.on_json("GET", f"{PATH}/step-100", document)
    registry.on_json("GET", PATH, {"results": [{"name": "step-100"}, {"name": "step-50"}]})
    by_id = f"/api/v1/checkpoints/{checkpoint_id}/evidence?project=alice/tiny"
    registry.on("GET", by_id, Answer(body=evidence.canonical()))
    for data in (*FILES.values(), signature):
        registry.on("GET", blob(data), Answer(body=data, has_ranges=True))


def blob(data: bytes) -> str:
    return f"/api/v1/blobs/{as_id(sha256(data))}"


def get(desk: Desk, shop: Loopback, *more: object, name: str = NAME) -> tuple[int, str, str]:
    return desk.assay("download", name, "--registry", shop.url, "--to", desk.folder / "got", *more)


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("name", [NAME, "alice/tiny"])
def test_a_checkpoint_appears_with_its_evidence(desk: Desk, shop: Loopback, name: str) -> None:
    desk.pin()
    code, out, _ = get(desk, shop, name=name)
    got = desk.folder / "got"
    assert (code, "Verified." in out, str(got) in out) == (0, True, True)
    assert {each: (got / each).read_bytes() for each in FILES} == dict(FILES)
    ours = Bundle.parse(canonical.loads((got / SIGNATURE_NAME).read_bytes()))
    theirs = canonical.loads((got / SIGSTORE_NAME).read_bytes())
    assert theirs == canonical.loads(canonical.dumps(ours.to_sigstore_json()))
    assert {path.stat().st_mode & 0o777 for path in got.glob("model.s*")} == {0o644}
    assert desk.assay("verify", got)[0] == 0
    assert not (desk.folder / "got.part").exists()


def test_without_words_it_is_fetched_from_the_one_pinned_registry(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk.folder)
    code, _, err = desk.assay("download", NAME)
    assert (code, "assay trust add URL" in err) == (23, True)
    here = World.create(at=AT, registry=shop.url)
    stock(shop, here)
    desk.pin(here)
    assert desk.assay("download", NAME)[0] == 0
    assert names_in(desk.folder / "tiny-step-100") == {*FILES, *SIGNATURE_NAMES}
    desk.pin()
    code, _, err = desk.assay("download", NAME)
    assert (code, "expected --registry URL, as you trust several" in err) == (34, True)


def test_what_does_not_verify_is_not_downloaded(desk: Desk, shop: Loopback) -> None:
    desk.pin(World.create(at=AT))
    code, out, _ = get(desk, shop)
    assert (code, "Not verified" in out) == (13, True)
    assert not any("/blobs/" in each.path and "Range" in each.headers for each in shop.seen)
    assert not list(desk.folder.glob("got*"))


def test_a_place_that_is_taken_is_left_as_it_is(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    got, parts = desk.folder / "got", desk.folder / "got.part"
    got.symlink_to("nowhere")
    code, _, err = get(desk, shop)
    assert (code, "expected nothing at" in err) == (35, True)
    got.unlink()
    beside = desk.folder / "got.assay.json"
    beside.write_text("mine")
    assert (get(desk, shop)[0], beside.read_text()) == (35, "mine")
    beside.unlink()
    parts.mkdir()
    (parts / "mine").touch()
    code, _, err = get(desk, shop)
    assert (code, "found other files" in err) == (45, True)
    assert [each.name for each in parts.iterdir()] == ["mine"]
    assert "give it a name" in get(desk, shop, "--to", ".")[2]


def test_parts_of_another_checkpoint_are_left_as_they_are(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    memory = desk.folder / "got.part" / "memory"
    memory.mkdir(parents=True)
    (memory / "checkpoint").write_text("0" * 64)
    code, _, err = get(desk, shop)
    assert (code, "to hold parts of this checkpoint, found others" in err) == (45, True)


def test_one_download_fills_a_folder_at_a_time(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    manifest = manifest_of(FILES)
    with downloads.Parts.of(desk.folder / "got.part", manifest):
        code, _, err = get(desk, shop)
    assert (code, "another download is filling" in err) == (45, True)
    assert get(desk, shop)[0] == 0


def test_one_that_was_killed_at_its_very_end_is_ended_by_the_next(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pin()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(downloads.Parts, "become", killed)
        with pytest.raises(KeyboardInterrupt):
            download.run(words(shop, desk), terminal=QUIET, progress=QUIET)
    assert (desk.folder / "got.assay.json").exists()
    assert get(desk, shop)[0] == 0


def test_one_that_was_killed_while_it_wrote_a_signature_is_ended_by_the_next(
    desk: Desk, shop: Loopback
) -> None:
    desk.pin()
    by = "os.fchmod = lambda *_: os.kill(os.getpid(), 9)"
    desk.killed(by, "download", NAME, "--registry", shop.url, "--to", desk.folder / "got")
    assert list(desk.folder.rglob(".model.sig.*.part"))
    assert get(desk, shop)[0] == 0
    assert names_in(desk.folder / "got") == {*FILES, *SIGNATURE_NAMES}


def words(shop: Loopback, desk: Desk) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    download.add_arguments(parser)
    return parser.parse_args([NAME, "--registry", shop.url, "--to", str(desk.folder / "got")])


@pytest.mark.parametrize("name", ["alice/other@step-100", "bob/tiny@step-100", "alice/tiny@step-9"])
def test_what_was_not_asked_for_is_refused_though_it_is_sound(
    desk: Desk, shop: Loopback, name: str
) -> None:
    desk.pin()
    project, _, checkpoint = name.partition("@")
    route = f"/api/v1/projects/{project}/checkpoints/{checkpoint}"
    shop.routes["GET", route] = shop.routes["GET", f"{PATH}/step-100"]
    by_id = f"/api/v1/checkpoints/{as_id(manifest_of(FILES).id)}/evidence?project="
    shop.routes["GET", by_id + project] = shop.routes["GET", f"{by_id}alice/tiny"]
    code, _, err = get(desk, shop, name=name)
    assert (code, "expected" in err) == (22, True)
    assert not list(desk.folder.glob("got*"))


def test_what_is_compressed_is_not_unpacked(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    bomb = gzip.compress(gzip.compress(bytes(1 << 20)))
    headers = {"Content-Encoding": "gzip, gzip"}
    shop.on("GET", f"{PATH}/step-100", Answer(body=bomb, headers=headers))
    code, _, err = get(desk, shop)
    assert (code, "found it encoded: 'gzip, gzip'" in err) == (5, True)
    assert {each.headers["Accept-Encoding"] for each in shop.seen} == {"identity"}


def test_a_refusal_ends_what_the_other_connections_do(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pin()
    monkeypatch.setattr(downloads, "SEGMENT_BYTES", 100)
    monkeypatch.setattr(attempts, "FIRST_PAUSE_SECONDS", 3600.0)
    shop.routes["GET", blob(FILES[WEIGHTS])] = Answer(status=503)
    other = next(data for name, data in FILES.items() if name != WEIGHTS)
    shop.routes["GET", blob(other)] = Answer(status=403)
    assert get(desk, shop)[0] == 5


def test_a_cut_download_goes_on_where_it_was(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pin()
    monkeypatch.setattr(downloads, "SEGMENT_BYTES", 100)
    monkeypatch.setattr(downloads, "CONNECTIONS", 1)
    monkeypatch.setattr(attempts, "ATTEMPTS", 1)
    route = ("GET", blob(FILES[WEIGHTS]))
    whole = shop.routes[route]
    shop.before[route] = [whole, replace(whole, is_cut=True)]
    code, _, err = get(desk, shop)
    assert (code, "received" in err) == (6, True)
    assert not (desk.folder / "got").exists()
    asked = ranges(shop, route[1])
    assert get(desk, shop)[0] == 0
    again = ranges(shop, route[1])[len(asked) :]
    assert asked[0] not in again
    assert asked[1] in again


def ranges(shop: Loopback, path: str) -> list[str]:
    return [each.headers["Range"] for each in shop.seen if each.path == path]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_asked_for_again(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    desk.pin()
    monkeypatch.setattr(attempts, "FIRST_PAUSE_SECONDS", 0.001)
    route = ("GET", blob(FILES[WEIGHTS]))
    shop.before[route] = [Answer(status=status), replace(shop.routes[route], is_cut=True)]
    assert get(desk, shop)[0] == 0
    assert len(ranges(shop, route[1])) == 3


def test_what_is_refused_is_not_asked_for_again(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    route = ("GET", blob(FILES[WEIGHTS]))
    shop.routes[route] = Answer(status=403)
    code, _, err = get(desk, shop)
    assert (code, "answered 403" in err) == (5, True)
    assert len(ranges(shop, route[1])) == 1


def test_what_arrived_damaged_is_fetched_once_more(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    route = ("GET", blob(FILES[WEIGHTS]))
    damaged = replace(shop.routes[route], body=bytes(len(FILES[WEIGHTS])))
    shop.before[route] = [damaged]
    assert get(desk, shop)[0] == 0
    assert len(ranges(shop, route[1])) == 2


def test_other_bytes_never_appear(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    route = ("GET", blob(FILES[WEIGHTS]))
    shop.routes[route] = replace(shop.routes[route], body=bytes(len(FILES[WEIGHTS])))
    code, out, _ = get(desk, shop)
    assert (code, f"changed: {WEIGHTS}" in " ".join(out.split())) == (20, True)
    assert not (desk.folder / "got").exists()


@pytest.mark.parametrize(
    "answer",
    [
        Answer(body=FILES[WEIGHTS]),
        Answer(status=206, body=b"x", headers={"Content-Range": "bytes 5-9/10"}),
    ],
)
def test_another_range_than_was_asked_for_is_refused(
    desk: Desk, shop: Loopback, answer: Answer
) -> None:
    desk.pin()
    shop.routes["GET", blob(FILES[WEIGHTS])] = answer
    code, _, err = get(desk, shop)
    assert (code, "expected bytes 0-" in err) == (5, True)


def test_more_bytes_than_were_asked_for_are_not_taken(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pin()
    monkeypatch.setattr(attempts, "ATTEMPTS", 1)
    size = len(FILES[WEIGHTS])
    headers = {"Content-Range": f"bytes 0-{size - 1}/{size}"}
    shop.routes["GET", blob(FILES[WEIGHTS])] = Answer(
        status=206, body=FILES[WEIGHTS] + b"more", headers=headers
    )
    code, _, err = get(desk, shop)
    assert (code, f"expected {size} bytes" in err) == (6, True)


def test_a_checkpoint_of_another_id_is_refused(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    other = desk.world.evidence_for_checkpoint({"config.json": b"{}"})
    stock(shop, desk.world, other)
    code, _, err = get(desk, shop)
    assert (code, "evidence.manifest: expected sha256:" in err) == (10, True)


def test_a_signature_of_other_bytes_is_refused(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    served = {path for _, path in shop.routes if "/blobs/" in path}
    (signature,) = served - {blob(data) for data in FILES.values()}
    shop.on("GET", signature, Answer(body=b"{}"))
    code, _, err = get(desk, shop)
    assert (code, "expected a blob sha256:" in err) == (19, True)


def test_a_checkpoint_without_a_signature_beside_it_is_whole(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    document = {"id": as_id(manifest_of(FILES).id), "name": "step-100", "signature": None}
    shop.on_json("GET", f"{PATH}/step-100", document)
    assert get(desk, shop)[0] == 0
    assert names_in(desk.folder / "got") == set(FILES)


def test_what_was_signed_before_there_were_two_wrappers_gets_one(
    desk: Desk, shop: Loopback
) -> None:
    desk.pin()
    model = oms.parse(oms.statement("tiny", manifest_of(FILES)))
    before = replace(model, ignored=oms.IGNORED_BEFORE).statement()
    bundle = desk.world.bundle(desk.world.sign(before, Purpose.CHECKPOINT, "alice"))
    signature = canonical.dumps(bundle.to_json())
    shop.on("GET", blob(signature), Answer(body=signature))
    document = json.loads(shop.routes["GET", f"{PATH}/step-100"].body)
    document["signature"] = {"sha256": sha256(signature), "size": len(signature)}
    shop.on_json("GET", f"{PATH}/step-100", document)
    assert get(desk, shop)[0] == 0
    assert names_in(desk.folder / "got") == {*FILES, SIGNATURE_NAME}


@pytest.mark.parametrize("name", ["alice", "alice/../x", "alice/tiny@", "Alice/tiny", "a/b/c", ""])
def test_a_name_that_is_none_is_refused(desk: Desk, shop: Loopback, name: str) -> None:
    desk.pin()
    code, _, err = get(desk, shop, name=name)
    assert (code, "expected OWNER/PROJECT or OWNER/PROJECT@CHECKPOINT" in err) == (10, True)
    assert shop.seen == []


@pytest.mark.parametrize("results", [[], [{"name": "../../x"}]])
def test_a_project_without_a_usable_checkpoint_is_refused(
    desk: Desk, shop: Loopback, results: list[object]
) -> None:
    desk.pin()
    shop.on_json("GET", PATH, {"results": results})
    code, _, _ = get(desk, shop, name="alice/tiny")
    assert code == 10


def test_a_full_disk_leaves_what_came_for_the_next_call(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pin()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "got")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        code, _, err = get(desk, shop)
    assert (code, "No space left on device" in err) == (30, True)
    assert get(desk, shop)[0] == 0


def test_programs_are_told_in_json(desk: Desk, shop: Loopback) -> None:
    desk.pin()
    code, out, _ = get(desk, shop, "--json")
    assert (code, json.loads(out)["verified"]) == (0, True)


def test_a_token_is_sent_if_there_is_one(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pin()
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    get(desk, shop)
    assert {each.headers["Authorization"] for each in shop.seen} == {f"Bearer {TOKEN}"}
