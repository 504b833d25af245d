# SPDX-License-Identifier: Apache-2.0
"""A pack is read as its files say, each by its digest; what is in it proves nothing by that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import archive, canonical
from assay.signing.bundle import Bundle
from assay.signing.digests import sha256
from assay.signing.errors import AssayError, DigestMismatch, InvalidDocument, MissingEvidence
from assay.signing.evidence import Part
from assay.signing.pack import INDEX, POLICY, TRUST_ROOT, Artifact, Pack
from assay.signing.tlog import Proof
from tests.signing.accepting import accepted
from tests.signing.batching import evidence_for_batch, proof_of
from tests.signing.descending import lineage, output_of
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, TEXT, World

Files = dict[str, bytes]
ROOT = World.create(at=AT)


def pack_of(world: World) -> Pack:
    """One with everything that a pack can have."""
    acceptance = accepted(world)
    (base,) = lineage(world, 1)
    batch = evidence_for_batch(world)
    return Pack(
        trust=world.trust,
        artifacts=(
            Artifact(evidence=output_of(world, base)),
            Artifact(evidence=batch, proof=proof_of(world, batch, 2)),
        ),
        bases=(base,),
        policy=Witnesses(world=world).text(),
        lists=tuple(sorted(world.lists(), key=sha256)),
        answers=(b"an answer",),
        texts=(b"# Community language models\n",),
        acceptances=(acceptance,),
    )


def test_a_pack_is_read_as_it_was_written(world: World) -> None:
    pack = pack_of(world)
    assert Pack.parse(pack.canonical()) == pack
    smallest = replace(pack, bases=(), policy=None, lists=(), answers=(), texts=(), acceptances=())
    assert Pack.parse(smallest.canonical()) == smallest
    assert smallest.policy_sha256 is None


def test_it_knows_what_it_is_about_by_its_own_word(world: World) -> None:
    output, batched = pack_of(world).artifacts
    assert sha256(TEXT.encode()) in output.digests
    assert sha256("café\n".encode()) in batched.digests
    checkpoint = Artifact(evidence=world.evidence_for_checkpoint())
    assert checkpoint.digests == {manifest_of_world(world)}
    unread = world.evidence_for_checkpoint()
    bundles: dict[str, Bundle] = {Part.CONDUCT: unread.bundles[Part.CONDUCT]}
    assert Artifact(evidence=replace(unread, bundles=bundles)).digests == frozenset()


def manifest_of_world(world: World) -> str:
    return world.evidence_for_checkpoint().manifest.id


def test_what_is_no_statement_is_about_nothing(world: World) -> None:
    evidence = world.evidence_for_checkpoint()
    bundle = evidence.bundles[Part.CHECKPOINT]
    broken = replace(bundle, envelope=replace(bundle.envelope, payload=b"{}"))
    bundles = {**evidence.bundles, Part.CHECKPOINT: broken}
    assert Artifact(evidence=replace(evidence, bundles=bundles)).digests == frozenset()


def swapped(files: Files) -> Files:
    """Another file's content under a name."""
    names = [name for name in files if name.startswith("evidence/")]
    return {**files, names[0]: files[names[1]]}


def missing(files: Files) -> Files:
    gone = next(name for name in files if name.startswith("evidence/"))
    return {name: data for name, data in files.items() if name != gone}


def without_proof(files: Files) -> Files:
    return {name: data for name, data in files.items() if not name.startswith("proofs/")}


def foreign(files: Files) -> Files:
    data = canonical.dumps(World.create(at=AT).evidence_for_output().to_json())
    return {**files, f"evidence/{sha256(data)}.json": data}


def indexed(**other: object) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        index = dict(canonical.as_mapping(canonical.loads(files[INDEX]), "index"))
        return {**files, INDEX: canonical.dumps({**index, **other})}

    return change


def put(name: str, data: bytes) -> Callable[[Files], Files]:
    return lambda files: {**files, name: data}


