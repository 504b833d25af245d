# SPDX-License-Identifier: Apache-2.0
"""`assay mirror`: what a registry answers, at its worst, and what lies in the mirror's place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assay.signing.certificates import Purpose
from assay.signing.commands import mirror
from assay.signing.digests import as_id
from tests.signing.client.registry import Answer, Loopback, loopback
from tests.signing.commands.desk import Desk
from tests.signing.commands.test_download import PATH, blob, stock
from tests.signing.world import AT, FILES, World, checkpoint_claim, manifest_of

LIST = f"{PATH}?page_size=100"


@pytest.fixture
def shop(desk: Desk) -> Iterator[Loopback]:
    """A registry that shows one checkpoint."""
    with loopback() as registry:
        stock(registry, desk.world)
        registry.on_json("GET", LIST, {"results": [{"name": "step-100"}], "next": None})
        desk.pin()
        yield registry


def mirrored(
    desk: Desk, shop: Loopback, *more: object, name: str = "alice/tiny"
) -> tuple[int, str, str]:
    words = ("mirror", name, desk.folder / "kept", "--registry", shop.url)
    return desk.assay(*words, *more)


def inside(desk: Desk) -> Path:
    return desk.folder / "kept" / "checkpoints"


def test_a_project_becomes_a_folder(desk: Desk, shop: Loopback) -> None:
    code, out, _ = mirrored(desk, shop)
    assert (code, "1 of alice/tiny verified, 1 of them new" in " ".join(out.split())) == (0, True)
    kept = {name: (inside(desk) / "step-100" / name).read_bytes() for name in FILES}
    assert kept == dict(FILES)
    assert desk.assay("verify", inside(desk) / "step-100")[0] == 0
    assert (desk.folder / "kept" / "index.html").stat().st_mode & 0o777 == 0o644


def test_the_list_is_read_to_its_end(desk: Desk, shop: Loopback) -> None:
    following = f"{shop.url}{PATH}?cursor=more"
    shop.on_json("GET", LIST, {"results": [], "next": following})
    shop.on_json("GET", f"{LIST}&cursor=more", {"results": [{"name": "step-100"}], "next": None})
    assert mirrored(desk, shop)[0] == 0


def test_a_list_without_an_end_ends(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "MAX_PAGES", 2)
    following = {"results": [], "next": f"{shop.url}{PATH}?cursor=more"}
    shop.on_json("GET", LIST, following)
    shop.on_json("GET", f"{LIST}&cursor=more", following)
    code, _, err = mirrored(desk, shop)
    assert (code, "at most 2 pages" in " ".join(err.split())) == (10, True)


def test_a_project_with_nothing_in_it_makes_no_mirror(desk: Desk, shop: Loopback) -> None:
    shop.on_json("GET", LIST, {"results": [], "next": None})
    code, _, err = mirrored(desk, shop)
    assert (code, "a published checkpoint" in err) == (10, True)
    assert not (desk.folder / "kept").exists()


def test_what_does_not_verify_is_said_and_not_kept(desk: Desk, shop: Loopback) -> None:
    shop.on("GET", blob(FILES["config.json"]), Answer(body=b"?" * 13, has_ranges=True))
    code, out, err = mirrored(desk, shop, "--json")
    assert (code, json.loads(out)["error"]["code"]) == (20, "file-mismatch")
    assert "changed: config.json" in " ".join(err.split())
    assert {path.name for path in inside(desk).iterdir()} == {"step-100.part"}
    stock(shop, desk.world)
    assert mirrored(desk, shop)[0] == 0
    assert {path.name for path in inside(desk).iterdir()} == {
        "step-100",
        "step-100.assay.json",
        "step-100.signed",
    }


def test_a_file_that_is_gone_is_fetched_again_once_its_folder_is(
    desk: Desk, shop: Loopback
) -> None:
    mirrored(desk, shop)
    (inside(desk) / "step-100" / "config.json").unlink()
    code, _, err = mirrored(desk, shop)
    assert (code, "expected nothing at" in " ".join(err.split())) == (35, True)


def test_the_mirror_of_another_project_is_left(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    marker = desk.folder / "kept" / "mirror.json"
    said = json.loads(marker.read_bytes())
    others: list[object] = [{**said, "project": "alice/other"}, {}, []]
    for other in others:
        marker.write_text(json.dumps(other))
        assert mirrored(desk, shop)[0] in {10, 35}
        assert json.loads(marker.read_bytes()) == other


def test_what_is_no_mirror_is_left(desk: Desk, shop: Loopback) -> None:
    (desk.folder / "kept").mkdir()
    (desk.folder / "kept" / "mine").write_text("mine")
    assert mirrored(desk, shop)[0] == 35
    assert shop.seen == []


def test_a_place_that_cannot_be_is_an_error_and_no_traceback(desk: Desk, shop: Loopback) -> None:
    (desk.folder / "kept").write_text("a file")
    code, _, err = mirrored(desk, shop)
    assert (code, "Not a directory" in err) == (30, True)


def test_a_damaged_file_of_the_mirror_is_fetched_and_mended(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    folder = inside(desk) / "step-100"
    damaged = folder / "model.safetensors"
    damaged.write_bytes(bytes(256))
    folder.rename(inside(desk) / "older")
    (inside(desk) / "step-100.assay.json").rename(inside(desk) / "older.assay.json")
    shop.on("GET", blob(FILES["model.safetensors"]), Answer(status=404))
    assert mirrored(desk, shop)[0] != 0  # and what was taken over is there already, the next time
    stock(shop, desk.world)
    assert mirrored(desk, shop)[0] == 0
    kept = inside(desk) / "step-100" / "model.safetensors"
    assert kept.read_bytes() == FILES["model.safetensors"]
    assert kept.samefile(inside(desk) / "older" / "model.safetensors")  # and is mended


def second(desk: Desk, shop: Loopback) -> None:
    """Another checkpoint of the project, with one file more."""
    files = {**FILES, "more.txt": b"more"}
    manifest, world = manifest_of(files), desk.world
    claim = replace(checkpoint_claim(world.registry, manifest, run=None), name="step-200")
    evidence = world.evidence_for_upload(files)
    bundle = world.bundle(world.sign(claim.statement(), Purpose.CHECKPOINT, world.alice))
    evidence = replace(evidence, bundles={**evidence.bundles, "checkpoint": bundle})
    document = {"id": as_id(manifest.id), "name": "step-200", "signature": None}
    shop.on_json("GET", f"{PATH}/step-200", document)
    by_id = f"/api/v1/checkpoints/{as_id(manifest.id)}/evidence?project=alice/tiny"
    shop.on("GET", by_id, Answer(body=evidence.canonical()))
    shop.on("GET", blob(b"more"), Answer(body=b"more", has_ranges=True))


def test_a_second_run_fetches_only_what_is_new(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    assert "0 of them new" in " ".join(mirrored(desk, shop)[1].split())
    second(desk, shop)
    listed = {"results": [{"name": "step-200"}, {"name": "step-100"}], "next": None}
    shop.on_json("GET", LIST, listed)
    shop.seen.clear()
    _, out, _ = mirrored(desk, shop, "--json")
    assert json.loads(out)["added"] == ["step-200"]
    fetched = [each.path for each in shop.seen if "Range" in each.headers]
    assert fetched == [blob(b"more")]
    one, other = (inside(desk) / name / "config.json" for name in ("step-100", "step-200"))
    assert one.samefile(other)


def test_of_one_that_is_chosen_the_others_stay(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    second(desk, shop)
    _, out, _ = mirrored(desk, shop, "--json", name="alice/tiny@step-200")
    names = [each["name"] for each in json.loads(out)["checkpoints"]]
    assert names == ["step-200", "step-100"]
    sums = (desk.folder / "kept" / "SHA256SUMS").read_text()
    assert "checkpoints/step-100/config.json" in sums


def test_what_was_cut_off_before_its_end_is_gone_on_with(desk: Desk, shop: Loopback) -> None:
    inside(desk).mkdir(parents=True)
    assert mirrored(desk, shop)[0] == 0


def test_what_no_longer_verifies_is_said_and_left(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    before = (inside(desk) / "step-100.assay.json").read_bytes()
    stock(shop, World.create(at=AT))
    assert mirrored(desk, shop)[0] == 13
    assert (inside(desk) / "step-100.assay.json").read_bytes() == before
