# SPDX-License-Identifier: Apache-2.0
"""The vectors that the browser's verifier shares: standards first, then ours (tests/vectors)."""

import copy
import json
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from assay.signing import canonical, envelope, merkle, oms, treehead
from assay.signing.bundle import Bundle
from assay.signing.certificates import Chain, Purpose, load, own
from assay.signing.chains import verify_chain
from assay.signing.digests import normalised_text, sha256
from assay.signing.envelope import Envelope
from assay.signing.errors import (
    BadTreeHead,
    InvalidDocument,
    NotInLedger,
    VerificationError,
    WrongPurpose,
)
from assay.signing.evidence import Evidence
from assay.signing.manifest import FileEntry, Manifest, check_name
from assay.signing.pseudonyms import PartyOpening, is_pseudonym
from assay.signing.treehead import TreeHead, Verifier
from assay.signing.trust import TrustRoot
from assay.signing.verify import (
    Basis,
    Content,
    Examination,
    Requirements,
    examine_checkpoint,
    examine_output,
    verify_model,
)
from tests.signing.trees import root_of
from tests.signing.world import manifest_of

FOLDER = Path(__file__).parent.parent / "vectors"
Json: TypeAlias = Any


def vectors(name: str) -> Json:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="ascii"))


CANONICAL, NAMES, TREEHEADS = vectors("canonical"), vectors("names"), vectors("treeheads")
TREES, EVIDENCE = vectors("merkle")["trees"], vectors("evidence")
PSEUDONYMS, CHAINS = vectors("pseudonyms"), vectors("chains")
FAMILIES = {
    "clear": EVIDENCE,
    "pseudonyms": PSEUDONYMS,
    "taken down": vectors("takedowns"),
    "witnessed": vectors("witnessed"),
}


@pytest.mark.parametrize("case", CANONICAL["accepted"])
def test_a_text_has_one_canonical_form(case: Mapping[str, str]) -> None:
    expected = case["canonical"].encode()
    assert canonical.dumps(canonical.loads(case["text"].encode())) == expected
    assert canonical.dumps(canonical.loads_canonical(expected)) == expected


@pytest.mark.parametrize("case", CANONICAL["refused"], ids=lambda case: case["why"])
def test_a_text_that_no_reader_may_accept(case: Mapping[str, str]) -> None:
    with pytest.raises(InvalidDocument):
        canonical.loads(b64decode(case["base64"]))


