# SPDX-License-Identifier: Apache-2.0
"""A person's upload over HTTP: what is acknowledged, and what is a problem that says why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpResponse

from assay.signing.manifest import Manifest
from registry.audit.models import AuditRow
from registry.catalog import services
from registry.catalog.models import Checkpoint, State
from tests.registry.catalog.world import FILES, World, by_person, upload
from tests.registry.people import client_of

URL = "/api/v1/projects/lab/small/checkpoints"


def body(world: World, name: str = "first", /, **changes: object) -> dict[str, object]:
    manifest = upload(FILES, world.people.alice.actor).to_json()
    return {"name": name, "manifest": {**manifest, **changes}}


def test_an_upload_is_acknowledged(world: World) -> None:
    answer = client_of(world.people.alice, "publish").post(URL, body(world))
    assert answer.status_code == 202
    checkpoint = Checkpoint.objects.get()
    by_id = f"http://localhost:8000/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}"
    url = f"{by_id}?project=lab/small"
    assert answer.json() == {
        "id": f"sha256:{checkpoint.manifest_sha256}",
        "state": "received",
        "url": url,
    }
    assert answer["Location"] == url


def test_its_publisher_can_follow_it_and_a_stranger_cannot(world: World) -> None:
    alice = client_of(world.people.alice, "publish")
    url = alice.post(URL, body(world)).json()["url"]
    assert alice.get(url).json()["state"] == "received"
    assert client_of(world.people.charlie, "read").get(url).status_code == 404
    assert client_of(None).get(url).status_code == 404
    assert client_of(None).get(f"{URL}/first").status_code == 404
    assert client_of(None).get(f"{url}/evidence").status_code == 404
    assert client_of(None).get(f"{url}/manifest").status_code == 404
    assert client_of(None).get(URL).json()["results"] == []


def test_the_same_key_gets_the_same_answer(world: World) -> None:
    alice = client_of(world.people.alice, "publish")
    sent = body(world)
    first = alice.post(URL, sent, headers={"Idempotency-Key": "one"})
    again = alice.post(URL, sent, headers={"Idempotency-Key": "one"})
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert Checkpoint.objects.count() == 1
    other = alice.post(URL, body(world, "other"), headers={"Idempotency-Key": "one"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")


def test_a_second_publish_names_the_checkpoint_that_is_there(world: World) -> None:
    alice = client_of(world.people.alice, "publish")
    first = alice.post(URL, body(world)).json()
    again = alice.post(URL, body(world, "second"))
    assert (again.status_code, again.json()["code"]) == (409, "already-published")
    assert first["id"] in again.json()["detail"]


@pytest.mark.parametrize(
    ("scopes", "status", "code"),
    [(("read",), 403, "scope-missing"), (("node", "outputs"), 403, "scope-missing")],
)
def test_a_token_for_something_else(
    world: World, scopes: tuple[str, ...], status: int, code: str
) -> None:
    answer = client_of(world.people.alice, *scopes).post(URL, body(world))
    assert answer.status_code == status
    refused(answer, code)


def test_nobody(world: World) -> None:
    answer = client_of(None).post(URL, body(world))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert not Checkpoint.objects.exists()


def test_a_stranger(world: World) -> None:
    answer = client_of(world.people.charlie, "publish").post(URL, body(world))
    assert answer.status_code == 403
    refused(answer, "may-not-publish")


def test_an_unknown_project(world: World) -> None:
    answer = client_of(world.people.alice, "publish").post(
        "/api/v1/projects/lab/nothing/checkpoints", body(world)
    )
    assert answer.status_code == 404
    refused(answer, "not-found")


NAMES = {
    "a parent": "../config.json",
    "a parent inside": "a/../config.json",
    "the root": "/config.json",
    "a NUL": "config\x00.json",
    "a backslash": "a\\config.json",
    "a drive": "c:config.json",
    "a dot": "./config.json",
    "an empty segment": "a//config.json",
    "a control character": "a\x1b.json",
    "an override of direction": "a\u202enosj.txt",
    "another form": "cafe\u0301.txt",
    "the signature": "model.sig",
    "the signature in its other form": "model.sigstore.json",
    "the signature in capitals": "MODEL.SIG",
    "too long a segment": "x" * 300 + ".txt",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_path_that_is_none(world: World, name: str) -> None:
    sent = body(world)
    manifest: Any = sent["manifest"]
    manifest["files"] = [{**manifest["files"][0], "name": name}]
    answer = client_of(world.people.alice, "publish").post(URL, sent)
    assert 400 <= answer.status_code < 500
    refused(answer)


def test_a_path_that_is_none_is_named_by_its_place(world: World) -> None:
    sent = body(world)
    manifest: Any = sent["manifest"]
    files = manifest["files"]
    manifest["files"] = [*files, {**files[0], "name": "z/../x"}]
    answer = client_of(world.people.alice, "publish").post(URL, sent)
    (error,) = answer.json()["errors"]
    assert error["field"] == f"manifest.files.{len(files)}.name"
    assert "expected a relative path in NFC, found 'z/../x'" in error["message"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("A.json", "a.json"), "no other name like 'A.json'"),
        (("D/a.json", "d/b.json"), "no other folder like 'D'"),
        (("x/D/a.json", "x/d/e/b.json"), "no other folder like 'x/D'"),
        ((".git/config", "a.json"), "found '.git/config' (a folder of git's"),
        (("a.json", "x/.G\u200dIT/hooks/post-checkout"), "(a folder of git's"),
        (("GIT~1/config", "a.json"), "(a folder of git's"),
        ((".cache/huggingface/x.json", "a.json"), "(a folder of git's or of the Hub's clients)"),
        (("CON", "a.json"), "(a device of Windows')"),
        (("a.json", "x/nul.tar.gz"), "(a device of Windows')"),
        (("a.json", "com1 .txt"), "(a device of Windows')"),
        (("a.json", "a.json:b"), "(a colon, behind which Windows has a stream of another file)"),
        (("a.json", "b.json."), "(a dot or space at the end, which Windows leaves out)"),
        (("a.json", "x /b.json"), "(a dot or space at the end, which Windows leaves out)"),
        (
            ("config.json", "con\u200bfig.json"),
            r"'con\u200bfig.json' (a character that shows nothing)",
        ),
        (("config.json", "con\u2060fig.json"), "(a character that shows nothing)"),
        (("config.json", "\ufeffconfig.json"), "(a character that shows nothing)"),
        (("config.json", "x\u00ad/config.json"), "(a character that shows nothing)"),
        (("config.json", "config\u3164.json"), "(a character that shows nothing)"),
        (("config.json", "config\ufe0f.json"), "(a character that shows nothing)"),
        (("config.json", "config\U000e0041.json"), "(a character that shows nothing)"),
        # Right for emoji, too: a family and three people in a row are two names that read alike
        # wherever a font does not join them.
        (("a.json", "\U0001f468\u200d\U0001f469.json"), "(a character that shows nothing)"),
    ],
)
def test_names_that_are_no_files_of_their_own_everywhere(
    world: World, names: tuple[str, str], expected: str
) -> None:
    sent = body(world)
    manifest: Any = sent["manifest"]
    manifest["files"] = [{**manifest["files"][0], "name": name} for name in names]
    answer = client_of(world.people.alice, "publish").post(URL, sent)
    assert answer.status_code == 422
    assert expected in refused(answer, "invalid-document")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"files": []}, "1 to 10000 entries"),
        ({"files": "x"}, "an array"),
        ({"files": [1]}, "an object"),
        ({"files": [{"name": "a", "sha256": "x", "size": 1}]}, "64 lower-case"),
        ({"files": [{"name": "a", "sha256": "ab" * 32, "size": -1}]}, "an integer"),
        ({"files": [{"name": "a", "sha256": "ab" * 32, "size": 1.5}]}, "an integer"),
        ({"files": [{"name": "a", "sha256": "ab" * 32}]}, "a value"),
        ({"type": "other"}, "https://assay/manifest/v1"),
        ({"more": 1}, "no such field"),
    ],
)
def test_a_manifest_that_is_none(world: World, changes: dict[str, object], expected: str) -> None:
    answer = client_of(world.people.alice, "publish").post(URL, body(world, **changes))
    assert answer.status_code == 422
    assert expected in refused(answer, "invalid-document")


@pytest.mark.parametrize("missing", ["name", "manifest"])
def test_a_body_without_a_part(world: World, missing: str) -> None:
    sent = body(world)
    del sent[missing]
    answer = client_of(world.people.alice, "publish").post(URL, sent)
    assert answer.status_code == 400
    refused(answer, "invalid")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"name":"a","name":"b"}',
        b'{"name":NaN}',
        b'{"manifest":' + b"[" * 50_000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
    ],
    ids=["empty", "open", "list", "null", "no UTF-8", "twice", "NaN", "deep", "40 levels"],
)
def test_a_body_that_is_no_request(world: World, raw: bytes) -> None:
    answer = client_of(world.people.alice, "publish").post(
        URL, raw, content_type="application/json"
    )
    assert answer.status_code == 400
    refused(answer)


def test_a_body_that_is_too_large(world: World) -> None:
    raw = json.dumps({"name": "x" * (9 << 20)}).encode()
    answer = client_of(world.people.alice, "publish").post(
        URL, raw, content_type="application/json"
    )
    assert answer.status_code == 413
    refused(answer)


def test_a_file_that_was_not_uploaded(world: World) -> None:
    manifest = upload({"config.json": b"{}"}, "user:charlie").to_json()
    answer = client_of(world.people.alice, "publish").post(
        URL, {"name": "first", "manifest": manifest}
    )
    assert answer.status_code == 422
    refused(answer, "blob-missing")
    assert answer.json()["errors"][0]["field"] == "config.json"


def test_an_unknown_checkpoint(world: World) -> None:
    anyone = client_of(None)
    for url in (f"{URL}/nothing", f"/api/v1/checkpoints/sha256:{'ab' * 32}"):
        answer = anyone.get(url)
        assert answer.status_code == 404
        refused(answer, "not-found")
    for digest in ("AB" * 32, "ab", "../x"):
        assert anyone.get(f"/api/v1/checkpoints/sha256:{digest}").status_code == 404


def test_a_rejected_one_says_why_to_its_publisher_alone(world: World) -> None:
    checkpoint = services.receive(by_person(world))
    Checkpoint.objects.filter(pk=checkpoint.pk).update(state=State.REJECTED, reason="because")
    url = f"/api/v1/checkpoints/sha256:{checkpoint.manifest_sha256}"
    found = client_of(world.people.alice, "publish").get(url).json()
    assert (found["state"], found["reason"]) == ("rejected", "because")
    assert client_of(None).get(url).status_code == 404


def test_the_manifest_of_an_upload_is_kept_byte_for_byte(world: World) -> None:
    sent = body(world)
    client_of(world.people.alice, "publish").post(URL, sent)
    checkpoint = Checkpoint.objects.get()
    assert Manifest.parse(checkpoint.manifest) == Manifest.parse(sent["manifest"])


def refused(answer: HttpResponse, code: str | None = None) -> str:
    """The detail of a problem; nothing was kept."""
    assert answer["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    assert problem["status"] == answer.status_code
    assert code is None or problem["code"] == code
    assert not Checkpoint.objects.exists()
    assert not AuditRow.objects.filter(action="checkpoint.receive").exists()
    return str(problem["detail"])
