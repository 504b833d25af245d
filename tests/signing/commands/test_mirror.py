# SPDX-License-Identifier: Apache-2.0
"""`assay mirror`: what a registry answers, at its worst, and what lies in the mirror's place."""

from __future__ import annotations

import errno
import json
import os
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
BESIDE = 2  # signatures in the first checkpoint's folder


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


def files(desk: Desk, name: str = "step-100") -> Path:
    return inside(desk) / name / "files"


def test_a_project_becomes_a_folder(desk: Desk, shop: Loopback) -> None:
    code, out, _ = mirrored(desk, shop)
    assert (code, "1 of alice/tiny verified, 1 of them new" in " ".join(out.split())) == (0, True)
    assert {name: (files(desk) / name).read_bytes() for name in FILES} == dict(FILES)
    assert desk.assay("verify", files(desk))[0] == 0
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
    assert {path.name for path in (inside(desk) / "step-100").iterdir()} == {"files.part"}
    stock(shop, desk.world)
    assert mirrored(desk, shop)[0] == 0
    assert {path.name for path in inside(desk).iterdir()} == {"step-100"}
    assert {path.name for path in (inside(desk) / "step-100").iterdir()} == {
        ".verified",
        "files",
        "files.assay.json",
        "proofs",
    }


def changed(path: Path, content: bytes) -> None:
    """As an editor does, or a copy that was cut off."""
    path.unlink()  # and not what else is this file
    path.write_bytes(content)


def rotten(path: Path) -> None:
    """As a disk does: neither its size nor its time is another."""
    stamps = path.stat()
    path.write_bytes(bytes(stamps.st_size))
    os.utime(path, ns=(stamps.st_atime_ns, stamps.st_mtime_ns))


