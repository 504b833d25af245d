# SPDX-License-Identifier: Apache-2.0
"""`assay publish` sends nothing twice, and says "published" of nothing that it has not verified."""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from assay.signing.client import RegistryClient, attempts, publishing, uploads
from assay.signing.client.publishing import Publication
from assay.signing.commands import bar, publish
from assay.signing.commands.terminal import Terminal
from assay.signing.digests import as_id
from assay.signing.manifest import FileEntry
from tests.signing.client.registry import Answer, Loopback, loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.commands.test_download import PATH, blob, stock
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, FILES, World, manifest_of
from tests.until import until

NAME = "alice/tiny@step-100"
ID = as_id(manifest_of(FILES).id)
ROUTE = ("GET", f"{PATH}/step-100")
WEIGHTS = max(FILES, key=lambda name: len(FILES[name]))


@pytest.fixture
def folder(desk: Desk) -> Path:
    """The files that are to be published."""
    folder = desk.folder / "model"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture
def office(desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A registry that has nothing yet, and publishes what it is handed."""
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    monkeypatch.setattr(attempts, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(publishing, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(publish, "POLL_SECONDS", 0.001)
    desk.pin()
    with loopback() as registry:
        opened(registry, desk.world)
        yield registry


def opened(registry: Loopback, world: World) -> None:
    registry.on_json("GET", "/api/v1/projects/alice/tiny", {"project": "alice/tiny"})
    stock(registry, world)
    stated = json.loads(registry.routes[ROUTE].body)
    shown(registry, {**stated, "state": "published", "url": f"{registry.url}/alice/tiny/step-100"})
    registry.before[ROUTE] = [Answer(status=404), at(registry, "received"), at(registry, "signed")]
    registry.on_json("POST", PATH, {"id": ID, "state": "received", "url": "x"}, status=202)
    for data in FILES.values():
        registry.on("PUT", blob(data), Answer(status=201))


def shown(registry: Loopback, document: object) -> None:
    registry.on_json(*ROUTE, document)


def at(registry: Loopback, state: str, **more: object) -> Answer:
    stated = json.loads(registry.routes[ROUTE].body)
    return Answer(body=json.dumps({**stated, "state": state, **more}).encode())


def put(desk: Desk, office: Loopback, *more: object, name: str = NAME) -> tuple[int, str, str]:
    return desk.assay("publish", desk.folder / "model", name, "--registry", office.url, *more)


def sent(office: Loopback, method: str = "PUT") -> list[str]:
    return sorted(each.path for each in office.seen if each.method == method)


def test_what_is_missing_is_sent_handed_in_awaited_and_verified(
    desk: Desk, office: Loopback
) -> None:
    code, out, _ = put(desk, office)
    assert code == 0
    assert out.index("Verified.") < out.index("Published.")
    assert f"{office.url}/alice/tiny/step-100\n  3 files, 276 bytes; 3 files sent" in out
    assert sent(office) == sorted(blob(data) for data in FILES.values())
    assert {each.body for each in office.seen if each.method == "PUT"} == set(FILES.values())
    (posted,) = [each for each in office.seen if each.method == "POST"]
    manifest = manifest_of(FILES).to_json()
    assert json.loads(posted.body) == {"name": "step-100", "manifest": manifest}
    assert posted.headers["Idempotency-Key"]
    assert {each.headers["Authorization"] for each in office.seen} == {f"Bearer {TOKEN}"}


def test_what_the_registry_has_from_this_caller_is_not_sent(desk: Desk, office: Loopback) -> None:
    office.on("HEAD", blob(FILES[WEIGHTS]), Answer(body=FILES[WEIGHTS]))
    code, out, _ = put(desk, office)
    assert (code, "2 files sent" in out) == (0, True)
    assert blob(FILES[WEIGHTS]) not in sent(office)


def test_what_is_damaged_at_the_registry_is_sent_again(desk: Desk, office: Loopback) -> None:
    office.on("HEAD", blob(FILES[WEIGHTS]), Answer(status=503))
    assert put(desk, office)[0] == 0
    assert blob(FILES[WEIGHTS]) in sent(office)


def test_what_was_handed_in_before_is_awaited(desk: Desk, office: Loopback) -> None:
    del office.before[ROUTE][0]
    code, out, _ = put(desk, office)
    assert (code, "0 files sent, 0 bytes" in out) == (0, True)
    assert sent(office, "HEAD") == sent(office, "PUT") == sent(office, "POST") == []


def test_what_was_rejected_before_is_handed_in_anew(desk: Desk, office: Loopback) -> None:
    office.before[ROUTE][0] = at(office, "rejected", reason="it could not be signed")
    assert put(desk, office)[0] == 0
    assert len(sent(office, "POST")) == 1


def test_a_rejection_is_said_with_its_reason(desk: Desk, office: Loopback) -> None:
    office.before[ROUTE][1] = at(office, "rejected", reason="no certificate")
    code, out, err = put(desk, office)
    assert (code, "found it rejected: no certificate" in err, out) == (39, True, "")
    office.before[ROUTE] = [Answer(status=404), at(office, "rejected", reason="")]
    assert "no reason was given" in put(desk, office)[2]


def test_a_name_that_other_files_have_is_refused_before_anything_is_sent(
    desk: Desk, office: Loopback
) -> None:
    other = as_id("0" * 64)
    office.before[ROUTE] = [at(office, "published", id=other)]
    code, _, err = put(desk, office, "--json")
    assert (code, f"step-100 is {other}" in err) == (39, True)
    assert sent(office) == sent(office, "HEAD") == []


def test_one_that_takes_too_long_goes_on_at_the_registry(
    desk: Desk, office: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "LIMIT_SECONDS", 0.0)
    office.before[ROUTE] = [Answer(status=404), Answer(status=404)]
    code, _, err = put(desk, office)
    assert (code, "found it on its way" in err) == (39, True)
    assert put(desk, office)[0] == 0


@pytest.mark.parametrize("status", [429, 503])
def test_what_may_pass_is_asked_again(desk: Desk, office: Loopback, status: int) -> None:
    busy = Answer(status=status)
    running = Answer(status=409, body=b'{"code":"idempotency-in-progress"}')
    office.before["HEAD", blob(FILES[WEIGHTS])] = [busy]
    office.before["PUT", blob(FILES[WEIGHTS])] = [busy, busy]
    office.before["POST", PATH] = [busy, running]
    office.before[ROUTE].append(busy)
    office.before["GET", f"/api/v1/checkpoints/{ID}/evidence?project=alice/tiny"] = [busy]
    code, out, _ = put(desk, office)
    assert (code, "3 files sent" in out) == (0, True)
    keys = {each.headers["Idempotency-Key"] for each in office.seen if each.method == "POST"}
    assert (len(keys), len(sent(office, "POST"))) == (1, 3)


def test_what_arrived_though_the_answer_was_lost_is_not_sent_again(
    desk: Desk, office: Loopback
) -> None:
    route = blob(FILES[WEIGHTS])
    office.before["PUT", route] = [Answer(status=502)]
    office.before["HEAD", route] = [Answer(status=404), Answer()]
    assert put(desk, office)[0] == 0
    assert sent(office).count(route) == 1


def test_a_refusal_is_in_the_registrys_words_one_a_line(desk: Desk, office: Loopback) -> None:
    errors = [
        {"field": "a.bin", "message": "expected text, found a pickle"},
        {"field": "b.json", "message": "expected no key twice, found 'a'"},
        "nonsense",
    ]
    said = "; ".join(f"{e['field']}: {e['message']}" for e in errors if isinstance(e, dict))
    problem = {"title": "Files cannot be published", "detail": said, "errors": errors}
    office.on_json("POST", PATH, {**problem, "code": "content-refused"}, status=422)
    code, _, err = put(desk, office)
    assert (code, err.count("found a pickle")) == (5, 1)
    assert "422: Files cannot be published a.bin: expected text" in err
    office.before[ROUTE] = [Answer(status=404)]
    code, out, _ = put(desk, office, "--json")
    found = json.loads(out)
    assert (found["published"], found["error"]["problem"]) == (False, "content-refused")
    assert found["error"]["reasons"][0] == "a.bin: expected text, found a pickle"
    assert len(found["error"]["reasons"]) == 2


def test_reasons_that_say_more_come_after_the_detail(desk: Desk, office: Loopback) -> None:
    errors = [{"field": "a", "message": "upload sha256:00 first"}]
    problem = {"title": "Not uploaded", "detail": "expected every file, found 1", "errors": errors}
    office.on_json("POST", PATH, problem, status=422)
    assert "422: expected every file, found 1 a: upload sha256:00 first" in put(desk, office)[2]


@pytest.mark.parametrize(("method", "code"), [("HEAD", 5), ("PUT", 5)])
def test_a_refusal_ends_what_the_others_do(
    desk: Desk, office: Loopback, monkeypatch: pytest.MonkeyPatch, method: str, code: int
) -> None:
    monkeypatch.setattr(attempts, "FIRST_PAUSE_SECONDS", 3600.0 if method == "PUT" else 0.001)
    office.on(method, blob(FILES[WEIGHTS]), Answer(status=503))
    other = next(data for name, data in FILES.items() if name != WEIGHTS)
    office.on(method, blob(other), Answer(status=403))
    found, _, err = put(desk, office)
    assert (found, "answered" in err, sent(office, "POST")) == (code, True, [])


def test_a_file_that_becomes_shorter_meanwhile_is_said(
    desk: Desk, office: Loopback, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shorter(client: RegistryClient, entries: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
        found = uploads.missing(client, entries)
        (folder / WEIGHTS).write_bytes(b"short")
        return found

    monkeypatch.setattr(publish, "missing", shorter)
    code, _, err = put(desk, office)
    assert (code, "one that became shorter" in err) == (10, True)


def test_what_changed_on_the_disk_meanwhile_is_not_called_published(
    desk: Desk, office: Loopback, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def longer(
        client: RegistryClient, publication: Publication, *, wait: Callable[[float], bool]
    ) -> None:
        publishing.submit(client, publication, wait=wait)
        (folder / "README.md").write_bytes(b"# Other\n")

    monkeypatch.setattr(publish, "submit", longer)
    code, out, _ = put(desk, office)
    said = " ".join(out.split())
    assert (code, "changed: README.md" in said, "Published." in out) == (20, True, False)
    assert "Do not rely on it." in said


def test_a_link_that_takes_a_files_place_is_not_followed(
    desk: Desk, office: Loopback, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def linked(client: RegistryClient, entries: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
        found = uploads.missing(client, entries)
        (folder / WEIGHTS).unlink()
        (folder / WEIGHTS).symlink_to("/etc/hostname")
        return found

    monkeypatch.setattr(publish, "missing", linked)
    code, _, err = put(desk, office)
    assert (code, os.strerror(errno.ELOOP) in err) == (30, True)


def test_evidence_that_does_not_verify_is_not_called_published(
    desk: Desk, office: Loopback
) -> None:
    stated = office.routes[ROUTE], office.before
    stock(office, World.create(at=AT))
    office.routes[ROUTE], office.before = stated
    code, out, _ = put(desk, office, "--json")
    found = json.loads(out)
    assert (code, found["published"], found["verification"]["verified"]) == (13, False, False)


def test_evidence_of_another_checkpoint_is_refused(desk: Desk, office: Loopback) -> None:
    for method, path in list(office.routes):
        moved = path.replace("alice/tiny", "alice/other")
        office.routes[method, moved] = office.routes[method, path]
    code, out, err = put(desk, office, name="alice/other@step-100")
    assert (code, "expected a checkpoint of alice/other" in err) == (22, True)
    assert "Published" not in out


def test_programs_are_told_in_json(desk: Desk, office: Loopback) -> None:
    code, out, _ = put(desk, office, "--json")
    found = json.loads(out)
    assert (code, found.pop("verification")["verified"]) == (0, True)
    assert found == {
        "published": True,
        "registry": office.url,
        "project": "alice/tiny",
        "checkpoint": "step-100",
        "id": ID,
        "url": f"{office.url}/alice/tiny/step-100",
        "files": 3,
        "bytes": 276,
        "sent_files": 3,
        "sent_bytes": 276,
    }


@pytest.mark.parametrize(
    ("name", "code"), [("alice/tiny", 10), ("alice", 10), ("alice/none@x", 5), ("a/../b@x", 10)]
)
def test_a_name_that_is_none_is_refused(desk: Desk, office: Loopback, name: str, code: int) -> None:
    assert put(desk, office, name=name)[0] == code
    assert not sent(office, "HEAD")


def test_a_folder_that_is_none_is_said(desk: Desk, office: Loopback, folder: Path) -> None:
    code, _, err = desk.assay("publish", folder / WEIGHTS, NAME, "--registry", office.url)
    assert (code, "expected a folder" in err) == (30, True)
    (desk.folder / "empty").mkdir()
    code, _, err = desk.assay("publish", desk.folder / "empty", NAME, "--registry", office.url)
    assert (code, "expected 1 to 10000 entries" in err) == (10, True)


def test_without_trust_or_a_token_nothing_is_asked(
    desk: Desk, office: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_TOKEN")
    code, _, err = put(desk, office)
    assert (code, f"assay login {office.url}" in err) == (37, True)
    monkeypatch.setenv("ASSAY_CONFIG", str(desk.folder / "elsewhere"))
    code, _, err = put(desk, office)
    assert (code, "assay trust add URL" in err) == (23, True)
    assert office.seen == []


def test_what_is_not_part_of_it_is_not_sent(desk: Desk, office: Loopback, folder: Path) -> None:
    (folder / "notes").mkdir()
    (folder / "notes" / "mine.txt").write_text("mine")
    assert put(desk, office, "--ignore", "notes")[0] == 0
    assert len(sent(office)) == 3


def test_an_answer_that_is_none_is_refused(desk: Desk, office: Loopback) -> None:
    office.before[ROUTE] = [Answer(body=b"[]")]
    assert put(desk, office)[0] == 10
    office.before[ROUTE] = [Answer(status=403)]
    assert put(desk, office)[0] == 5


def test_witnesses_that_are_demanded_are_waited_for(
    desk: Desk, office: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    witnesses = Witnesses(world=desk.world)
    (desk.folder / "policy").write_text(witnesses.text())
    seen = witnesses.evidence(desk.world.evidence_for_checkpoint(), w1=AT, w2=AT)
    stated = json.loads(office.routes[ROUTE].body)
    shown(office, {**stated, "signature": None})
    route = ("GET", f"/api/v1/checkpoints/{ID}/evidence?project=alice/tiny")
    unseen, office.routes[route] = office.routes[route], Answer(body=seen.canonical())
    office.before[route] = [unseen]
    policy = ("--policy", desk.folder / "policy")
    assert put(desk, office, *policy)[0] == 0
    office.routes[route] = unseen
    monkeypatch.setattr(publish, "WITNESSED_SECONDS", 0.0)
    code, out, _ = put(desk, office, *policy)
    assert (code, "Published." in out) == (29, False)


def test_on_a_terminal_it_says_how_far_it_is(
    desk: Desk, office: Loopback, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bar, "SHOWN_FROM_BYTES", 1)
    monkeypatch.setattr(bar, "TICK_SECONDS", 0.0001)
    watched, quiet = (
        Terminal(output=io.StringIO(), is_live=is_live, has_colour=False, has_marks=True)
        for is_live in (True, False)
    )
    output = watched.output
    assert isinstance(output, io.StringIO)

    def once_it_is_said(line: uploads.Line, entries: Sequence[FileEntry]) -> None:
        until(lambda: "sending 276 bytes" in output.getvalue())  # by a thread beside this one
        uploads.send(line, entries)

    monkeypatch.setattr(publish, "send", once_it_is_said)
    parser = argparse.ArgumentParser()
    publish.add_arguments(parser)
    words = parser.parse_args([str(folder), NAME, "--registry", office.url])
    assert publish.run(words, terminal=quiet, progress=watched) == 0
    shown_there = output.getvalue()
    for state in ("received", "signed", "published"):
        assert re.search(rf"{NAME}: {state}, \d+ s", shown_there)
    assert shown_there.endswith("\r\x1b[K")
