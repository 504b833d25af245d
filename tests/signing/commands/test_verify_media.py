# SPDX-License-Identifier: Apache-2.0
"""`assay verify` judges media by their evidence, and the C2PA manifest that they carry besides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from assay.signing import media as carriers
from assay.signing.certificates import Purpose
from assay.signing.commands import contents
from assay.signing.digests import sha256
from assay.signing.errors import BadCredentials
from assay.signing.media import Carrier
from assay.signing.mediatypes import Kind
from tests import media
from tests.signing.batching import batch_claim, placed, proof_with, tree_of
from tests.signing.commands.desk import Desk, words_of
from tests.signing.evaluating import with_part
from tests.signing.studio import CONTENT, Studio

PHOTO = media.picture("JPEG")
STEP = "The C2PA manifest is the registry's"


def put(desk: Desk, studio: Studio, content: bytes, name: str = "picture.png") -> Path:
    """A file with its evidence beside it."""
    path = desk.folder / name
    path.write_bytes(content)
    desk.write(f"{name}.assay.json", studio.evidence_of(content))
    return path


def test_a_picture_verifies_by_what_lies_beside_it_and_what_is_in_it(
    bench: Desk, studio: Studio
) -> None:
    code, out, err = bench.assay("verify", put(bench, studio, studio.painted()))
    assert (code, err) == (0, "")
    words = words_of(out)
    assert "caller-asserted, from checkpoint sha256:" in words
    assert "Verified." in words


def test_a_picture_without_a_manifest_has_one_step_less(bench: Desk, studio: Studio) -> None:
    code, plain, _ = bench.assay("verify", put(bench, studio, CONTENT))
    assert code == 0
    assert STEP not in words_of(plain)


def test_a_manifest_beside_it_is_read_too(bench: Desk, studio: Studio) -> None:
    path = put(bench, studio, CONTENT)
    (bench.folder / "picture.png.c2pa").write_bytes(studio.beside())
    code, out, _ = bench.assay("verify", path)
    assert code == 0
    assert "caller-asserted, from checkpoint sha256:" in words_of(out)
    (bench.folder / "picture.png.c2pa").write_bytes(studio.beside(b"another file"))
    code, out, _ = bench.assay("verify", path)
    assert code == 50
    assert "assertion.dataHash.mismatch" in words_of(out)


def test_a_manifest_of_another_checkpoint_is_refused(bench: Desk, studio: Studio) -> None:
    """Its signature, root, time and digest are all as they should be."""
    other = studio.painted(replace(studio.said, checkpoint_sha256="3" * 64))
    code, out, _ = bench.assay("verify", put(bench, studio, other))
    assert code == 22
    assert "in the C2PA manifest, as the output's statement has it" in words_of(out)


def test_one_by_somebody_unknown_is_neither_green_nor_broken(bench: Desk, studio: Studio) -> None:
    """Another registry's, or a company's own: nothing tells them apart."""
    foreign = Studio.open().painted(studio.said)
    code, out, _ = bench.assay("verify", put(bench, studio, foreign))
    assert (code, "NOT who signed its C2PA manifest" in words_of(out)) == (0, True)
    other = Studio.open().painted(replace(studio.said, checkpoint_sha256="3" * 64))
    code, out, _ = bench.assay("verify", put(bench, studio, other))
    assert (code, "in the C2PA manifest, as the output's statement has it" in words_of(out)) == (
        22,
        True,
    )


def test_what_was_made_from_a_broken_file_is_not_shown_green(
    bench: Desk, studio: Studio, tmp_path: Path
) -> None:
    """The library's one word for it is Trusted: its own signature holds, its ingredient's not."""
    inner = studio.painted(content=media.picture("PNG", "red"))
    broken = studio.painted(made_of=inner + b"\x00")
    report = Carrier(path=_in(tmp_path, broken), sidecar=None).report(
        "image/png", studio.world.trust
    )
    assert isinstance(report, dict)
    assert report["validation_state"] == "Trusted"
    code, out, _ = bench.assay("verify", put(bench, studio, broken))
    assert code == 50
    assert "assertion.dataHash.mismatch" in words_of(out)


def test_a_picture_of_a_batch_is_read_as_any_other(bench: Desk, studio: Studio) -> None:
    inner = studio.painted(content=media.picture("PNG", "red"))
    broken = studio.painted(made_of=inner + b"\x00")
    other = studio.painted(replace(studio.said, checkpoint_sha256="3" * 64))
    for content, ends, says in (
        (studio.painted(), 0, "output → credentials"),
        (broken, 50, "assertion.dataHash.mismatch"),
        (other, 22, "in the C2PA manifest, as the output's statement has it"),
        (CONTENT, 0, "Verified."),
    ):
        code, out, _ = bench.assay("verify", *batched(bench, studio, content))
        assert (code, says in words_of(out)) == (ends, True)
    assert "credentials" not in out


def batched(bench: Desk, studio: Studio, content: bytes) -> tuple[str | Path, ...]:
    """The same picture, one of two that were signed together, and what shows it."""
    world, at = studio.world, bench.folder / "batched.png"
    below = replace(world.evidence_for_checkpoint(), lists=world.lists())
    first, second = placed(("first", "second"))
    first = replace(
        first,
        output=studio.said.output,
        exact_sha256=sha256(content),
        normalised_sha256=None,
        media_type="image/png",
    )
    claim = batch_claim(below, [first, second])
    evidence = with_part(world, below, "batch", claim, "bob", purpose=Purpose.OUTPUT)
    found = replace(first, hashes=tree_of(claim, [first, second]).proof(0))
    at.write_bytes(content)
    proof = bench.folder / "batched.tlog-proof"
    proof.write_text(proof_with(world, evidence, found.canonical()).text(), "utf-8")
    return at, "--evidence", bench.write("batch.json", evidence), "--proof", proof


def test_what_was_made_from_a_whole_one_is_no_registrys_own_making(
    bench: Desk, studio: Studio
) -> None:
    """Whoever made it trusted nobody, and wrote so into what it says of the other file."""
    inner = studio.painted(content=media.picture("PNG", "red"))
    code, out, _ = bench.assay("verify", put(bench, studio, studio.painted(made_of=inner)))
    assert code == 50
    words = words_of(out)
    assert "expected a C2PA manifest without any failure, found signingCredential" in words


def test_changed_bytes_fail_both_in_their_own_words(bench: Desk, studio: Studio) -> None:
    signed = studio.painted()
    path = put(bench, studio, signed)
    path.write_bytes(signed + b"\x00")
    code, out, _ = bench.assay("verify", path)
    assert code == 21
    assert "assertion.dataHash.mismatch" in words_of(out)


def test_a_picture_that_was_saved_again_is_another_file(bench: Desk, studio: Studio) -> None:
    """Its manifest is gone with its bytes, and the evidence is not of these."""
    path = put(bench, studio, studio.painted(content=PHOTO, kind=Kind.JPEG), "picture.jpg")
    assert bench.assay("verify", path)[0] == 0
    path.write_bytes(media.saved_again(path.read_bytes()))
    assert contents.read(path).carrier is None
    code, out, _ = bench.assay("verify", path)
    assert code == 21
    assert "Verified." not in words_of(out)


def test_a_manifest_that_was_carried_over_is_broken(bench: Desk, studio: Studio) -> None:
    """As by programs that copy what they do not know: also where the evidence is of the copy."""
    signed = studio.painted(content=PHOTO, kind=Kind.JPEG)
    copy = media.saved_again(signed, with_manifest=True)
    code, out, _ = bench.assay("verify", put(bench, studio, copy, "picture.jpg"))
    assert code == 50
    assert "assertion.dataHash.mismatch" in words_of(out)
    assert "Verified." not in words_of(out)


def test_without_the_library_it_is_said_that_nothing_was_read(
    bench: Desk, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carriers, "LIBRARY", "no_such_library")
    code, out, err = bench.assay("verify", put(bench, studio, studio.painted()))
    assert code == 0
    assert STEP not in words_of(out)
    assert "which was not read" in err
    assert "pip install 'assay[c2pa]'" in err


def test_what_cannot_be_read_is_refused(studio: Studio, tmp_path: Path) -> None:
    path = _in(tmp_path, b"\x89PNG\r\n\x1a\njumdc2pa")
    assert contents.read(path).carrier is not None
    with pytest.raises(BadCredentials, match="of which c2pa says: "):
        Carrier(path=path, sidecar=None).report("image/png", studio.world.trust)


def test_an_empty_file_has_no_manifest(tmp_path: Path) -> None:
    assert contents.read(_in(tmp_path, b"")).carrier is None


def _in(folder: Path, content: bytes) -> Path:
    path = folder / "file"
    path.write_bytes(content)
    return path
