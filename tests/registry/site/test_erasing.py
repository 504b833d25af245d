# SPDX-License-Identifier: Apache-2.0
"""A person leaves: nothing says any more who signed; the tree and all others stay whole."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from cryptography import x509
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.test import Client
from django.utils import timezone

from assay.signing.certificates import Purpose
from assay.signing.digests import as_id
from assay.signing.monitor import Memory, follow
from assay.signing.treehead import Verifier
from assay.signing.verify import verify_checkpoint
from registry.accounts import pseudonyms
from registry.accounts import services as accounts
from registry.accounts.erasing import nodes_of
from registry.accounts.errors import InvalidName, LastOwner, NameTaken
from registry.accounts.models import Pseudonym, User
from registry.api.problems import NotFound as NotFoundHere
from registry.audit import queries as audit
from registry.audit.models import AuditRow
from registry.authority import revocations
from registry.authority.models import Revocation
from registry.backup import checking
from registry.catalog import queries as catalog
from registry.catalog import services as catalog_services
from registry.catalog.models import Checkpoint
from registry.conduct import services as conduct
from registry.ledger import folder, rebuilding
from registry.ledger import queries as ledger
from registry.ledger.errors import NotFound
from registry.ledger.models import Entry, Statement
from registry.ledger.services import integrate
from registry.outputs.models import Output
from registry.site import erasing
from tests.keeping import kept
from tests.registry.catalog.world import (
    FILES,
    World,
    build,
    by_person,
    changed,
    join,
    project,
    publish,
    texts,
)
from tests.registry.people import client_of, invite
from tests.registry.site.leaving import NAME, naming, zebulon
from tests.registry.site.world import answer_next, ask
from tests.registry.verifying import demands
from tests.running import Authority

BASE64 = re.compile(rb"[A-Za-z0-9+/]{100,}={0,2}")

pytestmark = pytest.mark.django_db


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Zebulon, what he made, and what others made from it."""

    world: World
    person: User
    pseudonym: str
    salt: bytes
    own: Checkpoint
    labs: Checkpoint
    alices: Output
    his: Output


def _leave(folder: Path) -> Left:
    world = build(invite(), folder / "texts")
    person = zebulon(world)
    join(person, f"the box of {NAME}")
    own = project(person.namespace, world.conduct, person, "own")
    files = {**FILES, "mine.txt": f"by {NAME}".encode()}
    published = publish(changed(by_person(world, files=files, user=person), project=own))
    labs = publish(by_person(world, user=person))
    catalog_services.add_dataset(person.namespace, "his", texts(folder / "his"))
    asked = [(published, world.people.alice), (labs, person)]
    conduct.accept(world.conduct, world.people.alice.namespace, world.people.alice)
    for checkpoint, by in asked:
        ask(checkpoint, by=by)
    answered = [answer_next(world.people.alice) for _ in asked]
    alices, his = sorted(answered, key=lambda output: output.caller_id == person.namespace_id)
    opening = pseudonyms.opening(person.namespace)
    assert opening is not None
    return Left(
        world=world,
        person=person,
        pseudonym=pseudonyms.certified_as(person.namespace),
        salt=opening.salt,
        own=published,
        labs=labs,
        alices=alices,
        his=his,
    )


left = kept(_leave)


def test_the_name_is_kept_as_given_and_stands_nowhere_else(left: Left) -> None:
    assert {"ledger_statement", "audit_auditrow", "accounts_user"} <= naming(NAME)
    erasing.erase(NAME)
    assert naming(NAME) == {"accounts_namespace"}
    assert naming(left.salt.hex()) == set()
    with pytest.raises(NameTaken):
        accounts.create_user(NAME)


def test_nothing_says_whose_the_pseudonym_is(left: Left) -> None:
    erasing.erase(NAME)
    assert pseudonyms.openings([left.pseudonym]) == ()
    assert pseudonyms.signatories([left.pseudonym])[left.pseudonym].party is None
    assert not Pseudonym.objects.filter(commitment=left.pseudonym.rpartition("/")[2]).exists()
    entries = [bytes(each.body) for each in Entry.objects.all()]
    read = [b"\n".join([each, *map(b64decode, BASE64.findall(each))]) for each in entries]
    assert any(left.pseudonym.encode() in each for each in read)
    assert not any(f"/{NAME}".encode() in each for each in read)


def test_the_tree_is_whole_and_every_signature_that_is_kept_verifies(
    left: Left, authority: Authority
) -> None:
    head = ledger.tree_head()
    statements = Statement.objects.count()
    erasing.erase(NAME)
    assert rebuilding.rebuild().size >= head.size
    checked = checking.check(authority.trust_root)
    blank = Statement.objects.filter(payload=b"").count()
    assert blank == 3  # checkpoint, model signature, data set
    assert checked.signatures >= statements - blank
    assert audit.verify().redacted > 0


