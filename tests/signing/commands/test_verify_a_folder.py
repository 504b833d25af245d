# SPDX-License-Identifier: Apache-2.0
"""`assay verify FOLDER` compares every file with what was signed, and says which one differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from assay.signing import canonical
from tests.signing.commands.desk import Desk
from tests.signing.world import FILES, REGISTRY


def test_a_checkpoint_verifies_with_the_evidence_beside_it(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    for path in (folder, f"{folder}/"):
        code, out, _ = desk.assay("verify", path)
        assert code == 0
        words = " ".join(out.split())
        assert "step-100 are, to the byte, the checkpoint alice/tiny@step-100" in words
        assert "that http://registry.test published." in words


def test_a_checkpoint_verifies_from_within_its_folder(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.pin()
    monkeypatch.chdir(desk.checkpoint())
    assert desk.assay("verify", ".")[0] == 0
    Path("sub").mkdir()
    monkeypatch.chdir("sub")
    assert desk.assay("verify", "..", "--ignore", "sub")[0] == 0


def test_a_line_of_it_says_who_signed(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    code, out, _ = desk.assay("verify", folder, "--brief")
    assert (code, out.splitlines()[0]) == (0, f"✔ {folder}: signed by http://registry.test/alice")


def test_evidence_elsewhere_is_named(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    evidence = (desk.folder / "step-100.assay.json").rename(desk.folder / "elsewhere.json")
    assert desk.assay("verify", folder, "--evidence", evidence)[0] == 0
    assert desk.assay("verify", evidence, "--checkpoint", folder)[0] == 0
    code, _, err = desk.assay("verify", evidence)
    assert code == 24
    assert "assay verify FOLDER --evidence" in " ".join(err.split())
    code, _, err = desk.assay("verify", folder)
    assert (code, "step-100.assay.json" in err) == (24, True)


def test_a_checkpoint_that_no_run_made_verifies(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    evidence = desk.write("upload.json", desk.world.evidence_for_upload())
    code, out, _ = desk.assay("verify", folder, "--evidence", evidence)
    assert code == 0
    assert "says that it made" not in out


@pytest.mark.parametrize(
    ("name", "said"),
    [("model.safetensors", "changed"), ("new", "extra"), ("config.json", "missing")],
)
def test_a_changed_added_or_missing_file_fails_one_step(desk: Desk, name: str, said: str) -> None:
    desk.pin()
    folder = desk.checkpoint()
    if said == "missing":
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(b"?")
    code, out, _ = desk.assay("verify", folder)
    assert code == 20
    assert said in out
    assert sum("✘" in line for line in out.splitlines()) == 1


def test_a_file_that_is_no_part_of_it_can_be_ignored(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x").write_bytes(b"?")
    assert desk.assay("verify", folder)[0] == 20
    assert desk.assay("verify", folder, "--ignore", ".cache")[0] == 0


def test_a_model_signature_alone_proves_the_files_and_says_what_it_does_not(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    (desk.folder / "step-100.assay.json").unlink()
    bundle = desk.world.model_signature()
    (folder / "model.sig").write_bytes(canonical.dumps(bundle.to_json()))
    assert desk.assay("verify", folder)[0] == 27
    desk.lists("step-100.crl.pem")
    code, out, _ = desk.assay("verify", folder)
    words = " ".join(out.split())
    assert code == 0
    assert "to the byte, what http://registry.test/alice signed as a model" in words
    assert "neither the run that made them, nor data and conduct, were examined" in words
    (folder / "config.json").write_bytes(b"{}")
    assert desk.assay("verify", folder)[0] == 20


def _with_model_signature(
    desk: Desk, files: Mapping[str, bytes] = FILES, *, by: str = "alice"
) -> Path:
    folder = desk.checkpoint()
    bundle = desk.world.model_signature(files, by=by)
    (folder / "model.sig").write_bytes(canonical.dumps(bundle.to_json()))
    return folder


def test_a_model_signature_beside_the_evidence_is_examined_too(desk: Desk) -> None:
    desk.pin()
    folder = _with_model_signature(desk)
    for words in ((folder,), (desk.folder / "step-100.assay.json", "--checkpoint", folder)):
        code, out, _ = desk.assay("verify", *words)
        assert (code, "model → checkpoint" in out, "model → files" in out) == (0, True, True)
        assert "There was no model.sig" not in out
    (folder / "model.sig").unlink()
    code, out, _ = desk.assay("verify", folder)
    assert code == 0
    assert "There was no model.sig among them" in " ".join(out.split())


@pytest.mark.parametrize(
    ("files", "failed"),
    [
        ({**FILES, "config.json": b"{}"}, ["model.checkpoint", "model.files"]),
        ({f"x{name}": data for name, data in FILES.items()}, ["model.files"]),
    ],
)
def test_a_model_signature_of_other_files_fails_the_steps_that_compare_it(
    desk: Desk, files: Mapping[str, bytes], failed: list[str]
) -> None:
    desk.pin()
    _, out, _ = desk.assay("verify", _with_model_signature(desk, files), "--json")
    assert [step["code"] for step in json.loads(out)["steps"] if step["error"]] == failed


def test_anybodys_signature_of_the_same_files_is_none_of_the_checkpoints(desk: Desk) -> None:
    desk.pin()
    folder = _with_model_signature(desk, by="mallory")
    for words in ((), ("--signer", f"{REGISTRY}/alice")):
        code, out, _ = desk.assay("verify", folder, *words, "--json")
        failed = [step["code"] for step in json.loads(out)["steps"] if step["error"]]
        assert (code, failed) == (22, ["model.checkpoint"])
        assert f"found one by '{REGISTRY}/mallory'" in out
    (desk.folder / "step-100.assay.json").unlink()
    desk.lists("step-100.crl.pem")
    code, out, _ = desk.assay("verify", folder)  # alone it speaks for itself, and says whose it is
    assert (code, f"what {REGISTRY}/mallory signed as a model" in " ".join(out.split())) == (
        0,
        True,
    )


def test_a_second_folder_beside_a_folder_is_a_wrong_argument(desk: Desk) -> None:
    desk.pin()
    folder = desk.checkpoint()
    other = desk.folder / "other"
    other.mkdir()
    code, out, err = desk.assay("verify", folder, "--checkpoint", other)
    assert (code, out) == (2, "")
    assert "--checkpoint goes with an output, and not with a folder" in err
