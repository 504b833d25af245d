# SPDX-License-Identifier: Apache-2.0
"""Only the rows about a person are emptied: names look like other things that rows are about."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from registry.audit import queries, services, subjects
from registry.audit.chain import EMPTY, ERASURE, GENESIS, digest
from registry.audit.models import AuditRow

REGISTRY = Path(services.__file__).parents[1]
CLASSES = (subjects.NAMES, subjects.PATHS, subjects.IDENTITIES, subjects.OTHERS)
KNOWN = frozenset().union(*CLASSES)
ACTION = re.compile(r"[a-z]+\.[a-z-]+")


@pytest.mark.parametrize(
    ("action", "subject", "details"),
    [
        ("authority.rotate", "checkpoint-2", {"serial": "checkpoint-2"}),
        ("authority.stop", "checkpoint-2", {}),
        ("certificate.revoke", "checkpoint-2", {"reason": "checkpoint-2"}),
        ("publisher.exchange", "lab/tiny", {"subject": "checkpoint-2/else"}),
        ("checkpoint.sign", "checkpoint-22/tiny@1", {}),
        ("user.create", "checkpoint-22", {}),
    ],
)
def test_what_only_looks_like_the_name_stays(
    action: str, subject: str, details: dict[str, object], db: None
) -> None:
    services.record("system", action, subject, details)
    assert services.redact("checkpoint-2") == 0
    assert AuditRow.objects.get().subject == subject


@pytest.mark.parametrize(
    ("actor", "action", "subject", "details"),
    [
        ("user:zoe", "token.revoke", "token:1", {}),
        ("system", "user.create", "zoe", {}),
        ("system", "dataset.add", "zoe/texts", {}),
        ("user:ann", "project.move", "ann/tiny", {"project": "zoe/tiny"}),
        ("user:ann", "project.end", "zoe/tiny", {}),
        ("system", "output.sample", "output:1", {"caller": "zoe"}),
        ("user:ann", "organisation.member", "lab", {"user": "zoe"}),
        ("publisher:1", "token.issue", "token:1", {"project": "zoe/own"}),
        ("system", "output.refuse", "output:1", {"reason": "an acceptance by zoe, found none"}),
        ("system", "output.refuse", "output:1", {"reason": "who acts for zoe, found nobody"}),
    ],
)
def test_what_names_the_person_is_emptied(
    actor: str, action: str, subject: str, details: dict[str, object], db: None
) -> None:
    services.record(actor, action, subject, details)
    assert services.redact("zoe") == 1
    row = AuditRow.objects.get()
    assert (row.actor, row.action, row.subject, row.details) == ("", action, "", {})
    services.record("system", ERASURE, "erased-1", {"audit_rows": 1, "statements": 0})
    assert queries.verify().redacted == 1


def test_a_keyless_identity_below_the_registry_is_emptied(db: None) -> None:
    services.record("system", "identity.certify", f"{settings.PUBLIC_URL}/zoe", {})
    services.record("system", "identity.certify", f"{settings.PUBLIC_URL}/zoe2", {})
    assert services.redact("zoe") == 1


def test_what_became_of_a_lease_of_theirs_is_emptied_whoever_wrote_it(db: None) -> None:
    said = {"lease": "1", "node": "host"}
    services.record("user:zoe", "output.lease", "output:1", said)
    services.record("system", "output.requeue", "output:1", said)
    services.record("system", "output.requeue", "output:1", {"lease": "2", "node": "other"})
    assert services.redact("zoe") == 2
    assert AuditRow.objects.exclude(actor="").get().details["node"] == "other"


def test_the_digest_of_an_emptied_row_confirms_no_guess(db: None) -> None:
    services.record("user:zoe", "user.create", "zoe", {})
    written = AuditRow.objects.get()
    assert digest(written) == written.sha256
    services.redact("zoe")
    row = AuditRow.objects.get()
    assert (row.salt, row.sha256) == (None, written.sha256)
    row.actor, row.subject = "user:zoe", "zoe"
    assert digest(row) != row.sha256


def test_a_row_keeps_its_salt_as_long_as_its_words_and_no_longer(db: None) -> None:
    services.record("user:zoe", "user.create", "zoe", {})
    for change in ({"salt": None}, {**EMPTY, "salt": b"x"}):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            AuditRow.objects.update(**change)


def test_a_row_from_before_there_were_salts_still_verifies(db: None) -> None:
    words = {"actor": "system", "action": "user.create", "subject": "zoe", "details": {}}
    row = AuditRow(at=timezone.now(), previous_sha256=GENESIS, **words)
    row.sha256 = digest(row)
    row.save(force_insert=True)
    services.record("system", "user.create", "ann", {})
    assert AuditRow.objects.latest("pk").previous_sha256 == row.sha256
    assert queries.verify().rows == 2


def test_every_action_that_is_written_has_one_place() -> None:
    written = {*_written(), ERASURE}
    assert written == KNOWN
    assert sum(map(len, CLASSES)) == len(KNOWN)


def _written() -> Iterator[str]:
    """The actions in what calls the audit: said at the call, or as what is called `action`."""
    for path in REGISTRY.rglob("*.py"):
        text = path.read_text()
        if "audit.record" in text:
            for part in _saying(ast.parse(text)):
                words = [
                    str(each.value) for each in ast.walk(part) if isinstance(each, ast.Constant)
                ]
                yield from filter(ACTION.fullmatch, words)


def _saying(tree: ast.AST) -> Iterator[ast.expr]:
    for part in ast.walk(tree):
        match part:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="audit"), attr="record"), args=[_, said, *_]
            ):
                assert isinstance(said, ast.Constant) or ast.unparse(said) in {"action", "ERASURE"}
                yield said
            case ast.Call(func=ast.Name(id="_journal"), args=[_, said, *_]):
                yield said
            case ast.Call(func=ast.Name(id="Act") | ast.Attribute(attr="Act"), keywords=words):
                yield from (word.value for word in words if word.arg == "action")
            case ast.Assign(targets=[ast.Name(id="action")], value=said):
                yield said
