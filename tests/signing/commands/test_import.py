# SPDX-License-Identifier: Apache-2.0
"""`assay import` sends a file once, asks once, and says what the registry made of it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.signing.client import attempts
from assay.signing.client.registry import RegistryClient
from assay.signing.commands import importing
from assay.signing.commands.terminal import Terminal
from assay.signing.digests import as_id, sha256
from tests.signing.client.registry import Answer, Loopback, loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.commands.test_download import blob

BYTES = b"what torch.save wrote"
PATH = "/api/v1/projects/alice/tiny/imports"
OID = "ab" * 20


def said(state: str, **more: object) -> dict[str, object]:
    origin = {"name": "a.pt", "sha256": as_id(sha256(BYTES))}
    shown = {"state": state, "reason": "", "revision": OID, "origin": origin}
    return {"id": "x1", "to": "model.safetensors", **shown, **more}


@pytest.fixture
def file(desk: Desk) -> Path:
    path = desk.folder / "a.pt"
    path.write_bytes(BYTES)
    return path


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    monkeypatch.setattr(attempts, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(importing, "POLL_SECONDS", 0.001)
    desk.pin()
    with loopback() as registry:
        registry.on_json("GET", PATH, [])
        registry.on("PUT", blob(BYTES), Answer(status=201))
        registry.on_json("POST", PATH, said("waiting"), status=202)
        registry.on_json("GET", f"{PATH}/x1", said("done"))
        yield registry


def put(office: Loopback, desk: Desk, file: Path, *more: object) -> tuple[int, str, str]:
    return desk.assay("import", file, "alice/tiny", "--registry", office.url, *more)


def methods(office: Loopback) -> list[str]:
    return [each.method for each in office.seen]


def test_it_is_sent_asked_for_and_awaited(office: Loopback, desk: Desk, file: Path) -> None:
    waiting = Answer(body=json.dumps(said("converted")).encode())
    office.before["GET", f"{PATH}/x1"] = [waiting]
    code, out, _ = put(office, desk, file, "--to", "pytorch_model.safetensors")
    assert code == 0
    assert f"converted from {as_id(sha256(BYTES))}" in " ".join(out.split())
    assert f"assay download alice/tiny@{OID}" in " ".join(out.split())
    assert methods(office) == ["GET", "HEAD", "PUT", "POST", "GET", "GET"]
    (posted,) = [each for each in office.seen if each.method == "POST"]
    assert json.loads(posted.body) == {
        "sha256": as_id(sha256(BYTES)),
        "name": "a.pt",
        "to": "pytorch_model.safetensors",
    }
    assert posted.headers["Idempotency-Key"]


def test_what_was_asked_for_before_is_followed(office: Loopback, desk: Desk, file: Path) -> None:
    office.on_json("GET", PATH, [said("refused", id="x0"), said("waiting")])
    assert put(office, desk, file)[0] == 0
    assert methods(office) == ["GET", "GET"]


def test_the_same_file_under_another_name_is_not_followed(
    office: Loopback, desk: Desk, file: Path
) -> None:
    office.on_json("GET", PATH, [said("waiting", to="other.safetensors")])
    code, _, err = put(office, desk, file)
    assert (code, "found one on its way as other.safetensors" in err) == (39, True)
    assert methods(office) == ["GET"]
    assert put(office, desk, file, "--to", "other.safetensors")[0] == 0


def test_programs_are_told_in_json(office: Loopback, desk: Desk, file: Path) -> None:
    _, out, _ = put(office, desk, file, "--json")
    assert json.loads(out) == {
        "imported": True,
        "checkpoint": f"alice/tiny@{OID}",
        "converted_from": as_id(sha256(BYTES)),
    }


def test_a_refusal_has_the_registrys_reason(office: Loopback, desk: Desk, file: Path) -> None:
    office.on_json("GET", f"{PATH}/x1", said("refused", reason="found posix.system"))
    code, out, err = put(office, desk, file, "--json")
    assert (code != 0, json.loads(out)["imported"]) == (True, False)
    assert "refuses to import it: found posix.system" in " ".join(err.split())


def test_it_does_not_wait_for_ever(
    office: Loopback, desk: Desk, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "LIMIT_SECONDS", -1.0)
    office.on_json("GET", f"{PATH}/x1", said("waiting"))
    code, _, err = put(office, desk, file)
    assert code != 0
    assert "found it waiting; the same command goes on waiting" in " ".join(err.split())


def test_a_checkpoints_name_is_no_project(office: Loopback, desk: Desk, file: Path) -> None:
    code, _, err = desk.assay("import", file, "alice/tiny@one", "--registry", office.url)
    assert code != 0
    assert "expected OWNER/PROJECT" in " ".join(err.split())


def test_a_file_that_is_not_there_is_said(office: Loopback, desk: Desk, file: Path) -> None:
    code, _, err = put(office, desk, desk.folder / "nothing.pt")
    assert code != 0
    assert "nothing.pt: No such file or directory" in " ".join(err.split())


class Live(io.StringIO):
    """A terminal that somebody looks at."""

    def isatty(self) -> bool:
        return True


def test_who_looks_on_sees_how_far_it_is(office: Loopback) -> None:
    office.before["GET", f"{PATH}/x1"] = [Answer(body=json.dumps(said("waiting")).encode())]
    output = Live()
    with RegistryClient(office.url, TOKEN) as client:
        importing._followed(client, f"{PATH}/x1", Terminal.on(output))
    assert re.search(r"waiting, \d+ s", output.getvalue())