def test_a_monitor_sees_a_ledger_that_went_on(
    left: Left, authority: Authority, tmp_path: Path
) -> None:
    verifier = Verifier.parse(authority.trust_root.verifier)
    memory = Memory(folder=tmp_path / "monitor", ledger=verifier)
    before = follow(memory, _file("checkpoint").decode(), _file)
    erasing.erase(NAME)
    integrate()
    after = follow(memory, _file("checkpoint").decode(), _file)
    assert after.before == before.now
    assert after.now.size > before.now.size


def _file(path: str) -> bytes:
    """What the web server serves of the ledger."""
    found = folder.read(path)
    assert found is not None
    return found


def test_what_others_published_is_untouched(left: Left, authority: Authority) -> None:
    erasing.erase(NAME)
    checkpoint = catalog.checkpoint(left.labs.manifest_sha256)
    verify_checkpoint(
        catalog.evidence(checkpoint),
        trust=authority.trust_root,
        requirements=demands(),
        files=catalog.manifest(checkpoint),
    )
    assert catalog.file_for("lab", "small", "first", "README.md") is not None


def test_what_others_made_of_it_is_theirs_without_its_tree(left: Left) -> None:
    erasing.erase(NAME)
    alice = Client()
    alice.force_login(left.world.people.alice)
    shown = alice.get(left.alices.path)
    assert shown.status_code == 200
    assert left.alices.text in shown.context["output"].text
    said = client_of(left.world.people.alice, "outputs").get(f"/api/v1/outputs/{left.alices.pk}")
    assert (said.json()["evidence"], said.json()["text"]) == (None, left.alices.text)
    assert said.json()["checkpoint"] == as_id(left.own.manifest_sha256)


def test_what_the_person_published_is_served_no_longer(left: Left) -> None:
    statement = left.own.statement
    assert statement is not None
    index = ledger.statement(statement.sha256).entry.index
    erasing.erase(NAME)
    anybody = Client()
    for path in (
        left.own.path,
        f"/{NAME}/own",
        f"{left.own.path}/files/README.md",
        f"/api/v1/checkpoints/{as_id(left.own.manifest_sha256)}/evidence",
        f"/ledger/statements/{statement.sha256}/statement.json",
    ):
        assert anybody.get(path).status_code == 404, path
    assert "erased" not in anybody.get("/projects").content.decode()
    entry = anybody.get(f"/ledger/entries/{index}").content.decode()
    assert NAME not in entry
    assert "own" not in re.findall(r'"name": ?"([^"]*)"', entry)
    with pytest.raises(NotFound):
        ledger.bundle(ledger.statement(statement.sha256))


def test_only_blobs_that_nobody_else_has_are_removed(left: Left) -> None:
    mine = {each.name: each.sha256 for each in catalog.files(left.own)}
    erasing.erase(NAME)
    held = "SELECT sha256 FROM storage_blob"
    with connection.cursor() as cursor:
        cursor.execute(held)
        kept = {row[0] for row in cursor.fetchall()}
    assert mine["mine.txt"] not in kept
    assert mine["README.md"] in kept  # the lab's checkpoint has the same


def test_certificates_are_revoked_for_an_operation_that_ceased(left: Left) -> None:
    live = revocations.live({left.pseudonym, *_nodes(left)})
    assert len(live) == 3  # for checkpoints, for outputs, and the machine's
    erased = erasing.erase(NAME)
    reasons = Revocation.objects.filter(certificate__serial__in=live).values_list("reason")
    assert [reason for (reason,) in reasons] == ["cessation-of-operation"] * erased.certificates
    assert revocations.live({left.pseudonym, *_nodes(left)}) == ()


def _nodes(left: Left) -> tuple[str, ...]:
    return nodes_of(left.person)


def test_whoever_left_signs_in_and_signs_no_more(left: Left) -> None:
    browser = Client()
    browser.force_login(left.person)
    token = client_of(left.person, "outputs")
    erasing.erase(NAME)
    assert browser.get("/settings").status_code == 302
    assert token.get(f"/api/v1/outputs/{left.his.pk}").status_code == 401
    row = Output.objects.get(pk=left.his.pk)
    assert (row.text, row.pieces) == ("", [])
    assert (row.sampling, bytes(row.salt or b"")) == ({}, b"")


def test_the_act_is_written_down_without_the_name(left: Left) -> None:
    erased = erasing.erase(NAME)
    row = AuditRow.objects.order_by("-id")[0]
    assert (row.action, row.subject) == ("person.erase", erased.stub)
    assert row.details["statements"] == erased.statements == 3
    assert row.details["audit_rows"] == erased.audit_rows


