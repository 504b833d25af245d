# SPDX-License-Identifier: Apache-2.0
"""`assay info` repeats what a registry says, as its word, with the command that verifies it."""

from __future__ import annotations

import json

import pytest

from assay.signing.digests import as_id, sha256
from tests.signing.client.registry import Loopback
from tests.signing.commands.desk import TOKEN, Desk
from tests.signing.world import AT, FILES, World, manifest_of

PATH = "/api/v1/projects/alice/tiny"
ID = as_id(manifest_of(FILES).id)
CONDUCT = {"id": "community", "version": "1.0", "sha256": "0" * 64}
LISTED = {
    "id": ID,
    "project": "alice/tiny",
    "name": "step-100",
    "step": 100,
    "state": "published",
    "reason": "",
    "url": "http://registry.test/alice/tiny/step-100",
    "size_bytes": 1_234_567,
    "run": "b9a9c9de-61f5-4b17-9d3c-2f6d2f1f7b10",
    "dataset": as_id("1" * 64),
    "conduct": CONDUCT,
    "ledger_index": 12,
    "published_at": "2026-11-20T09:30:00.5Z",
}
WHOLE = {
    **LISTED,
    "files": [{"name": n, "sha256": sha256(d), "size": len(d)} for n, d in FILES.items()],
    "sigstore": {"identity": "http://registry.test/alice", "identity_provider": "x"},
}
PROJECT = {
    "project": "alice/tiny",
    "title": "A tiny model",
    "summary": "It is small. " * 20,
    "conduct": CONDUCT,
    "url": "http://registry.test/alice/tiny",
}
LISTING = f"{PATH}/checkpoints?page_size=100"


@pytest.fixture(autouse=True)
def _nothing_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_TOKEN", raising=False)


def ask(
    desk: Desk, registry: Loopback, *more: str, name: str = "alice/tiny@step-100"
) -> tuple[int, str, str]:
    code, out, err = desk.assay("info", name, "--registry", registry.url, *more)
    return code, out if more else " ".join(out.split()), err


def shown(registry: Loopback, **changed: object) -> None:
    registry.on_json("GET", f"{PATH}/checkpoints/step-100", {**WHOLE, **changed})


def test_a_checkpoint_is_described_as_the_registrys_word(desk: Desk, registry: Loopback) -> None:
    shown(registry)
    code, out, _ = ask(desk, registry)
    assert code == 0
    assert out.startswith(f"Not verified: this is what the registry says. {registry.url} name ")
    for said in (
        f"id {ID} state published 2026-11-20 09:30 UTC size 1.2 MB conduct community 1.0",
        "signer http://registry.test/alice run b9a9c9de-61f5-4b17-9d3c-2f6d2f1f7b10, step 100",
        f"data sha256:{'1' * 64} ledger entry 12 page http",
        f"{sha256(FILES['README.md'])[:12]}… 7 bytes README.md",
        f"assay download alice/tiny@step-100 --registry {registry.url}",
    ):
        assert said in out


def test_what_an_upload_or_an_older_one_lacks_is_left_out(desk: Desk, registry: Loopback) -> None:
    none = dict.fromkeys(("run", "step", "dataset", "ledger_index", "published_at", "sigstore"))
    shown(registry, **none, state="received")
    _, out, _ = ask(desk, registry)
    assert "state received size" in out
    assert "signer not said here; the evidence says it page" in out
    shown(registry, **none, state="rejected", reason="no certificate")
    assert "state rejected: no certificate size" in ask(desk, registry)[1]
    shown(registry, step=None)
    assert ", step" not in ask(desk, registry)[1]


def test_what_its_card_and_its_weights_say_is_said(desk: Desk, registry: Loopback) -> None:
    card = {"task": "text-generation", "licence": "MIT", "tags": []}
    names = ["config.json", "modeling.py"]
    contents = {"parameters": {"total": 1_234_567}, "needs_remote_code": names, "tensors": []}
    shown(registry, card=card, contents=contents)
    out = ask(desk, registry)[1]
    assert "task text-generation licence MIT params 1,234,567" in out
    assert "code needs remote code: config.json, modeling.py" in out
    shown(registry, card={"task": ""}, contents={"parameters": None, "needs_remote_code": []})
    out = ask(desk, registry)[1]
    assert not {"task", "params", "code"} & set(out.split())


def test_many_files_are_counted_and_names_are_not_commands(desk: Desk, registry: Loopback) -> None:
    files = [{"name": f"{n}\x1b[2J", "sha256": "0" * 64, "size": n} for n in range(52)]
    shown(registry, files=files)
    code, out, _ = ask(desk, registry)
    assert (code, "\x1b" in out) == (0, False)
    assert "and 2 more files: --json has them all" in out


def test_of_a_project_its_checkpoints_are_listed(desk: Desk, registry: Loopback) -> None:
    registry.on_json("GET", PATH, PROJECT)
    registry.on_json("GET", LISTING, {"results": [LISTED], "next": "x"})
    code, out, _ = ask(desk, registry, name="alice/tiny")
    assert code == 0
    assert "title A tiny model summary It is small." in out
    digest = ID.removeprefix("sha256:")[:12]
    assert f"{digest}… 1.2 MB step-100 published 2026-11-20 09:30 UTC and older ones, on" in out
    registry.on_json("GET", PATH, {**PROJECT, "title": "", "summary": ""})
    registry.on_json("GET", LISTING, {"results": [], "next": None})
    code, out, _ = ask(desk, registry, name="alice/tiny")
    assert (code, "no checkpoints yet" in out, "title" in out) == (0, True, False)


def test_programs_get_all_of_it_and_that_it_is_not_verified(desk: Desk, registry: Loopback) -> None:
    shown(registry)
    code, out, _ = ask(desk, registry, "--json")
    assert (code, json.loads(out)) == (
        0,
        {
            "verified": False,
            "registry": registry.url,
            "verify_with": f"assay download alice/tiny@step-100 --registry {registry.url}",
            "says": {"checkpoint": WHOLE},
        },
    )


def test_the_one_registry_that_one_trusts_is_asked_with_the_token_for_it(
    desk: Desk, registry: Loopback, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert desk.assay("info", "alice/tiny")[0] == 23
    desk.pin(World.create(at=AT, registry=registry.url))
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    code, _, err = desk.assay("info", "alice/tiny")
    assert (code, "answered 404" in err) == (5, True)
    assert {each.headers["Authorization"] for each in registry.seen} == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    "wrong",
    [{"id": 5}, {"files": "x"}, {"files": [{}]}, {"conduct": {}}, {"published_at": "soon"}],
)
def test_an_answer_that_is_none_is_refused(
    desk: Desk, registry: Loopback, wrong: dict[str, object]
) -> None:
    shown(registry, **wrong)
    assert ask(desk, registry)[0] == 10


@pytest.mark.parametrize("name", ["alice", "a/../b", "alice/tiny@", "alice/tiny@x/y"])
def test_a_name_that_is_none_is_refused(desk: Desk, registry: Loopback, name: str) -> None:
    code, out, err = ask(desk, registry, "--json", name=name)
    assert (code, "expected OWNER/PROJECT" in err) == (10, True)
    assert set(json.loads(out)) == {"error"}
