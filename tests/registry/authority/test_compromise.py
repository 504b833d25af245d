# SPDX-License-Identifier: Apache-2.0
"""A compromise is handled in steps that can each be repeated, whichever purpose it is."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from assay.signing.certificates import Purpose
from assay.signing.errors import SignerError
from assay.signing.intermediates import Name
from registry.audit.models import AuditRow
from registry.authority import compromise
from registry.authority.models import Certificate, Revocation
from registry.ledger import services as ledger
from tests.registry.authority.test_rotating import issue, say
from tests.running import Authority

OUTPUT = Name(purpose=Purpose.OUTPUT)
SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WORDS = ("--since", SINCE.isoformat())


def states() -> dict[str, bool]:
    return {str(each.name): each.is_stopped for each in ledger.signer().issuers()}


def test_without_the_root_it_stops_and_revokes_all_the_same(db: None, authority: Authority) -> None:
    issue(authority)
    said = say("compromise", "output", *WORDS)
    assert said.splitlines() == [
        "output is stopped: it signs no more",
        "1 of its certificates are revoked, listed and logged",
        "The root has not revoked output yet: see the operator's guide, Compromise",
        "Now: authority rotate output --root FOLDER",
        "      or, for a root on another machine, --request FILE, then --certificate FILE",
    ]
    assert states()["output"]
    with pytest.raises(SignerError):
        issue(authority)
    _, _, *words = said.splitlines()[3].split()  # what it says is what brings signing back
    say(*words[:-1], *authority.root_words[1:])
    issue(authority)


def test_said_again_it_goes_on(db: None, authority: Authority) -> None:
    issue(authority)
    say("compromise", "output", *WORDS)
    again = say("compromise", "output", *WORDS, *authority.root_words)
    assert "output is revoked by the root and logged" in again
    assert "0 of its certificates are revoked" in again
    assert Revocation.objects.count() == 2


def test_after_a_rotation_the_one_before_can_be_named(db: None, authority: Authority) -> None:
    issue(authority)
    say("rotate", "output", *authority.root_words)
    issue(authority)
    said = say("compromise", "output", *WORDS, "--issuer", "output")
    assert "Now: authority rotate" not in said  # another is in its place already
    revoked = Revocation.objects.get().certificate
    assert revoked.issuer == "output"
    assert (states()["output"], states()["output-2"]) == (True, False)
    issue(authority)


class Closed(io.StringIO):
    """A pipe that nobody reads from."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError


def test_it_is_done_to_its_end_though_nobody_reads_what_it_says(
    db: None, authority: Authority
) -> None:
    issue(authority)
    call_command("authority", "compromise", "output", *WORDS, stdout=Closed())
    assert (Revocation.objects.count(), states()["output"]) == (1, True)


def test_a_closed_pipe_is_no_error() -> None:
    words = (sys.executable, "-m", "django", "authority", "ceremony")
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "registry.settings"}
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        words, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, env=environment
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("purpose", ["conduct", "timestamp"])
def test_what_signs_revocations_is_rotated_first(
    db: None, authority: Authority, purpose: str
) -> None:
    issue(authority)
    said = say("compromise", purpose, *WORDS, *authority.root_words)
    assert f"rotate, then say this again with --issuer {purpose}" in said
    assert states()[purpose]
    assert not Revocation.objects.exists()
    say("rotate", purpose, *authority.root_words)
    again = say("compromise", purpose, *WORDS, "--issuer", purpose, *authority.root_words)
    assert f"{purpose} is revoked by the root and logged" in again
    assert Revocation.objects.get().certificate.issuer == "root"


def test_many_leaves_are_revoked_in_batches_and_the_newest_first(
    db: None, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = issue(authority)
    row = Certificate.objects.get()
    for number in range(1, 6):
        later = {"issued_at": row.issued_at + timedelta(seconds=number), "pk": None}
        Certificate.objects.create(
            subject=row.subject,
            purpose=row.purpose,
            issuer=row.issuer,
            serial=f"{chain.leaf.serial_number + number:x}",
            pem=row.pem,
            expires_at=row.expires_at,
            **later,
        )
    monkeypatch.setattr(compromise, "BATCH_LEAVES", 2)
    monkeypatch.setattr(compromise, "MAX_REVOCATIONS", 5)
    assert compromise.revoke_leaves(OUTPUT, since=SINCE) == (5, 1)
    assert AuditRow.objects.filter(action="authority.compromise").count() == 3
    done = Revocation.objects.values("certificate")
    left = Certificate.objects.filter(issuer="output").exclude(pk__in=done)
    assert left.get() == row


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("--since", "2026-01-02T03:04:05"),
            "argument --since: expected a time with its offset from UTC",
        ),
        (("--since", "2126-01-02T03:04:05+00:00"), "expected a time before"),
        ((*WORDS, "--issuer", "node"), "an intermediate for output, found node"),
        ((*WORDS, "--issuer", "output-4"), "the name of an intermediate, found output-4"),
    ],
)
def test_what_cannot_be_is_said_before_anything_stops(
    db: None, authority: Authority, words: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        say("compromise", "output", *words)
    assert not any(states().values())


def test_without_the_signer_it_is_said(db: None, authority: Authority) -> None:
    authority.stop()
    try:
        with pytest.raises(CommandError, match=r"no signer answers .* \(is the registry up\?\)"):
            say("compromise", "output", *WORDS)
    finally:
        authority.start()
