# SPDX-License-Identifier: Apache-2.0
"""Intermediates are rotated and revoked by command, with the root at hand or elsewhere."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from assay.signing import crls
from assay.signing.certificates import Chain, Purpose
from assay.signing.errors import SignerError
from assay.signing.intermediates import Name
from assay.signing.revocation import NotRevoked, Reason, Revoked, Status
from assay.signing.signer.offline import __main__ as root_program
from assay.signing.statements import RevocationClaim, Statement
from registry.audit.models import AuditRow
from registry.authority import issuing, revocations
from registry.authority.models import Certificate, Revocation
from registry.authority.rotating import RootAtHand
from registry.ledger import certificates
from registry.ledger.certificates import Wanted
from tests.running import Authority
from tests.signing.signer.worlds import POLICY

OUTPUT = Name(purpose=Purpose.OUTPUT)


def say(*words: str) -> str:
    said = io.StringIO()
    call_command("authority", *words, stdout=said)
    return said.getvalue()


def issue(authority: Authority) -> Chain:
    """A leaf as publishing makes it, and its row."""
    subject = f"{authority.trust_root.registry}/alice"
    chain = certificates.issue(
        Wanted(purpose=Purpose.OUTPUT, subject=subject, conduct_sha256=POLICY)
    )
    issuing.keep(chain, Purpose.OUTPUT, subject)
    return chain


def listed(client: Client, chain: Chain) -> Status:
    """What the list at the address in the leaf says."""
    points = chain.leaf.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    (uri,) = next(iter(points)).full_name or []
    content = client.get(f"/{uri.value.split('/', 3)[3]}").content
    now = timezone.now()
    return crls.status_of(chain.leaf, issuer=chain.intermediate, lists=[content], at=now)


def by_root(client: Client, authority: Authority, found: x509.Certificate) -> Status:
    lists = [client.get("/authority/crl/root.crl").content]
    root = authority.trust_root.root
    return crls.status_of(found, issuer=root, lists=lists, at=timezone.now())


def test_a_rotation_with_the_root_at_hand(db: None, authority: Authority, client: Client) -> None:
    before = issue(authority)
    assert say("rotate", "output", *authority.root_words) == "output-2 issues from now on\n"
    after = issue(authority)
    assert Name.of(after.intermediate) == OUTPUT.next
    assert all(isinstance(listed(client, each), NotRevoked) for each in (before, after))
    assert dict(Certificate.objects.values_list("serial", "issuer")) == {
        f"{before.leaf.serial_number:x}": "output",
        f"{after.leaf.serial_number:x}": "output-2",
    }
    assert AuditRow.objects.get(action="authority.rotate").subject == "output-2"


def test_a_rotation_with_the_root_elsewhere(
    db: None, authority: Authority, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    say("rotate", "node", "--request", str(tmp_path / "asked" / "node.csr"))
    on_the_roots_machine(authority, "sign", tmp_path, "--requests", str(tmp_path / "asked"))
    assert "certified node-2, serial number" in capsys.readouterr().out
    assert say("rotate", "node", "--certificate", str(tmp_path / "out" / "node-2.pem"))
    assert "node-2         issues    until" in say("show")


def on_the_roots_machine(
    authority: Authority, action: str, folder: Path, *more: str, code: int = 0
) -> None:
    words = ("--folder", str(authority.directory / "offline"), "--out", str(folder / "out"))
    kept = ("--passphrase-file", str(authority.passphrase_file))
    assert root_program.main([action, *words, *kept, *more]) == code


def test_an_intermediate_is_revoked_and_logged_and_signs_no_more(
    db: None, authority: Authority, client: Client
) -> None:
    chain = issue(authority)
    words = ("revoke-intermediate", "output", "--reason", "superseded")
    said = say(*words, *authority.root_words)
    assert said == "output is revoked, stopped and logged\n"
    found = by_root(client, authority, chain.intermediate)
    assert isinstance(found, Revoked)
    assert found.reason is Reason.SUPERSEDED
    with pytest.raises(SignerError) as refused:
        issue(authority)
    assert refused.value.reason == "purpose-stopped"
    row = Revocation.objects.get(certificate__issuer="root")
    claim = RevocationClaim.parse(Statement.parse(bytes(row.statement.payload)))
    assert (claim.issuer, claim.revocation.serial) == (
        "root",
        chain.intermediate.serial_number,
    )
    assert "output         stopped" in say("show")
    assert say(*words, *authority.root_words) == ""


def test_a_revocation_that_nobody_can_date_is_logged_after_the_rotation(
    db: None, authority: Authority
) -> None:
    words = ("revoke-intermediate", "timestamp", "--reason", "superseded")
    assert "is logged by the next authority root-list" in say(*words, *authority.root_words)
    assert not Revocation.objects.exists()
    say("rotate", "timestamp", *authority.root_words)
    assert "timestamp is revoked, stopped and logged" in say("root-list", *authority.root_words)


def test_the_roots_list_is_renewed_once_it_is_due(db: None, authority: Authority) -> None:
    words = ("root-list", "--if-due", *authority.root_words)
    assert say(*words) == "the root's list is not due\n"
    made = timezone.now() - timedelta(days=70)
    opened = RootAtHand(
        folder=Path(authority.root_words[1]), passphrase_file=Path(authority.root_words[3])
    )
    old = opened.next_list((), at=made)
    (authority.directory / "root.crl").write_bytes(old)
    revocations.sweep(now=timezone.now())
    assert say(*words) == "the root's list has number 3\n"
    assert say(*words) == "the root's list is not due\n"


def test_the_sweep_warns_of_the_end_of_the_roots_list(
    db: None, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    revocations.sweep(now=timezone.now())
    assert "root's revocation list" not in caplog.text
    revocations.sweep(now=timezone.now() + timedelta(days=62))
    assert "the root's revocation list ends on" in caplog.text


def test_the_roots_list_is_renewed_here_and_there(
    db: None, authority: Authority, client: Client, tmp_path: Path
) -> None:
    assert say("root-list", *authority.root_words) == "the root's list has number 2\n"
    on_the_roots_machine(authority, "renew", tmp_path)
    crl = tmp_path / "out" / "root.crl"
    assert say("root-list", "--crl", str(crl)) == "the root's list has number 3\n"
    assert client.get("/authority/crl/root.crl").content == crl.read_bytes()
    assert revocations.stapled([])[0] == crl.read_bytes()
    rows = AuditRow.objects.filter(action="authority.root-list")
    assert rows.count() == 2


def test_a_root_elsewhere_revokes(
    db: None, authority: Authority, client: Client, tmp_path: Path
) -> None:
    chain = issue(authority)
    pem = tmp_path / "output.pem"
    pem.write_bytes(chain.intermediate.public_bytes(Encoding.PEM))
    since = ("--invalid-from", "2026-01-02T03:04:05+00:00")
    on_the_roots_machine(
        authority, "revoke", tmp_path, str(pem), "--reason", "ca-compromise", *since
    )
    said = say("root-list", "--crl", str(tmp_path / "out" / "root.crl"))
    assert said.startswith("output is revoked, stopped and logged\n")
    found = by_root(client, authority, chain.intermediate)
    assert isinstance(found, Revoked)
    assert found.counts_from.year == 2026


def test_each_issuer_has_a_list_that_the_sweep_renews(
    db: None, authority: Authority, client: Client
) -> None:
    say("rotate", "output", *authority.root_words)
    revocations.sweep(now=timezone.now())
    for name in ("output", "output-2"):
        assert client.get(f"/authority/crl/{name}.crl").status_code == 200
    for name in ("output-3", "output-1", "outputs"):
        assert client.get(f"/authority/crl/{name}.crl").status_code == 404


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("rotate", "output"), "expected one of --root, --request and --certificate"),
        (("rotate", "output", "--root", "x"), "--root and --root-passphrase-file together"),
        (("root-list",), "expected one of --root and --crl"),
        (("root-list", "--crl", "nothing"), "No such file"),
        (("revoke-intermediate", "output", "--reason", "superseded"), "a root elsewhere revokes"),
        (("rotate", "output", "--certificate", __file__), "expected a certificate in PEM"),
        (("init", "--token", "x"), "expected --module, --token and --pin-file together"),
        (
            ("revoke-intermediate", "nothing", "--reason", "superseded"),
            "argument name: issuer: exp",
        ),
        (
            ("compromise", "output", "--since", "yesterday"),
            r"offset from UTC, .* found 'yesterday'",
        ),
        (
            ("rotate", "output", "--root", "x", "--root-passphrase-file", "x"),
            "expected the root's folder, which its ceremony made, in x, found none there",
        ),
        (("rotate", "output", "--request", f"{__file__}/x"), "found a file in its place"),
        (("revoke", "12:AB", "--reason", "superseded"), "no-certificate: .* number 12ab, found"),
        (("revoke", "zz", "--reason", "superseded"), "a serial number in hexadecimal, found 'zz'"),
    ],
)
def test_what_is_missing_is_said(
    db: None, authority: Authority, words: tuple[str, ...], says: str
) -> None:
    with pytest.raises(CommandError, match=says):
        say(*words)


def test_another_intermediate_than_there_is_is_not_revoked(db: None, authority: Authority) -> None:
    words = ("revoke-intermediate", "output-7", "--reason", "superseded")
    with pytest.raises(CommandError, match="the name of an intermediate, found output-7"):
        say(*words, *authority.root_words)


def test_each_step_stands_in_the_signers_audit_file(db: None, authority: Authority) -> None:
    say("rotate", "output", *authority.root_words)
    lines = (authority.directory / "audit.jsonl").read_text().splitlines()
    ops = [json.loads(line)["op"] for line in lines]
    assert ops[-3:] == ["prepare_intermediate", "install_intermediate", "sign_crl"]
