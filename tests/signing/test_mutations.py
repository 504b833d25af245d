# SPDX-License-Identifier: Apache-2.0
"""Nothing put together from two good bundles, and no flipped bit, is accepted.

This is the class of GHSA-whqx-f9j3-ch6m: a verifier that checks every part, but not that the parts
are of one bundle.
"""

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.signing import canonical
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.envelope import Envelope
from assay.signing.errors import AssayError, VerificationError
from assay.signing.evidence import Evidence
from assay.signing.verify import (
    Content,
    examine_bundle,
    verify_bundle,
    verify_output,
)
from tests.signing.world import AT, TEXT, World, conduct_claim, dataset_claim

# A flipped bit can make a serial number negative, of which the parser warns before we refuse it.
pytestmark = pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

WORLD = World.create(at=AT)
FIRST = WORLD.bundle(WORLD.sign(dataset_claim().statement(), Purpose.CHECKPOINT, "alice"))
WORLD.evidence_for_output()  # the ledger grows
SECOND = WORLD.bundle(WORLD.sign(conduct_claim().statement(), Purpose.CONDUCT, "conduct"))
PURPOSES = {id(FIRST): Purpose.CHECKPOINT, id(SECOND): Purpose.CONDUCT}

Swap = Callable[[Bundle, Bundle], Bundle]


def swap_payload(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, envelope=replace(a.envelope, payload=b.envelope.payload))


def swap_signature(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, envelope=replace(a.envelope, signature=b.envelope.signature))


def swap_leaf(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, chain=replace(a.chain, leaf=b.chain.leaf))


def swap_intermediate(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, chain=replace(a.chain, intermediate=b.chain.intermediate))


def swap_timestamp(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, timestamp=b.timestamp)


def swap_index(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, proof=replace(a.proof, index=b.proof.index))


def swap_size(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, proof=replace(a.proof, size=b.proof.size))


def swap_root(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, proof=replace(a.proof, root=b.proof.root))


def swap_hashes(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, proof=replace(a.proof, hashes=b.proof.hashes))


def swap_note(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, proof=replace(a.proof, note=b.proof.note))


def swap_entry(a: Bundle, b: Bundle) -> Bundle:
    return replace(a, entry=b.entry)


SWAPS: list[Swap] = [
    swap_payload,
    swap_signature,
    swap_leaf,
    swap_intermediate,
    swap_timestamp,
    swap_index,
    swap_size,
    swap_root,
    swap_hashes,
    swap_note,
    swap_entry,
]
PAIRS = [(FIRST, SECOND), (SECOND, FIRST)]
CHOICES = [
    chosen for count in range(1, len(SWAPS)) for chosen in itertools.combinations(SWAPS, count)
]


@pytest.mark.parametrize("swap", SWAPS)
@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["first", "second"])
def test_no_single_part_of_another_bundle_fits(swap: Swap, ours: Bundle, theirs: Bundle) -> None:
    with pytest.raises(VerificationError):
        verify_bundle(swap(ours, theirs), trust=WORLD.trust, purpose=PURPOSES[id(ours)])


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(CHOICES), st.sampled_from(PAIRS), st.sampled_from(list(Purpose)))
def test_no_mixture_of_two_bundles_is_accepted(
    swaps: tuple[Swap, ...], pair: tuple[Bundle, Bundle], purpose: Purpose
) -> None:
    mixed, theirs = pair
    for swap in swaps:
        mixed = swap(mixed, theirs)
    with pytest.raises(VerificationError):
        verify_bundle(mixed, trust=WORLD.trust, purpose=purpose)


def test_both_bundles_are_good_by_themselves() -> None:
    for bundle in (FIRST, SECOND):
        verify_bundle(bundle, trust=WORLD.trust, purpose=PURPOSES[id(bundle)])


def test_a_signature_in_its_other_form_is_neither_stamped_nor_logged() -> None:
    # ECDSA accepts (r, n - s) as well: without timestamp and entry over the signature's bytes,
    # anybody could make a second bundle from one.
    r, s = decode_dss_signature(FIRST.envelope.signature)
    twin = Envelope(
        payload=FIRST.envelope.payload, signature=encode_dss_signature(r, P256_ORDER - s)
    )
    twin.verify(FIRST.chain.public_key)
    found = examine_bundle(
        replace(FIRST, envelope=twin), trust=WORLD.trust, purpose=Purpose.CHECKPOINT
    )
    assert [step.code for step in found.failures] == ["bundle.time", "bundle.entry"]


def read_and_verify(data: bytes) -> None:
    evidence = Evidence.parse(canonical.loads(data))
    verify_output(evidence, trust=WORLD.trust, content=CONTENT)


EVIDENCE = WORLD.evidence_for_output().canonical()
CONTENT = Content.of(TEXT.encode())


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(EVIDENCE) * 8 - 1))
def test_no_flipped_bit_of_the_evidence_is_accepted(bit: int) -> None:
    changed = bytearray(EVIDENCE)
    changed[bit // 8] ^= 1 << (bit % 8)
    with pytest.raises(AssayError):
        read_and_verify(bytes(changed))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_flipped_bit_of_a_bundles_bytes_is_accepted(data: st.DataObject) -> None:
    """The same below the base64, where every byte is one that is signed or compared."""
    envelope, proof = FIRST.envelope, FIRST.proof
    name = data.draw(
        st.sampled_from(["payload", "signature", "timestamp", "entry", "root", "log_id"])
    )
    parts = {
        "payload": envelope.payload,
        "signature": envelope.signature,
        "timestamp": FIRST.timestamp,
        "entry": FIRST.entry,
        "root": proof.root,
        "log_id": proof.log_id,
    }
    changed = bytearray(parts[name])
    bit = data.draw(st.integers(0, len(changed) * 8 - 1))
    changed[bit // 8] ^= 1 << (bit % 8)
    parts[name] = bytes(changed)
    flipped = Bundle(
        envelope=Envelope(payload=parts["payload"], signature=parts["signature"]),
        chain=FIRST.chain,
        timestamp=parts["timestamp"],
        proof=replace(proof, root=parts["root"], log_id=parts["log_id"]),
        entry=parts["entry"],
    )
    with pytest.raises(VerificationError):
        verify_bundle(flipped, trust=WORLD.trust, purpose=Purpose.CHECKPOINT)