@pytest.mark.parametrize("way", ["gone", "cut", "altered", "a folder", "a link"])
def test_a_file_that_is_not_what_it_was_is_told_and_mended(
    desk: Desk, shop: Loopback, way: str
) -> None:
    mirrored(desk, shop)
    path = files(desk) / "config.json"
    match way:
        case "cut":
            changed(path, FILES["config.json"][:-1])
        case "altered":
            changed(path, b"?" * len(FILES["config.json"]))
        case "a link":
            path.rename(desk.folder / "elsewhere")
            path.symlink_to(desk.folder / "elsewhere")
        case _:
            path.unlink()
    shop.seen.clear()
    code, out, err = mirrored(desk, shop, "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["mended"] == ["checkpoints/step-100/files/config.json"]
    assert (path.is_symlink(), path.read_bytes()) == (False, FILES["config.json"])
    fetched = [each.path for each in shop.seen if "Range" in each.headers]
    assert fetched == [blob(FILES["config.json"])]
    assert sorted(each.name for each in (inside(desk) / "step-100").iterdir()) == [
        ".verified",
        "files",
        "files.assay.json",
        "proofs",
    ]
    assert json.loads(mirrored(desk, shop, "--json")[1])["mended"] == []


def test_a_person_is_told_what_was_mended(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    (files(desk) / "config.json").unlink()
    _, out, _ = mirrored(desk, shop)
    said = " ".join(out.split())
    assert "Mended: checkpoints/step-100/files/config.json was altered, or gone." in said


def test_what_has_rotted_is_found_where_all_is_read_again(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    path = files(desk) / "config.json"
    rotten(path)
    assert json.loads(mirrored(desk, shop, "--json")[1])["mended"] == []
    _, out, _ = mirrored(desk, shop, "--json", "--rehash")
    assert json.loads(out)["mended"] == ["checkpoints/step-100/files/config.json"]
    assert path.read_bytes() == FILES["config.json"]


def test_a_time_that_is_another_is_no_fault_of_the_bytes(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    for path in (files(desk) / name for name in FILES):
        os.utime(path, (1, 1))
    shop.seen.clear()
    assert json.loads(mirrored(desk, shop, "--json")[1])["mended"] == []
    assert not [each for each in shop.seen if "Range" in each.headers]


@pytest.mark.parametrize("lost", [".verified", "files.assay.json"])
@pytest.mark.parametrize("instead", [None, b"garbage"])
def test_what_a_mirror_forgot_is_made_again(
    desk: Desk, shop: Loopback, lost: str, instead: bytes | None
) -> None:
    mirrored(desk, shop)
    path = inside(desk) / "step-100" / lost
    before = path.read_bytes()
    path.unlink()
    if instead is not None:
        path.write_bytes(instead)
    document = json.loads(mirrored(desk, shop, "--json")[1])
    assert (document["added"], document["mended"]) == ([], [])
    assert path.read_bytes() == before


def test_where_mending_fails_the_mirror_stays_and_it_is_gone_on_with(
    desk: Desk, shop: Loopback
) -> None:
    mirrored(desk, shop)
    (files(desk) / "config.json").unlink()
    shop.on("GET", blob(FILES["config.json"]), Answer(body=b"?" * 13, has_ranges=True))
    assert mirrored(desk, shop)[0] == 20
    assert not (files(desk) / "config.json").exists()
    stock(shop, desk.world)
    (inside(desk) / "step-100" / "mended").mkdir()  # as a call that was killed leaves it
    assert json.loads(mirrored(desk, shop, "--json")[1])["mended"] != []


def test_another_checkpoint_of_the_same_name_is_left(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    second(desk, shop)
    mirrored(desk, shop, name="alice/tiny@step-200")
    (inside(desk) / "step-100").rename(inside(desk) / "first")
    (inside(desk) / "step-200").rename(inside(desk) / "step-100")
    code, _, err = mirrored(desk, shop)
    assert (code, "to be of this checkpoint, found another" in " ".join(err.split())) == (35, True)


@pytest.mark.parametrize("name", ["step-100.part", "step-100.signed", "step-100.assay.json"])
def test_no_name_is_another_checkpoints_place(desk: Desk, shop: Loopback, name: str) -> None:
    second(desk, shop, name)
    listed = {"results": [{"name": name}, {"name": "step-100"}], "next": None}
    shop.on_json("GET", LIST, listed)
    for _ in range(2):
        assert mirrored(desk, shop)[0] == 0
    assert {path.name for path in inside(desk).iterdir()} == {"step-100", name}
    assert desk.assay("verify", files(desk, name))[0] == 0
    assert desk.assay("verify", files(desk))[0] == 0


def test_a_project_that_was_moved_is_mirrored_by_who_knows_its_other_name(
    desk: Desk, shop: Loopback
) -> None:
    for (method, path), answer in list(shop.routes.items()):
        shop.on(method, path.replace("alice/tiny", "alice/new"), answer)
    code, _, err = mirrored(desk, shop, name="alice/new")
    assert (code, "add --signed-as alice/tiny" in " ".join(err.split())) == (22, True)
    assert mirrored(desk, shop, "--signed-as", "alice/tiny", name="alice/new")[0] == 0
    assert mirrored(desk, shop, "--signed-as", "alice/other", name="alice/new")[0] == 22
    code, _, err = mirrored(desk, shop, "--signed-as", "alice", name="alice/new")
    assert (code, "--signed-as: expected OWNER/PROJECT" in " ".join(err.split())) == (10, True)


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
    rotten(files(desk) / "model.safetensors")
    (inside(desk) / "step-100").rename(inside(desk) / "older")
    shop.on("GET", blob(FILES["model.safetensors"]), Answer(status=404))
    assert mirrored(desk, shop)[0] != 0  # and what was taken over is there already, the next time
    stock(shop, desk.world)
    assert mirrored(desk, shop)[0] == 0
    kept = files(desk) / "model.safetensors"
    assert kept.read_bytes() == FILES["model.safetensors"]
    assert kept.samefile(files(desk, "older") / "model.safetensors")  # and is mended


def second(desk: Desk, shop: Loopback, name: str = "step-200") -> None:
    """Another checkpoint of the project, with one file more."""
    found = {**FILES, "more.txt": b"more"}
    manifest, world = manifest_of(found), desk.world
    claim = replace(checkpoint_claim(world.registry, manifest, run=None), name=name)
    evidence = world.evidence_for_upload(found)
    bundle = world.bundle(world.sign(claim.statement(), Purpose.CHECKPOINT, world.alice))
    evidence = replace(evidence, bundles={**evidence.bundles, "checkpoint": bundle})
    document = {"id": as_id(manifest.id), "name": name, "signature": None}
    shop.on_json("GET", f"{PATH}/{name}", document)
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
    one, other = (files(desk, name) / "config.json" for name in ("step-100", "step-200"))
    assert one.samefile(other)


def test_on_a_disk_without_second_names_nothing_is_copied_that_is_there(
    desk: Desk, shop: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    mirrored(desk, shop)
    second(desk, shop)
    listed = {"results": [{"name": "step-200"}, {"name": "step-100"}], "next": None}
    shop.on_json("GET", LIST, listed)
    assert mirrored(desk, shop)[0] == 0
    before = {path: path.stat().st_ino for path in inside(desk).glob("*/files/*")}
    assert len(before) == len(set(before.values())) == 2 * len(FILES) + 1 + BESIDE
    (files(desk) / "config.json").unlink()
    assert json.loads(mirrored(desk, shop, "--json")[1])["mended"] != []
    after = {path: path.stat().st_ino for path in before}
    assert {path.name for path in before if before[path] != after[path]} == {"config.json"}


# On a disk without second names a file is copied, and the process killed amid the copying.
KILLED = """
copy = shutil.copy2
def refuse(*_):
    raise OSError(1, "Operation not permitted")
def copy_half(source, part):
    if {source!r} not in str(source):
        return copy(source, part)
    open(part, "wb").write(b"half")
    os.kill(os.getpid(), 9)
os.link, shutil.copy2 = refuse, copy_half
"""


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("step-100/files/", id="taking over what the mirror has"),
        pytest.param("step-200/files/", id="sharing what is new"),
        pytest.param("mended/", id="mending"),
    ],
)
def test_a_copy_that_was_killed_harms_no_later_call(
    desk: Desk, shop: Loopback, source: str
) -> None:
    mirrored(desk, shop)
    if source == "mended/":
        (files(desk) / "config.json").unlink()
    else:
        second(desk, shop)
        listed = {"results": [{"name": "step-200"}, {"name": "step-100"}], "next": None}
        shop.on_json("GET", LIST, listed)
    words = ("mirror", "alice/tiny", desk.folder / "kept", "--registry", shop.url)
    desk.killed(KILLED.format(source=source), *words)
    assert list(inside(desk).rglob(".*.part"))
    assert mirrored(desk, shop)[0] == 0
    assert not list(inside(desk).rglob("*.part"))
    for each in inside(desk).iterdir():
        assert desk.assay("verify", each / "files")[0] == 0


def test_of_one_that_is_chosen_the_others_stay(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    second(desk, shop)
    _, out, _ = mirrored(desk, shop, "--json", name="alice/tiny@step-200")
    names = [each["name"] for each in json.loads(out)["checkpoints"]]
    assert names == ["step-200", "step-100"]
    sums = (desk.folder / "kept" / "SHA256SUMS").read_text()
    assert "checkpoints/step-100/files/config.json" in sums


def test_what_was_cut_off_before_its_end_is_gone_on_with(desk: Desk, shop: Loopback) -> None:
    inside(desk).mkdir(parents=True)
    assert mirrored(desk, shop)[0] == 0


def test_what_no_longer_verifies_is_said_and_left(desk: Desk, shop: Loopback) -> None:
    mirrored(desk, shop)
    before = (inside(desk) / "step-100" / "files.assay.json").read_bytes()
    stock(shop, World.create(at=AT))
    assert mirrored(desk, shop)[0] == 13
    assert (inside(desk) / "step-100" / "files.assay.json").read_bytes() == before