def test_a_crash_before_the_end_is_gone_on_with(
    left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_args: object, **_kwargs: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("registry.ledger.services.blank", crash)
        with pytest.raises(KeyboardInterrupt):
            erasing.erase(NAME)
    assert User.objects.get(pk=left.person.pk).username == NAME
    erasing.erase(NAME)
    assert naming(NAME) == {"accounts_namespace"}


def test_after_a_restore_the_pseudonym_says_whom_to_erase_again(left: Left) -> None:
    erased = erasing.erase(left.pseudonym.rpartition("/")[2])
    assert erased.pseudonym == left.pseudonym
    assert naming(NAME) == {"accounts_namespace"}
    with pytest.raises(NotFoundHere, match="expected the name of a person"):
        erasing.erase(left.pseudonym.rpartition("/")[2])


def test_what_was_signed_in_clear_does_not_say_who_the_rest_is_of(
    left: Left, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pseudonym.objects.filter(namespace=left.person.namespace).delete()
    with monkeypatch.context() as before:
        before.setattr("registry.authority.issuing.salt_of", lambda _owner: None)
        folder = tmp_path / "before"
        old = catalog_services.add_dataset(left.person.namespace, "before", texts(folder))
        ask(left.labs, by=left.person)
        output = answer_next(left.world.people.alice)
    for statement in (old.statement, output.statement):
        assert statement is not None
        assert ledger.statement(statement.sha256).subject == left.person.namespace.uri
    pseudonyms.give(left.person.namespace)
    ask(left.labs, by=left.person)
    later = answer_next(left.world.people.alice)
    erasing.erase(NAME)
    clear, hidden = (Output.objects.get(pk=each.pk).caller.name for each in (output, later))
    old.refresh_from_db()
    assert old.owner.name == clear != hidden == User.objects.get(pk=left.person.pk).username
    assert naming(clear) == {"accounts_namespace"}


def test_the_last_owner_of_an_organisation_hands_it_over_first(left: Left) -> None:
    with pytest.raises(LastOwner, match="alice is the only owner of lab; name another one first"):
        erasing.erase("alice")
    assert accounts.create_user("another").is_active


def test_the_command_erases_people_and_who_left_before(left: Left) -> None:
    said = StringIO()
    call_command("accounts", "erase", NAME, stderr=said)
    assert "3 certificates revoked, the words of 3 statements" in said.getvalue()
    assert left.pseudonym in said.getvalue()
    again = StringIO()
    call_command("accounts", "erase", NAME, stderr=again)
    assert "0 certificates revoked, the words of 0 statements and of 0 audit rows" in (
        again.getvalue()
    )
    with pytest.raises(CommandError, match="expected the name of a person"):
        call_command("accounts", "erase", "lab")
    stub = User.objects.get(pk=left.person.pk).username
    with pytest.raises(CommandError, match="expected the name of a person"):
        call_command("accounts", "erase", stub)


def test_nobody_takes_the_name_of_somebody_erased() -> None:
    with pytest.raises(InvalidName, match="reserved"):
        accounts.create_user("erased-0011223344556677")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ledger_statement SET payload = 'x'",
        "UPDATE ledger_statement SET payload = ''",  # other types are among them
        "UPDATE ledger_statement SET payload = '', subject = 'x'",
        "UPDATE catalog_checkpoint SET name = 'x'",
        "UPDATE catalog_checkpoint SET state = 'rejected', published_at = NULL",
        "UPDATE catalog_checkpoint SET actor = 'user:mallory'",
        "DELETE FROM catalog_file",
        "UPDATE catalog_dataset SET name = 'erased-1', title = ''",
        "UPDATE conduct_acceptance SET salt = ''",
        "UPDATE audit_auditrow SET actor = 'user:mallory'",
        (
            "UPDATE audit_auditrow "
            "SET actor = '', subject = '', details = '{}', salt = NULL, action = 'x'"
        ),
    ],
)
def test_nothing_else_goes_the_way_of_an_erasure(left: Left, change: str) -> None:
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(change)


def test_a_certificate_of_a_person_names_only_the_pseudonym(left: Left) -> None:
    statement = left.own.statement
    assert statement is not None
    leaf = ledger.chain(statement).leaf
    assert ledger.uri_of(leaf) == left.pseudonym
    assert NAME not in leaf.subject.rfc4514_string()
    assert isinstance(leaf, x509.Certificate)
    assert statement.purpose == Purpose.CHECKPOINT
    assert timezone.now() < leaf.not_valid_after_utc