def cut(name: str) -> Callable[[Files], Files]:
    return lambda files: {each: data for each, data in files.items() if each != name}


BIG = b"a" * (1 << 20) + b"b"


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (swapped, DigestMismatch, "expected content of the digest that it is named by"),
        (missing, MissingEvidence, "which the pack's index names; found none"),
        (without_proof, MissingEvidence, r"expected proofs/\w+\.tlog-proof"),
        (foreign, InvalidDocument, "only files that its index names, found evidence/"),
        (put("readme.txt", b""), InvalidDocument, "found readme.txt"),
        (put("evidence/ab.json", b"{}"), DigestMismatch, "evidence/ab.json"),
        (put(f"texts/{sha256(BIG)}.txt", BIG), InvalidDocument, "at most 1048576 bytes"),
        (cut(INDEX), MissingEvidence, "expected pack.json in the pack"),
        (cut(TRUST_ROOT), MissingEvidence, "expected trust-root.json"),
        (put(TRUST_ROOT, b"{}"), InvalidDocument, "trust-root.json"),
        (put(TRUST_ROOT, ROOT.trust.canonical() + b"\n"), InvalidDocument, "another form"),
        (put(POLICY, b"quorum\n"), InvalidDocument, "policy.line 1"),
        (put(POLICY, b"#" * (300 << 10)), InvalidDocument, "policy"),
        (put(INDEX, b"[]"), InvalidDocument, "pack.json"),
        (indexed(type="https://assay/evidence-pack/v9"), InvalidDocument, "type"),
        (indexed(more=1), InvalidDocument, "more"),
        (indexed(artifacts=[]), InvalidDocument, "artifacts: expected at least one"),
        (indexed(artifacts=[{"evidence": "ab"}]), InvalidDocument, "proof"),
        (indexed(bases=["../x"]), InvalidDocument, "bases"),
        (indexed(bases=["ab" * 32]), MissingEvidence, "expected evidence/abab"),
    ],
)
def test_a_pack_that_was_changed_is_none(
    world: World, change: Callable[[Files], Files], error: type[AssayError], says: str
) -> None:
    changed = change(pack_of(world).files())
    with pytest.raises(error, match=says):
        Pack.parse(archive.write(changed))


def test_a_pack_has_no_more_than_it_may(world: World) -> None:
    artifact = Artifact(evidence=world.evidence_for_checkpoint())
    for more in (
        {"artifacts": (artifact,) * 257},
        {"artifacts": (artifact,), "bases": (artifact.evidence,) * 65},
    ):
        with pytest.raises(InvalidDocument, match="expected at most"):
            Pack(trust=world.trust, **more)


@pytest.mark.parametrize("data", [b"no proof", b"\xff"])
def test_a_proof_that_is_none_is_refused(world: World, data: bytes) -> None:
    pack = pack_of(world)
    files = {**without_proof(pack.files()), f"proofs/{sha256(data)}.tlog-proof": data}
    index = dict(canonical.as_mapping(canonical.loads(files[INDEX]), "index"))
    named = [
        dict(canonical.as_mapping(each, "artifact")) for each in canonical.items(index, "artifacts")
    ]
    named[1]["proof"] = sha256(data)
    files[INDEX] = canonical.dumps({**index, "artifacts": named})
    with pytest.raises(InvalidDocument, match="proofs/"):
        Pack.parse(archive.write(files))
    assert isinstance(pack.artifacts[1].proof, Proof)


@given(place=st.integers(0, 10**6), value=st.integers(1, 255))
def test_no_byte_of_a_pack_changes_unseen(place: int, value: int) -> None:
    data = bytearray(SMALL)
    data[place % len(data)] ^= value
    with pytest.raises(AssayError):
        Pack.parse(bytes(data))


_made = replace(ROOT, leaves={}, entries=[])
SMALL = Pack(
    trust=_made.trust, artifacts=(Artifact(evidence=_made.evidence_for_output()),)
).canonical()
