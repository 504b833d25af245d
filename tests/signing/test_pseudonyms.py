# SPDX-License-Identifier: Apache-2.0
"""People sign under pseudonyms: an opening says who that is, and nothing else does."""

from dataclasses import replace

import pytest
from cryptography import x509

from assay.signing.certificates import Purpose
from assay.signing.errors import BrokenLink, InvalidDocument, WrongIdentity, WrongOpening
from assay.signing.evidence import Evidence
from assay.signing.pseudonyms import PartyOpening, is_pseudonym
from assay.signing.verify import Basis, Requirements, Verified, examine_output, verify_output
from tests.signing.forge import Change
from tests.signing.world import AT, REGISTRY, World

ALICE = f"{REGISTRY}/alice"
SALT = b"\x07" * 32


@pytest.fixture(scope="module")
def founded() -> World:
    """A registry whose Alice has a pseudonym."""
    return World.create(at=AT, salt=SALT)


def verified(world: World, evidence: Evidence, signer: str | None = None) -> Verified:
    requirements = Requirements(as_of=world.at, signer=signer)
    return verify_output(evidence, trust=world.trust, requirements=requirements, content=None)


def pseudonym(world: World) -> str:
    return world.openings[0].pseudonym(REGISTRY)


def test_an_opening_says_whose_a_pseudonym_is(world: World) -> None:
    found = verified(world, world.evidence_for_output())
    checkpoint = found.parts[1]
    assert (checkpoint.signer, checkpoint.pseudonym) == (ALICE, pseudonym(world))
    assert (found.parts[-1].signer, found.parts[-1].pseudonym) == (f"{REGISTRY}/conduct", None)
    step = next(each for each in found.steps if each.code == "checkpoint.signer")
    assert step.detail.startswith(f"alice, {ALICE} (pseudonym {pseudonym(world)}), certified")
    assert (found.steps[0].code, found.steps[0].detail) == ("openings", ALICE)


def test_without_an_opening_nobody_is_named(world: World) -> None:
    closed = replace(world.evidence_for_output(), openings=())
    with pytest.raises(BrokenLink, match="and no opening that says whose it is") as caught:
        verified(world, closed)
    assert caught.value.step is not None
    assert caught.value.step.code == "checkpoint.signer"
    passed = {step.code: step.detail for step in caught.value.passed}
    assert passed["output.signer"] == f"{pseudonym(world)}, certified for output"
    assert ALICE not in str(caught.value.passed)


def test_another_opening_opens_nothing(world: World) -> None:
    other = PartyOpening(party=ALICE, salt=bytes(32))
    evidence = replace(world.evidence_for_output(), openings=(other,))
    with pytest.raises(WrongOpening, match="expected an opening of a pseudonym in these cert"):
        verified(world, evidence)


def test_a_demanded_signer_may_be_named_either_way(world: World) -> None:
    evidence = world.evidence_for_output()
    for signer in (ALICE, pseudonym(world)):
        assert verified(world, evidence, signer).parts[0].signer == ALICE
    with pytest.raises(WrongIdentity, match=f"expected the signer {REGISTRY}/bob, found '{ALICE}'"):
        verified(world, evidence, f"{REGISTRY}/bob")


def test_a_demanded_signer_is_not_found_in_a_pseudonym_that_nothing_opens(world: World) -> None:
    closed = replace(world.evidence_for_output(), openings=())
    requirements = Requirements(as_of=world.at, signer=ALICE)
    found = examine_output(
        closed, basis=Basis(trust=world.trust, requirements=requirements), content=None
    )
    assert isinstance(found.failures[0].error, WrongIdentity)
    assert "no opening that says whose it is" in found.failures[0].detail


def test_the_pseudonym_of_one_registry_is_none_of_anothers(world: World) -> None:
    (opening,) = world.openings
    assert opening.pseudonym(REGISTRY) != opening.pseudonym("http://other.test")
    assert not is_pseudonym(pseudonym(world), registry="http://other.test")
    for path in ("people", f"people/{'a' * 63}", f"people/{'A' * 64}", f"people/{'a' * 64}/b"):
        assert not is_pseudonym(f"{REGISTRY}/{path}", registry=REGISTRY)


def test_an_opening_reads_back_as_itself(world: World) -> None:
    evidence = world.evidence_for_checkpoint()
    assert Evidence.parse(evidence.to_json()).openings == world.openings
    with pytest.raises(InvalidDocument, match=r"openings\.salt: expected 64 lower-case"):
        Evidence.parse({**evidence.to_json(), "openings": [{"party": ALICE, "salt": "00"}]})


@pytest.mark.parametrize(
    "change",
    [
        Change(drop=x509.SubjectAlternativeName),
        Change(
            drop=x509.SubjectAlternativeName,
            add=[(x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"no DER"), False)],
        ),
    ],
)
def test_a_certificate_that_names_nobody_is_opened_by_nothing(world: World, change: Change) -> None:
    path = pseudonym(world).removeprefix(f"{REGISTRY}/")
    for purpose in (Purpose.OUTPUT, Purpose.CHECKPOINT):
        world.replace_leaf(purpose, path, change)
    with pytest.raises(WrongOpening):
        verified(world, world.evidence_for_output())
