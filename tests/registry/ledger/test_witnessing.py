# SPDX-License-Identifier: Apache-2.0
"""Witnesses are shown each new head, and what they sign is kept, verified, and shown to all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings as project
from django.db import IntegrityError, connection, transaction
from django.test import Client
from pytest_django import Settings

from assay.signing import cosignatures, treehead
from assay.signing.certificates import Purpose
from assay.signing.cosignatures import Witness
from assay.signing.tlog import Policy, Proof
from assay.signing.treehead import TreeHead, Verifier
from assay.signing.verify import verify_bundle
from assay.signing.witness import Desk, Memory, serving
from registry.ledger import cosigned, folder, queries, services, tasks, witnessing
from registry.ledger.models import Cosignature
from registry.ledger.models import TreeHead as Head
from tests.registry.ledger.statements import record
from tests.registry.verifying import basis, demands
from tests.running import Authority
from tests.signing.commands.test_witness import running as program

pytestmark = pytest.mark.django_db(transaction=True)

NAME, AT = "witness.test/w1", 1_763_000_000
KEY = Ed25519PrivateKey.generate()
WITNESS = Witness(name=NAME, public_key=KEY.public_key())
NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    return Memory.open(tmp_path / "witness")


@pytest.fixture
def url(authority: Authority, memory: Memory) -> Iterator[str]:
    """A witness that watches this registry's ledger."""
    ledgers = (Verifier.parse(authority.trust_root.verifier),)
    desk = Desk(name=NAME, key=KEY, ledgers=ledgers, memory=memory, clock=lambda: AT)
    with serving(desk, "127.0.0.1", 0) as address:
        yield address