@pytest.mark.parametrize("name", NAMES["accepted"])
def test_a_name_is_accepted(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("case", NAMES["refused"], ids=lambda case: ascii(case["name"])[:40])
def test_a_name_is_refused(case: Mapping[str, str]) -> None:
    with pytest.raises(InvalidDocument, match="name: expected a relative path in NFC"):
        check_name(case["name"])


def entries(names: list[str]) -> tuple[FileEntry, ...]:
    return tuple(FileEntry(name=name, sha256=sha256(b""), size=0) for name in names)


@pytest.mark.parametrize("names", NAMES["accepted_together"])
def test_names_go_together(names: list[str]) -> None:
    assert [file.name for file in Manifest(files=entries(names)).files] == names


@pytest.mark.parametrize("names", NAMES["refused_together"])
def test_names_do_not_go_together(names: list[str]) -> None:
    with pytest.raises(InvalidDocument):
        Manifest(files=entries(names))


@pytest.mark.parametrize("case", vectors("manifests"))
def test_a_manifest_has_one_id(case: Json) -> None:
    manifest = Manifest.parse(case["manifest"])
    assert manifest.canonical() == case["canonical"].encode()
    assert (manifest.id, oms.root_digest(manifest)) == (case["id"], case["oms_root"])


@pytest.mark.parametrize("case", vectors("texts"))
def test_a_text_normalises(case: Mapping[str, str]) -> None:
    assert normalised_text(case["text"]) == case["normalised"]
    assert sha256(case["normalised"].encode()) == case["sha256"]


@pytest.mark.parametrize("tree", TREES, ids=["the standard's", "ours"])
def test_a_tree_has_its_roots_and_proofs(tree: Json) -> None:
    leaves = [merkle.leaf_hash(bytes.fromhex(leaf)) for leaf in tree["leaves"]]
    roots = [bytes.fromhex(root) for root in tree["roots"]]
    assert [root_of(leaves[:size]) for size in range(len(leaves) + 1)] == roots
    stored = merkle.new_subtrees(0, leaves, lambda *_: b"")
    for case in tree["inclusion"]:
        index, size = case["index"], case["size"]
        proof = merkle.inclusion_proof(index, size, lambda *place: stored[place])
        assert [each.hex() for each in proof] == case["proof"]
        merkle.verify_inclusion(leaves[index], index, size, proof, roots[size])
    for case in tree["consistency"]:
        old, new = case["old"], case["new"]
        proof = merkle.consistency_proof(old, new, lambda *place: stored[place])
        assert [each.hex() for each in proof] == case["proof"]
        merkle.verify_consistency(old, new, roots[old], roots[new], proof)


@pytest.mark.parametrize("case", vectors("merkle")["refused"], ids=lambda case: case["why"])
def test_a_proof_is_refused(case: Json) -> None:
    proof = [bytes.fromhex(each) for each in case["proof"]]
    if "leaf" in case:
        leaf, root = bytes.fromhex(case["leaf"]), bytes.fromhex(case["root"])
        with pytest.raises(NotInLedger):
            merkle.verify_inclusion(leaf, case["index"], case["size"], proof, root)
    else:
        old_root, new_root = bytes.fromhex(case["old_root"]), bytes.fromhex(case["new_root"])
        with pytest.raises(BadTreeHead):
            merkle.verify_consistency(case["old"], case["new"], old_root, new_root, proof)


def test_what_is_signed_for_a_payload() -> None:
    case = vectors("envelopes")
    for each in case["pae"]:
        assert envelope.pae(b64decode(each["payload"])) == b64decode(each["pae"])
    key = load_der_public_key(b64decode(case["public_key"]))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    Envelope.parse(case["envelope"]).verify(key)


@pytest.mark.parametrize("note", TREEHEADS["accepted"])
def test_a_note_is_accepted(note: str) -> None:
    head = TREEHEADS["head"]
    expected = TreeHead(origin=head["origin"], size=5, root=bytes.fromhex(head["root"]))
    assert treehead.verify(note, TREEHEADS["verifier"]) == expected
    assert treehead.log_id(TREEHEADS["verifier"]).hex() == TREEHEADS["log_id"]


@pytest.mark.parametrize("case", TREEHEADS["refused"], ids=lambda case: case["why"])
def test_a_note_is_refused(case: Mapping[str, str]) -> None:
    with pytest.raises(BadTreeHead):
        treehead.verify(case["note"], TREEHEADS["verifier"])


def test_verifier_keys_parse_or_are_refused() -> None:
    for verifier in TREEHEADS["foreign_verifiers"]:
        assert Verifier.parse(verifier).text() == verifier
    for verifier in TREEHEADS["refused_verifiers"]:
        with pytest.raises(InvalidDocument):
            Verifier.parse(verifier)


def test_the_trust_root_has_its_fingerprint() -> None:
    assert TrustRoot.parse(EVIDENCE["trust_root"]).fingerprint == EVIDENCE["fingerprint"]


def test_the_model_signature_verifies_the_files() -> None:
    trust = TrustRoot.parse(EVIDENCE["trust_root"])
    bundle = Bundle.parse(EVIDENCE["model_signature"])
    lists = Evidence.parse(EVIDENCE["evidence"]).lists
    basis = Basis(trust=trust, requirements=required(EVIDENCE["as_of"]), lists=lists)
    found = verify_model(bundle, basis=basis, files=files_of(EVIDENCE["files"]))
    assert found.kind == "model"


def files_of(encoded: Mapping[str, str]) -> Manifest:
    return manifest_of({name: b64decode(data) for name, data in encoded.items()})


def mutated(given: Json, mutation: Json) -> Json:
    document = copy.deepcopy(given["evidence"])
    changes = [(change["path"], change["value"]) for change in mutation.get("set", [])]
    for (*outer, last), value in changes:
        inside(document, outer)[last] = value
    for *outer, last in mutation.get("remove", []):
        del inside(document, outer)[last]
    return document


def inside(document: Json, path: list[str | int]) -> Json:
    for step in path:
        document = document[step]
    return document


def examine(given: Json, mutation: Json) -> Examination:
    evidence = Evidence.parse(mutated(given, mutation))
    trust = TrustRoot.parse(mutation.get("trust_root", given["trust_root"]))
    requirements = required(mutation.get("as_of", given["as_of"]))
    if mutation["artifact"] == "output":
        content = Content.of(mutation.get("text", given["text"]).encode())
        return examine_output(
            evidence, basis=Basis(trust=trust, requirements=requirements), content=content
        )
    files = files_of(mutation.get("files", given["files"]))
    return examine_checkpoint(
        evidence, basis=Basis(trust=trust, requirements=requirements), files=files
    )


def required(as_of: str) -> Requirements:
    return Requirements(as_of=canonical.instant({"as_of": as_of}, "as_of"))


def judged(is_refused: bool) -> list[Json]:
    """Pairs of a file of vectors, and one of its mutations."""
    return [
        pytest.param(given, each, id=f"{name}: {each['name']} ({each['artifact']})")
        for name, given in FAMILIES.items()
        for each in given["mutations"]
        if each.get("refused", False) is is_refused
    ]


@pytest.mark.parametrize(("given", "mutation"), judged(is_refused=False))
def test_a_mutation_fails_in_its_steps_and_no_others(given: Json, mutation: Json) -> None:
    found = examine(given, mutation)
    assert [step.code for step in found.failures] == mutation.get("failed", [])
    if not mutation.get("failed"):
        assert found.verdict().kind == mutation["artifact"]
        return
    with pytest.raises(VerificationError) as caught:
        found.verdict()
    assert caught.value.code == mutation["error"]
    assert caught.value.step == found.failures[0]


@pytest.mark.parametrize(("given", "mutation"), judged(is_refused=True))
def test_a_mutation_is_not_even_evidence(given: Json, mutation: Json) -> None:
    with pytest.raises(InvalidDocument):
        examine(given, mutation)


@pytest.mark.parametrize("case", PSEUDONYMS["pseudonyms"], ids=lambda case: case["party"])
def test_a_pseudonym_is_made_of_party_and_salt(case: Mapping[str, str]) -> None:
    opening = PartyOpening.parse({"party": case["party"], "salt": case["salt"]})
    assert opening.pseudonym(case["registry"]) == case["pseudonym"]
    assert is_pseudonym(case["pseudonym"], registry=case["registry"])


@pytest.mark.parametrize("purpose", Purpose)
def test_a_chain_is_good_for_its_purpose_and_for_no_other(purpose: Purpose) -> None:
    chain = Chain.parse([b64decode(der) for der in CHAINS["chains"][purpose.value]])
    root, at = load("root", b64decode(CHAINS["root"])), canonical.instant(CHAINS, "at")
    assert verify_chain(chain, root=root, purpose=purpose, at=at) == CHAINS["subject"]
    for other in set(Purpose) - {purpose}:
        with pytest.raises(WrongPurpose):
            verify_chain(chain, root=root, purpose=other, at=at)


@pytest.mark.parametrize("case", CHAINS["outputs"], ids=lambda case: case["name"])
def test_a_chain_that_differs_in_one_thing(case: Json) -> None:
    chain = Chain.parse([b64decode(der) for der in case["chain"]])
    root, at = own("root", b64decode(case["root"])), canonical.instant(CHAINS, "at")
    if not case["error"]:
        assert verify_chain(chain, root=root, purpose=Purpose.OUTPUT, at=at) == CHAINS["subject"]
        return
    with pytest.raises(VerificationError) as refused:
        verify_chain(chain, root=root, purpose=Purpose.OUTPUT, at=at)
    assert refused.value.code == case["error"]
