# SPDX-License-Identifier: Apache-2.0
"""A certificate is revoked once and for ever: by statement, by list, and in the ledger."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from assay.signing import crls
from assay.signing.certificates import Chain, Purpose
from assay.signing.intermediates import Name
from assay.signing.revocation import NotRevoked, Reason, Revoked, Status
from assay.signing.statements import RevocationClaim, Statement
from registry.audit.models import AuditRow
from registry.authority import issuing, revocations, tasks
from registry.authority.errors import AlreadyRevoked, NoCertificate, NoRevocation
from registry.authority.models import Revocation, RevocationList
from registry.ledger import certificates
from registry.ledger.certificates import Wanted
from registry.ledger.models import Statement as Row
from tests.needing import needs
from tests.running import Authority, Live
from tests.signing.signer.worlds import POLICY

OUTPUT, NODE = Name(purpose=Purpose.OUTPUT), Name(purpose=Purpose.NODE)
SINCE = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
needs_openssl = needs("openssl")


def issue(authority: Authority) -> Chain:
    """A leaf as publishing makes it, and its row."""
    subject = f"{authority.trust_root.registry}/alice"
    chain = certificates.issue(
        Wanted(purpose=Purpose.OUTPUT, subject=subject, conduct_sha256=POLICY)
    )
    issuing.keep(chain, Purpose.OUTPUT, subject)
    return chain


def serial_of(chain: Chain) -> str:
    return f"{chain.leaf.serial_number:x}"


def status(client: Client, chain: Chain) -> Status:
    answer = client.get("/authority/crl/output.crl")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pkix-crl")
    now = timezone.now()
    return crls.status_of(chain.leaf, issuer=chain.intermediate, lists=[answer.content], at=now)


def test_a_revocation_is_listed_and_logged(db: None, authority: Authority, client: Client) -> None:
    chain = issue(authority)
    assert isinstance(status(client, chain), NotRevoked)
    statement = revocations.revoke(serial_of(chain), Reason.KEY_COMPROMISE, invalid_from=SINCE)
    found = status(client, chain)
    assert isinstance(found, Revoked)
    assert (found.reason, found.counts_from) == (Reason.KEY_COMPROMISE, SINCE)
    claim = RevocationClaim.parse(Statement.parse(bytes(statement.payload)))
    assert claim.revocation.serial == chain.leaf.serial_number
    assert claim.revocation.revoked_at == found.revoked_at
    assert statement.entry.pk
    (row,) = AuditRow.objects.filter(action="certificate.revoke")
    assert row.subject == serial_of(chain)


def test_without_the_signer_nothing_is_revoked(
    db: None, authority: Authority, client: Client
) -> None:
    chain = issue(authority)
    authority.stop()
    try:
        with pytest.raises(CommandError):
            command("revoke", serial_of(chain), "--reason", "superseded")
        assert not Revocation.objects.exists()
        assert not Row.objects.exists()
        answer = client.get("/authority/crl/output.crl")
        assert answer.status_code == 503
    finally:
        authority.start()


def test_what_cannot_be_revoked_is_refused(db: None, authority: Authority) -> None:
    chain = issue(authority)
    with pytest.raises(NoCertificate, match="serial number 77, found none"):
        revocations.revoke("77", Reason.SUPERSEDED)
    later = timezone.now() + timedelta(days=1)
    with pytest.raises(NoRevocation, match="invalid_from: expected at most"):
        revocations.revoke(serial_of(chain), Reason.SUPERSEDED, invalid_from=later)
    revocations.revoke(serial_of(chain), Reason.SUPERSEDED)
    with pytest.raises(AlreadyRevoked, match="not revoked, found"):
        revocations.revoke(serial_of(chain), Reason.KEY_COMPROMISE)


def test_a_revocation_is_never_changed(db: None, authority: Authority) -> None:
    revocations.revoke(serial_of(issue(authority)), Reason.SUPERSEDED)
    for change in (
        lambda: Revocation.objects.update(reason="unspecified"),
        lambda: Revocation.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def command(*words: str) -> str:
    output = StringIO()
    call_command("authority", *words, stdout=output)
    return output.getvalue()


def test_the_command_revokes(db: None, authority: Authority) -> None:
    chain = issue(authority)
    words = ("revoke", serial_of(chain), "--reason", "cessation-of-operation")
    with pytest.raises(CommandError, match="with its offset from UTC"):
        command(*words, "--invalid-from", "2026-01-02T03:04:05")
    assert command(*words, "--invalid-from", SINCE.isoformat()).startswith("revoked; statement sha")
    assert Revocation.objects.get().invalid_from == SINCE


def test_the_sweep_renews_what_is_due(db: None, authority: Authority) -> None:
    tasks.sweep()
    first = dict(RevocationList.objects.values_list("issuer", "id"))
    made = {row.issuer: bytes(row.der) for row in RevocationList.objects.all()}
    assert set(made) == {crls.ROOT, *(each.value for each in Purpose)}
    tasks.sweep()
    assert {row.issuer: bytes(row.der) for row in RevocationList.objects.all()} == made
    due = timezone.now() + timedelta(days=3, minutes=1)
    revocations.sweep(now=due)
    renewed = {row.issuer: bytes(row.der) for row in RevocationList.objects.all()}
    assert all(renewed[each] != made[each] for each in Purpose)
    assert renewed[crls.ROOT] == made[crls.ROOT]
    assert dict(RevocationList.objects.values_list("issuer", "id")) == first


def test_there_are_no_other_lists(db: None, authority: Authority, client: Client) -> None:
    assert client.get("/authority/crl/alice.crl").status_code == 404
    root = client.get("/authority/crl/root.crl")
    found = x509.load_der_x509_crl(root.content)
    assert found.issuer == authority.trust_root.root.subject


def test_all_lists_are_in_one_file(db: None, authority: Authority, client: Client) -> None:
    answer = client.get("/authority/crls.pem")
    assert answer["Content-Type"] == "application/x-pem-file"
    blocks = answer.content.split(b"-----BEGIN")[1:]
    found = [x509.load_pem_x509_crl(b"-----BEGIN" + block) for block in blocks]
    assert len({each.issuer for each in found}) == len(Purpose) + 1


def test_lists_are_stapled_also_while_the_signer_is_away(db: None, authority: Authority) -> None:
    before = revocations.stapled([OUTPUT])
    authority.stop()
    try:
        assert revocations.stapled([OUTPUT, NODE]) == before
    finally:
        authority.start()
    assert len(revocations.stapled([OUTPUT, NODE])) == len(before) + 1


def test_a_new_list_of_the_root_is_found_by_the_sweep(db: None, authority: Authority) -> None:
    old, _ = revocations.stapled([OUTPUT])
    file = authority.directory / "root.crl"
    file.write_bytes(bytes(RevocationList.objects.get(issuer="output").der))
    assert revocations.stapled([])[0] == old
    tasks.sweep()
    assert revocations.stapled([])[0] == file.read_bytes()
    file.write_bytes(old)


@needs_openssl
def test_openssl_checks_a_leaf_against_the_running_registry(
    live: Live, authority: Authority, tmp_path: Path
) -> None:
    chain = issue(authority)
    write(tmp_path, chain, authority)
    assert "leaf.pem: OK" in openssl(live, tmp_path)
    revocations.revoke(serial_of(chain), Reason.SUPERSEDED)
    assert "certificate revoked" in openssl(live, tmp_path)


def write(folder: Path, chain: Chain, authority: Authority) -> None:
    root = authority.trust_root.root
    for name, found in (("leaf", chain.leaf), ("int", chain.intermediate), ("root", root)):
        (folder / f"{name}.pem").write_bytes(found.public_bytes(Encoding.PEM))


def openssl(live: Live, folder: Path) -> str:
    """What openssl says with the lists that the server gives at this moment."""
    with live.client() as client:
        lists = [client.get(f"/authority/crl/{name}.crl").content for name in ("output", "root")]
    read = [x509.load_der_x509_crl(each).public_bytes(Encoding.PEM) for each in lists]
    (folder / "crls.pem").write_bytes(b"".join(read))
    words = ("-CAfile", "root.pem", "-untrusted", "int.pem", "-CRLfile", "crls.pem")
    done = subprocess.run(
        ("openssl", "verify", *words, "-crl_check_all", "leaf.pem"),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr
