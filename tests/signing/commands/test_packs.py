# SPDX-License-Identifier: Apache-2.0
"""`assay verify --pack` writes all that was used; it verifies where nobody knows the registry."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from assay.signing import archive, canonical, ocsp
from assay.signing.certificates import Purpose
from assay.signing.commands.pins import Pins
from assay.signing.digests import as_id, sha256
from assay.signing.evidence import Part
from assay.signing.ocspstatus import MAX_RESPONSE_BYTES
from assay.signing.pack import INDEX, Artifact, Pack
from assay.signing.revocation import NotRevoked, Reason, Revocation
from assay.signing.trust import Pinned
from tests.signing.batching import TEXTS, evidence_for_batch, proof_of
from tests.signing.commands.desk import Desk, words_of
from tests.signing.descending import lineage, output_of
from tests.signing.evaluating import evidence_for_evaluation
from tests.signing.revoking import PERIOD, Case, question, responder_of
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, FILES, TEXT, World
from tests.vectors.takedowns import claim_of, taken_down

LATE = timedelta(days=4000)  # when every list has ended


@pytest.fixture
def witnesses(desk: Desk) -> Witnesses:
    """Two of three have to have seen what is pinned."""
    found = Witnesses(world=desk.world)
    trust = desk.world.trust
    pin = Pinned(root=trust, pinned_at=AT, pinned_from=trust.registry, policy=found.text())
    Pins.of_user().add(pin)
    return found


@pytest.fixture
def packed(desk: Desk, witnesses: Witnesses) -> Path:
    """A pack of an output with one base, written by the command."""
    (base,) = lineage(desk.world, 1)
    output = output_of(desk.world, base)
    seen = witnesses.evidence(output, w1=AT, w2=AT)
    beside = desk.write("base.json", witnesses.evidence(base, w1=AT, w2=AT))
    answer = desk.answer(evidence=seen)
    path = desk.folder / "out.assay-pack"
    code, out, err = desk.assay("verify", answer, "--base", beside, "--pack", path)
    assert (code, "Wrote" in err) == (0, True), out + err
    for pin in Pins.of_user().all():
        Pins.of_user().remove(pin)
    return path


def trusting(desk: Desk, path: Path) -> tuple[str, ...]:
    """The words by which somebody who never met the registry says whom to trust."""
    pack = Pack.parse(path.read_bytes())
    assert pack.policy_sha256 is not None
    root = as_id(desk.world.trust.fingerprint)
    return ("--fingerprint", root, "--policy", as_id(pack.policy_sha256))


def test_a_pack_verifies_where_nobody_knows_the_registry(desk: Desk, packed: Path) -> None:
    code, out, err = desk.assay("verify", packed, *trusting(desk, packed))
    words = words_of(out)
    assert (code, err) == (0, "")
    assert "known for 2026-11-20 09:30:00 UTC" in words
    assert "That is when witnesses saw the newest tree head in the evidence" in words
    assert "That run continued from alice/tiny@step-100 (sha256:" in words
    assert "└ base 1" in out
    assert "Nothing was pinned." in words
    assert Pins.of_user().all() == ()


def test_what_it_is_about_is_compared_with_the_file(desk: Desk, packed: Path) -> None:
    text = desk.folder / "text.txt"
    text.write_bytes(TEXT.encode())
    words = ("verify", text, "--evidence", packed, *trusting(desk, packed))
    code, out, _ = desk.assay(*words)
    assert (code, "this text, to the byte," in words_of(out)) == (0, True)
    text.write_bytes(TEXT.replace("\n", "  \r\n").encode())
    code, out, _ = desk.assay(*words)
    assert (code, "same after normalising" in words_of(out)) == (0, True)
    assert "identical" not in out
    text.write_bytes(b"another text")
    assert desk.assay(*words)[0] == 21


def test_a_pack_of_a_year_ago_speaks_for_its_own_time(desk: Desk, packed: Path) -> None:
    """The clock of this test is years after every list has ended; `now` says so."""
    trusted = trusting(desk, packed)
    late = f"{AT + LATE:%Y-%m-%dT%H:%M:%SZ}"
    assert desk.assay("verify", packed, *trusted)[0] == 0
    assert desk.assay("verify", packed, *trusted, "--as-of", "evidence")[0] == 0
    assert desk.assay("verify", packed, *trusted, "--as-of", late)[0] == 27


def test_nobody_is_trusted_for_being_in_a_pack(desk: Desk, packed: Path) -> None:
    code, out, err = desk.assay("verify", packed)
    assert (code, out) == (23, "")
    assert "By its own word the pack is of http://registry.test" in err
    assert "gave you that very fingerprint in another way" in err
    other = as_id("ab" * 32)
    code, out, err = desk.assay("verify", packed, "--fingerprint", other)
    assert (code, out, "nothing was verified" in err) == (32, "", True)
    assert desk.assay("verify", packed, "--fingerprint", "ab")[0] == 10
    code, _, err = desk.assay("verify", desk.answer(), "--fingerprint", other)
    assert (code, "goes with an evidence pack" in err) == (2, True)


def test_its_witnesses_are_believed_only_where_they_were_named(desk: Desk, packed: Path) -> None:
    root = ("--fingerprint", as_id(desk.world.trust.fingerprint))
    code, out, err = desk.assay("verify", packed, *root)
    assert (code, out, "named by its digest, --policy sha256:" in err) == (29, "", True)
    code, _, err = desk.assay("verify", packed, *root, "--policy", as_id("cd" * 32))
    assert (code, "in the pack, found sha256:" in err) == (32, True)
    assert desk.assay("verify", packed, *root, "--as-of", "now")[0] == 0
    answer = desk.answer()
    desk.pin()
    code, _, err = desk.assay("verify", answer, "--policy", as_id("cd" * 32))
    assert (code, "only a pack's is named by a digest" in err) == (10, True)


def test_under_another_pinned_root_a_pack_does_not_verify(desk: Desk, packed: Path) -> None:
    desk.pin(World.create(at=AT, registry="http://other.test"))
    code, _, err = desk.assay("verify", packed, "--as-of", "now")
    assert (code, "which is not pinned here" in err) == (23, True)


def test_a_pack_can_be_packed_again(desk: Desk, packed: Path) -> None:
    again = desk.folder / "again.assay-pack"
    code, *_ = desk.assay("verify", packed, *trusting(desk, packed), "--pack", again)
    assert (code, again.read_bytes() == packed.read_bytes()) == (0, True)


def test_what_was_brought_besides_is_packed_too(desk: Desk) -> None:
    desk.pin()
    evidence, issuer = desk.world.evidence_for_output(), desk.world.issuers[Purpose.OUTPUT]
    case = Case(certificate=evidence.bundles["output"].chain.leaf, issuer=issuer)
    by = responder_of(issuer, log=desk.world.log_key)
    told, path = desk.folder / "answer.ocsp", desk.folder / "pack"
    told.write_bytes(
        ocsp.respond(question(case), NotRevoked(said_at=AT), responder=by, period=PERIOD)
    )
    words = (
        "--crl",
        desk.lists("lists.pem"),
        "--ocsp",
        told,
        "--as-of",
        f"{AT:%Y-%m-%dT%H:%M:%SZ}",
    )
    assert desk.assay("verify", desk.answer(evidence=evidence), *words, "--pack", path)[0] == 0
    pack = Pack.parse(path.read_bytes())
    assert (len(pack.lists), pack.answers) == (len(desk.world.lists()), (told.read_bytes(),))
    assert (len(pack.answers[0]) <= MAX_RESPONSE_BYTES, pack.policy) == (True, None)
    assert desk.assay("verify", path, "--as-of", "now")[0] == 0


def test_a_newer_list_in_a_pack_revokes(desk: Desk) -> None:
    desk.pin()
    evidence = desk.world.evidence_for_output()
    revoked = Revocation(
        serial=evidence.bundles["output"].chain.leaf.serial_number,
        revoked_at=AT,
        reason=Reason.KEY_COMPROMISE,
    )
    lists = desk.world.lists({Purpose.OUTPUT.value: revoked})
    path = desk.folder / "pack"
    for found, code in ((desk.world.lists(), 0), (lists, 26)):
        pack = Pack(trust=desk.world.trust, artifacts=(Artifact(evidence=evidence),), lists=found)
        path.write_bytes(pack.canonical())
        assert desk.assay("verify", path, "--as-of", "now")[0] == code


def test_one_pack_is_about_several(desk: Desk) -> None:
    desk.pin()
    world = desk.world
    batch, folder = evidence_for_batch(world), desk.checkpoint()
    pack = Pack(
        trust=world.trust,
        artifacts=(
            Artifact(evidence=world.evidence_for_output()),
            Artifact(evidence=batch, proof=proof_of(world, batch, 2)),
            Artifact(evidence=world.evidence_for_checkpoint()),
            Artifact(evidence=evidence_for_evaluation(world)),
        ),
        texts=(b"# Community language models\n",),
    )
    path = desk.folder / "pack"
    path.write_bytes(pack.canonical())
    now = ("--as-of", "now")
    code, out, _ = desk.assay("verify", path, *now, "--json")
    found = json.loads(out)
    assert (code, found["verified"], len(found["artifacts"])) == (0, True, 4)
    code, out, _ = desk.assay("verify", path, *now)
    assert (code, "No files were at hand to compare" in words_of(out)) == (0, True)
    assert "conduct → text" in out
    one, two = desk.folder / "one", desk.folder / "two"
    one.write_bytes(TEXT.encode())
    two.write_bytes(TEXTS[2].encode())
    code, out, _ = desk.assay("verify", one, two, folder, "--evidence", path, *now)
    assert (code, " ".join(out.split()).count("to the byte")) == (0, 3)
    two.write_bytes(b"another")
    code, _, err = desk.assay("verify", two, "--evidence", path, *now)
    assert (code, "found a pack about 4 others" in err) == (24, True)
    (folder / "config.json").write_bytes(b"{}")
    assert desk.assay("verify", folder, "--evidence", path, *now)[0] == 20
    code, _, _ = desk.assay("verify", one, "--evidence", path, "--proof", path)
    assert code == 2
    again = desk.folder / "again"
    assert desk.assay("verify", path, *now, "--pack", again)[0] == 0
    assert again.read_bytes() == path.read_bytes()


def test_a_file_is_not_verified_by_a_pack_about_something_else(desk: Desk) -> None:
    """It would not even be looked at."""
    desk.pin()
    path, file = desk.folder / "pack", desk.folder / "letter.txt"
    file.write_bytes(b"signed by nobody\n")
    evidence = Artifact(evidence=desk.world.evidence_for_checkpoint())
    path.write_bytes(Pack(trust=desk.world.trust, artifacts=(evidence,)).canonical())
    assert desk.assay("verify", path, "--as-of", "now")[0] == 0
    code, out, err = desk.assay("verify", file, "--evidence", path, "--as-of", "now")
    assert (code, "expected evidence about the output letter.txt" in err) == (24, True)
    assert "Verified" not in out


def test_a_folder_finds_its_checkpoint_among_others(desk: Desk) -> None:
    desk.pin()
    world, folder = desk.world, desk.checkpoint()
    other = world.evidence_for_checkpoint({**FILES, "more.json": b"{}"})
    path = desk.folder / "pack"
    both = (Artifact(evidence=other), Artifact(evidence=world.evidence_for_checkpoint()))
    path.write_bytes(Pack(trust=world.trust, artifacts=both).canonical())
    words = ("verify", folder, "--evidence", path, "--as-of", "now")
    assert desk.assay(*words)[0] == 0
    (folder / "config.json").write_bytes(b"{}")
    assert desk.assay(*words)[0] == 24


def test_a_batch_without_its_proof_is_not_judged(desk: Desk) -> None:
    desk.pin()
    path = desk.folder / "pack"
    artifact = Artifact(evidence=evidence_for_batch(desk.world))
    path.write_bytes(Pack(trust=desk.world.trust, artifacts=(artifact,)).canonical())
    code, _, err = desk.assay("verify", path)
    assert (code, "expected a proof with the evidence of a batch" in err) == (24, True)


def test_what_does_not_verify_is_not_packed(desk: Desk) -> None:
    desk.pin()
    path = desk.folder / "pack"
    code, _, err = desk.assay("verify", desk.answer("another"), "--pack", path)
    assert (code, path.exists()) == (21, False)
    assert "No evidence pack was written: not all of it verified." in err


@pytest.mark.parametrize("content", [TEXT.encode(), b"", b"PK\x03\x04 another archive"])
def test_a_pack_takes_the_place_of_a_pack_alone(desk: Desk, content: bytes) -> None:
    desk.pin()
    place = desk.folder / "letter.txt"
    place.write_bytes(content)
    code, _, err = desk.assay("verify", desk.answer(), "--pack", place)
    assert (code, "expected nothing there or an evidence pack" in err) == (35, True)
    assert place.read_bytes() == content
    place.unlink()
    for _ in range(2):
        assert desk.assay("verify", desk.answer(), "--pack", place)[0] == 0


def test_the_command_that_is_told_verifies_what_was_written(desk: Desk) -> None:
    path, pin = desk.folder / f"a {'long ' * 20}name", desk.pin()
    _, _, err = desk.assay("verify", desk.answer(), "--pack", path)
    Pins.of_user().remove(pin)
    program, *words = shlex.split(err.partition("than from the pack: ")[2])
    assert (program, desk.assay(*words)[0]) == ("assay", 0)


def test_what_cannot_be_packed_is_said(desk: Desk) -> None:
    desk.pin()
    path = desk.folder / "pack"
    bundle = desk.folder / "bundle.json"
    evidence = desk.world.evidence_for_checkpoint()
    bundle.write_text(json.dumps(evidence.bundles[Part.CONDUCT].to_json()))
    words = ("verify", bundle, "--crl", desk.lists("lists.pem"), "--pack", path)
    code, _, err = desk.assay(*words)
    assert (code, "found a bundle alone" in err, path.exists()) == (24, True, False)
    other = World.create(at=AT, registry="http://other.test")
    desk.pin(other)
    theirs = desk.write("theirs.json", other.evidence_for_output())
    code, _, err = desk.assay("verify", desk.answer(), theirs, "--pack", path)
    assert (code, "expected artifacts of one registry" in err) == (24, True)
    nowhere = desk.folder / "nowhere" / "pack"
    code, _, err = desk.assay("verify", desk.answer(), "--pack", nowhere)
    assert (code, "expected a folder to write it into" in err) == (30, True)
    (desk.folder / "taken").mkdir()
    code, _, err = desk.assay("verify", desk.answer(), "--pack", desk.folder / "taken")
    assert (code, "cannot be written" in err) == (30, True)


def test_a_base_that_cannot_be_read_is_said(desk: Desk) -> None:
    desk.pin()
    assert desk.assay("verify", desk.answer(), "--base", desk.folder / "none")[0] == 30
    assert desk.assay("verify", desk.answer(), "--base", desk.lists("lists"))[0] == 10


def test_where_the_walk_ends_is_said(desk: Desk) -> None:
    desk.pin()
    (base,) = lineage(desk.world, 1)
    code, out, _ = desk.assay("verify", desk.answer(evidence=output_of(desk.world, base)))
    assert code == 0
    assert f"continued from the checkpoint {as_id(base.manifest.id)[:19]}" in words_of(out)
    assert "there was no evidence at hand: nothing is said of it here" in words_of(out)


def test_a_base_is_named_for_programs_and_what_became_of_it_for_people(desk: Desk) -> None:
    desk.pin()
    (base,) = lineage(desk.world, 1)
    answer = desk.answer(evidence=output_of(desk.world, base))
    code, out, _ = desk.assay("verify", answer, "--base", desk.write("base.json", base), "--json")
    (found,) = json.loads(out)["bases"]
    assert (code, found["checkpoint"]) == (0, as_id(base.manifest.id))
    claim = replace(claim_of(base), checkpoint_sha256=base.manifest.id)
    gone = desk.write("gone.json", taken_down(desk.world, base, claim))
    code, _, err = desk.assay("verify", answer, "--base", gone)
    assert (code, "which its run continued from" in words_of(err)) == (0, True)


def test_a_base_that_fails_is_spelt_out(desk: Desk) -> None:
    desk.pin()
    base, other = lineage(desk.world, 2)
    bundles = {**base.bundles, Part.RUN: other.bundles[Part.RUN]}
    broken = desk.write("base.json", replace(base, bundles=bundles))
    answer = desk.answer(evidence=output_of(desk.world, base))
    code, out, _ = desk.assay("verify", answer, "--base", broken)
    assert (code, out.count("✘")) == (22, 2)  # the base, and its one link
    assert "checkpoint → run" in out
    assert "40 of 41 steps passed" in out
    code, out, _ = desk.assay("verify", answer, "--base", broken, "--json")
    failed = [step["code"] for step in json.loads(out)["steps"] if step["error"]]
    assert failed == ["base-1.checkpoint.run"]


@pytest.mark.parametrize(
    ("change", "code"),
    [("swapped", 19), ("missing", 24), ("foreign", 10), ("cut", 10), ("bomb", 10), ("up", 10)],
)
def test_a_pack_with_a_part_changed_ends_with_a_code(
    desk: Desk, packed: Path, change: str, code: int
) -> None:
    data = packed.read_bytes()
    files = archive.read(data)
    first, second = [name for name in files if name.startswith("evidence/")]
    match change:
        case "swapped":
            data = archive.write({**files, first: files[second]})
        case "missing":
            data = archive.write({name: each for name, each in files.items() if name != first})
        case "foreign":
            data = archive.write({**files, f"texts/{sha256(b'x')}.crl": b"x"})
        case "cut":
            data = data[:-7]
        case "bomb":
            data = data[:18] + b"\xff\xff\xff\x7f" * 2 + data[26:]
        case _:
            data = data.replace(b"policy", b"../pol")
    packed.write_bytes(data)
    found, out, err = desk.assay("verify", packed)
    assert (found in {code, 19} if change == "foreign" else found == code, out) == (True, "")
    assert err


def test_parts_of_two_packs_do_not_make_one(desk: Desk, packed: Path) -> None:
    """Each file fits its name, and the index names it: the links say what does not belong."""
    trusted = trusting(desk, packed)
    pack = Pack.parse(packed.read_bytes())
    other = desk.world.evidence_for_output("another", {**FILES, "more.json": b"{}"})
    own = pack.artifacts[0].evidence
    mixed = replace(own, bundles={**own.bundles, Part.OUTPUT: other.bundles[Part.OUTPUT]})
    packed.write_bytes(replace(pack, artifacts=(Artifact(evidence=mixed),)).canonical())
    code, out, _ = desk.assay("verify", packed, *trusted, "--as-of", "now")
    assert code in {22, 29}
    assert "output → checkpoint" in out
    named = replace(own, manifest=other.manifest)
    packed.write_bytes(replace(pack, artifacts=(Artifact(evidence=named),)).canonical())
    code, out, _ = desk.assay("verify", packed, *trusted, "--as-of", "now")
    assert (code, "checkpoint → manifest" in out) == (22, True)
    assert INDEX in archive.read(packed.read_bytes())
    assert canonical.MAX_BYTES < archive.MAX_ARCHIVE_BYTES