@pytest.fixture(autouse=True)
def policy(authority: Authority, url: str, tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_DIR = tmp_path
    path = tmp_path / "policy"
    settings.LEDGER_POLICY = str(path)
    write(path, authority, url)
    return path


def write(path: Path, authority: Authority, *urls: str, key: Ed25519PrivateKey = KEY) -> None:
    witness = Witness(name=NAME, public_key=key.public_key())
    lines = f"log {authority.trust_root.verifier}\nwitness w {witness.text()} {' '.join(urls)}\n"
    path.write_text(f"{lines}quorum w\n")


def grow(*numbers: int) -> None:
    record(*numbers)
    services.integrate()


def checkpoint() -> str:
    return (folder.read(folder.CHECKPOINT) or b"").decode()


def test_a_new_head_is_cosigned_and_shown_so(policy: Path) -> None:
    for number in range(3):
        grow(number)
        tasks.witness()
        shown = Policy.parse(policy.read_bytes()).check(checkpoint())
        assert (shown.head.size, shown.seen_at) == (number + 1, {"w": AT})


def test_a_head_is_shown_before_any_witness_has_seen_it(policy: Path) -> None:
    grow(1)
    assert treehead.parse(checkpoint()).size == 1
    assert cosignatures.verify(checkpoint(), WITNESS) is None


def test_a_witness_is_asked_once_for_a_head(authority: Authority) -> None:
    grow(1)
    assert (witnessing.collect(), witnessing.collect()) == (1, 0)
    services.integrate()
    assert cosignatures.verify(checkpoint(), WITNESS) == AT


def test_a_witness_that_saw_more_than_we_remember_says_so(authority: Authority) -> None:
    """Its answer to the head of two entries was lost on the way."""
    grow(1)
    grow(2)
    witnessing.collect()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM ledger_cosignature")
        cursor.execute("SET session_replication_role = DEFAULT")
    grow(3)
    assert witnessing.collect() == 1


def test_a_witness_that_saw_another_history_never_cosigns_ours(
    authority: Authority, memory: Memory
) -> None:
    grow(1, 2)
    seen = TreeHead(origin=project.LEDGER_ORIGIN, size=9, root=bytes(32))
    memory.remember(seen)
    assert witnessing.collect() == 0
    memory.remember(TreeHead(origin=seen.origin, size=1, root=bytes(32)))
    assert witnessing.collect() == 0
    assert not Cosignature.objects.exists()


def test_a_witness_that_is_away_is_asked_again(
    authority: Authority, policy: Path, url: str
) -> None:
    grow(1)
    write(policy, authority, NOBODY)
    assert witnessing.collect() == 0
    write(policy, authority, url)
    assert witnessing.collect() == 1


def test_lines_of_another_key_are_not_kept(authority: Authority, policy: Path, url: str) -> None:
    grow(1)
    write(policy, authority, url, key=Ed25519PrivateKey.generate())
    assert witnessing.collect() == 0
    assert not Cosignature.objects.exists()


def test_without_a_policy_an_address_or_a_head_nobody_is_asked(
    authority: Authority, policy: Path, settings: Settings
) -> None:
    assert witnessing.collect() == 0
    grow(1)
    write(policy, authority)
    assert witnessing.collect() == 0
    settings.LEDGER_POLICY = ""
    assert witnessing.collect() == 0


def test_a_cosignature_is_never_changed(authority: Authority) -> None:
    grow(1)
    witnessing.collect()
    assert str(Cosignature.objects.get()).startswith(f"tree head 1, {NAME}+")
    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("DELETE FROM ledger_cosignature")
    assert cosigned.last_by(WITNESS.text()) == 1


def seen(note: str, policy: Path) -> int:
    """The size of the tree that a note is of, which the quorum has seen."""
    found = Policy.parse(policy.read_bytes()).check(note)
    assert found.since == AT
    return found.head.size


def test_an_entry_is_proven_by_the_first_head_that_enough_have_seen(
    authority: Authority, policy: Path
) -> None:
    """A later head proves a later time, which after a compromise may be too late."""
    (first,) = record(1)
    services.integrate()
    grow(2)
    witnessing.collect()
    (third,) = record(3)
    services.integrate()
    witnessing.collect()
    early, late = queries.bundles(first, third)
    assert (seen(early.proof.note, policy), seen(late.proof.note, policy)) == (2, 3)
    verify_bundle(early, basis=basis(authority), purpose=Purpose.CHECKPOINT)


def test_evidence_names_whoever_cosigned_its_tree_heads_and_nobody_else() -> None:
    first, second = record(1, 2)
    services.integrate()
    assert queries.witnesses(queries.bundles(first, second)) == ()
    witnessing.collect()
    assert queries.witnesses(queries.bundles(first, second)) == (WITNESS,)


def test_before_enough_have_seen_it_the_newest_head_proves_an_entry(
    authority: Authority, policy: Path, url: str
) -> None:
    grow(1)
    witnessing.collect()
    other = Witness(name="other.test", public_key=Ed25519PrivateKey.generate().public_key())
    lines = policy.read_text().replace("quorum w", f"witness v {other.text()}\ngroup both all w v")
    policy.write_text(f"{lines}quorum both\n")
    grow(2)
    assert treehead.parse(queries.proof(0).note).size == 2


def test_a_witness_that_was_away_for_long_proves_by_the_first_head_that_it_saw_after(
    policy: Path,
) -> None:
    other = Witness(name="other.test", public_key=Ed25519PrivateKey.generate().public_key())
    lines = policy.read_text().replace("quorum w", f"witness v {other.text()}\ngroup both all w v")
    policy.write_text(f"{lines}quorum both\n")
    heads = Head.objects.bulk_create(
        Head(size=size, root=b"", note="", verifier="") for size in range(1, 302)
    )
    Cosignature.objects.bulk_create(
        Cosignature(head=head, size=head.size, witness=WITNESS.text(), lines="") for head in heads
    )
    back = [
        Cosignature(head=head, size=head.size, witness=other.text(), lines="")
        for head in heads[-3:-1]
    ]
    Cosignature.objects.bulk_create(back)
    assert [head.size for head in cosigned.proving([0, 299, 300], heads[-1])] == [299, 300, 301]


@pytest.mark.parametrize("content", ["quorum", None])
def test_a_policy_that_cannot_be_read_hides_no_proof(
    authority: Authority, policy: Path, content: str | None
) -> None:
    grow(1)
    policy.unlink() if content is None else policy.write_text(content)
    assert treehead.parse(queries.proof(0).note).size == 1


def test_an_entry_has_a_proof_for_programs_of_others(
    authority: Authority, policy: Path, client: Client
) -> None:
    grow(1)
    witnessing.collect()
    grow(2)
    answer = client.get("/ledger/entries/0.tlog-proof")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="0.tlog-proof"'
    leaf = bytes.fromhex(queries.entry(0).leaf_hash)
    found = Proof.parse(answer.content.decode()).verify(leaf, Policy.parse(policy.read_bytes()))
    assert (found.head.size, found.seen_at) == (1, {"w": AT})
    assert client.get("/ledger/entries/2.tlog-proof").status_code == 404


def test_the_newest_head_is_answered_with_its_cosignatures(
    authority: Authority, policy: Path, client: Client
) -> None:
    grow(1)
    witnessing.collect()
    assert seen(client.get("/ledger/tree-head").content.decode(), policy) == 1


def test_a_note_has_no_more_lines_than_its_readers_take(authority: Authority) -> None:
    grow(1)
    head = queries.tree_head()
    for number in range(20):
        Cosignature.objects.create(
            head=head, size=head.size, witness=str(number), lines="— w.test AAAAAAAA\n"
        )
    assert len(treehead.split(cosigned.note(head))[1]) == treehead.MAX_SIGNATURE_LINES


def test_a_witness_by_ml_dsa_44_is_asked_and_believed(
    authority: Authority, policy: Path, tmp_path: Path, client: Client
) -> None:
    """The program that others run, the address that everybody reads, the policy of a verifier."""
    (first,) = record(1)
    services.integrate()
    vkey = authority.trust_root.verifier
    (tmp_path / "far").mkdir()
    with program(tmp_path / "far", "--algorithm", "ml-dsa-44", vkey=vkey) as (_, url, witness):
        place = url.removesuffix("/add-checkpoint")
        policy.write_text(f"log {vkey}\nwitness w {witness.text()} {place}\nquorum w\n")
        assert (witnessing.collect(), witnessing.collect()) == (1, 0)
    believed = Policy.parse(policy.read_bytes())
    shown = believed.check(client.get("/ledger/tree-head").content.decode())
    assert shown.since is not None
    (bundle,) = queries.bundles(first)
    demanded = replace(demands(), policy=believed)
    strict = replace(basis(authority), requirements=demanded)
    verify_bundle(bundle, basis=strict, purpose=Purpose.CHECKPOINT)
