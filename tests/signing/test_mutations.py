# SPDX-License-Identifier: Apache-2.0
"""Nothing put together from two good bundles, and no flipped bit, is accepted.

This is the class of GHSA-whqx-f9j3-ch6m: a verifier that checks every part, but not that the parts
are of one bundle. Where the tests are thorough, 14,000 are tried.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, TypeAlias, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.signing import canonical
from assay.signing.bundle import Bundle, LedgerProof
from assay.signing.certificates import Chain, Purpose
from assay.signing.envelope import Envelope
from assay.signing.errors import AssayError, BadTreeHead, VerificationError
from assay.signing.evidence import Evidence
from assay.signing.verify import (
    Content,
    examine_bundle,
    verify_bundle,
    verify_output,
)
from tests.signing.forge import twin
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, TEXT, World, conduct_claim, dataset_claim
from tests.thorough import examples
from tests.vectors.witnessed import with_flipped

# A flipped bit can make a serial number negative, of which the parser warns before we refuse it.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")

WORLD = World.create(at=AT)
FIRST = WORLD.bundle(WORLD.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice"))
WORLD.evidence_for_output()  # the ledger grows
SECOND = WORLD.bundle(WORLD.sign(conduct_claim().statement(), Purpose.CONDUCT, "conduct"))
BASIS = WORLD.basis()
PURPOSES = {id(FIRST): Purpose.CHECKPOINT, id(SECOND): Purpose.CONDUCT}

Parts: TypeAlias = dict[str, Any]
T = TypeVar("T", Envelope, Chain, LedgerProof)


def parts_of(bundle: Bundle) -> Parts:
    """Each part of a bundle by its name, wherever it stands."""
    inner = (bundle.envelope, bundle.chain, bundle.proof)
    found = {field.name: getattr(each, field.name) for each in inner for field in fields(each)}
    return {**found, "timestamp": bundle.timestamp, "entry": bundle.entry}


def bundle_of(parts: Parts) -> Bundle:
    """The bundle that these parts make."""

    def made(kind: type[T]) -> T:
        return kind(**{field.name: parts[field.name] for field in fields(kind)})

    return Bundle(
        envelope=made(Envelope),
        chain=made(Chain),
        timestamp=parts["timestamp"],
        proof=made(LedgerProof),
        entry=parts["entry"],
    )


def mixed(ours: Bundle, theirs: Bundle, chosen: Iterable[str]) -> Bundle:
    """Our bundle with some parts of theirs."""
    return bundle_of({**parts_of(ours), **{name: parts_of(theirs)[name] for name in chosen}})


NAMES = tuple(name for name in parts_of(FIRST) if name != "log_id")  # both are of one ledger
PAIRS = [(FIRST, SECOND), (SECOND, FIRST)]
CHOICES = [
    chosen for count in range(1, len(NAMES)) for chosen in itertools.combinations(NAMES, count)
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["first", "second"])
def test_no_single_part_of_another_bundle_fits(name: str, ours: Bundle, theirs: Bundle) -> None:
    with pytest.raises(VerificationError):
        verify_bundle(mixed(ours, theirs, [name]), basis=BASIS, purpose=PURPOSES[id(ours)])


@examples(150, many=2_500)
@given(st.sampled_from(CHOICES), st.sampled_from(PAIRS), st.sampled_from(list(Purpose)))
def test_no_mixture_of_two_bundles_is_accepted(
    chosen: tuple[str, ...], pair: tuple[Bundle, Bundle], purpose: Purpose
) -> None:
    with pytest.raises(VerificationError):
        verify_bundle(mixed(*pair, chosen), basis=BASIS, purpose=purpose)


def test_both_bundles_are_good_by_themselves() -> None:
    for bundle in (FIRST, SECOND):
        verify_bundle(bundle, basis=BASIS, purpose=PURPOSES[id(bundle)])


def test_a_signature_in_its_other_form_is_neither_stamped_nor_logged() -> None:
    # Without timestamp and entry over the signature's bytes, anybody could make a second bundle.
    envelope = replace(FIRST.envelope, signature=twin(FIRST.envelope.signature))
    envelope.verify(FIRST.chain.public_key)
    found = examine_bundle(
        replace(FIRST, envelope=envelope), basis=BASIS, purpose=Purpose.CHECKPOINT
    )
    assert [step.code for step in found.failures] == ["bundle.time", "bundle.entry"]


def read_and_verify(data: bytes) -> None:
    evidence = Evidence.parse(canonical.loads(data))
    verify_output(evidence, trust=WORLD.trust, requirements=WORLD.requirements, content=CONTENT)


EVIDENCE = WORLD.evidence_for_output().canonical()
CONTENT = Content.of(TEXT.encode())
WITNESSES = Witnesses(world=WORLD)
WITNESSED = WITNESSES.named(WORLD.evidence_for_output(), w1=AT, w2=AT, w3=AT)
COSIGNED = WITNESSED.canonical()
NAMED = re.compile(rb"w[123]\.test(?: |\+[0-9a-f]{8}\+)[A-Za-z0-9+/=]+")  # lines, and keys
UNASKED = [
    bit for found in NAMED.finditer(COSIGNED) for bit in range(found.start() * 8, found.end() * 8)
]


@examples(100, many=1_500)
@given(st.integers(0, len(EVIDENCE) * 8 - 1))
def test_no_flipped_bit_of_the_evidence_is_accepted(bit: int) -> None:
    with pytest.raises(AssayError):
        read_and_verify(flipped(EVIDENCE, bit))


def test_witnessed_evidence_is_good_without_a_policy() -> None:
    read_and_verify(COSIGNED)


@examples(100, many=1_500)
@given(st.integers(0, len(COSIGNED) * 8 - 1))
def test_no_flipped_bit_of_witnessed_evidence_is_accepted(bit: int) -> None:
    with pytest.raises(AssayError):
        read_and_verify(flipped(COSIGNED, bit))


@examples(100, many=1_500)
@given(st.sampled_from(UNASKED))
def test_no_flipped_bit_of_a_line_that_no_policy_asks_for_is_accepted(bit: int) -> None:
    with pytest.raises(AssayError):
        read_and_verify(flipped(COSIGNED, bit))


def test_a_line_that_is_asked_for_is_no_bundles_to_change_and_others_of_it_alone_are() -> None:
    """A single bundle cannot say who its witnesses are: C2SP's rule holds there (ADR 0035)."""
    witnessed = WITNESSES.bundle(FIRST, w1=AT, w2=AT, w3=AT)
    note = with_flipped(witnessed.proof.note, 2, 50)
    changed = replace(witnessed, proof=replace(witnessed.proof, note=note))
    verify_bundle(changed, basis=BASIS, purpose=Purpose.CHECKPOINT)
    required = replace(WORLD.requirements, policy=WITNESSES.policy())
    with pytest.raises(BadTreeHead, match=r"cosigned"):
        verify_bundle(
            changed, basis=replace(BASIS, requirements=required), purpose=Purpose.CHECKPOINT
        )


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << (bit % 8)
    return bytes(changed)


@examples(150, many=7_000)
@given(st.sampled_from(["payload", "signature", "timestamp", "entry", "root", "log_id"]), st.data())
def test_no_flipped_bit_of_a_bundles_bytes_is_accepted(name: str, data: st.DataObject) -> None:
    """The same below the base64, where every byte is one that is signed or compared."""
    parts = parts_of(FIRST)
    bit = data.draw(st.integers(0, len(parts[name]) * 8 - 1))
    changed = bundle_of({**parts, name: flipped(parts[name], bit)})
    with pytest.raises(VerificationError):
        verify_bundle(changed, basis=BASIS, purpose=Purpose.CHECKPOINT)
