# SPDX-License-Identifier: Apache-2.0
"""The root's own machine: it makes, answers and lists, and refuses what is not its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from assay.signing import crls
from assay.signing.certificates import Purpose
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.signer import ceremony
from assay.signing.signer import offline as roots
from assay.signing.signer.errors import SignerFilesBroken
from assay.signing.signer.keyring import Keyring
from tests.signing.signer.two_machines import Machines
from tests.signing.signer.worlds import PASSPHRASE, REGISTRY, Clock, open_service
from tests.signing.softhsm import SoftHsm, needs_softhsm


@pytest.fixture
def answered(machines: Machines) -> Machines:
    assert (machines.new(), machines.sign()) == (0, 0)
    return machines


def test_what_comes_back_makes_an_authority(answered: Machines) -> None:
    for _ in range(2):  # interrupted, it is said again
        answered.complete()
    clock = Clock(now=datetime.now(UTC))
    described = open_service(answered.waiting, clock)._keystore
    assert described.trust_root.registry == REGISTRY
    assert not (answered.waiting / "offline").exists()


def test_the_root_is_on_p384_and_its_key_encrypted(answered: Machines) -> None:
    root = roots.load(answered.root, keyring=Keyring(PASSPHRASE))
    assert getattr(root.certificate.public_key(), "key_size", 0) == 384
    assert (answered.root / "root.key.pem").read_text().startswith("-----BEGIN ENCRYPTED")


def test_its_lists_grow_and_take_nothing_back(answered: Machines) -> None:
    pem = answered.answers / "output.pem"
    out = ("--out", answered.answers)
    since = ("--invalid-from", "2026-01-02T03:04:05+00:00")
    assert answered.do("revoke", pem, "--reason", "ca-compromise", *since, *out) == 0
    assert answered.do("revoke", pem, "--reason", "superseded", *out) == 0
    assert answered.do("renew", *out) == 0
    root = roots.load(answered.root, keyring=Keyring(PASSPHRASE)).certificate
    found = crls.read((answered.answers / "root.crl").read_bytes(), issuer=root)
    (only,) = crls.revocations(found)
    assert (crls.number_of(found), only.reason.value) == (4, "ca-compromise")
    assert only.invalid_from == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_root_is_made_once(answered: Machines, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert answered.new() == 4
    assert "holds a root already" in capsys.readouterr().err


@needs_softhsm
def test_its_key_may_be_in_a_token(hsm: SoftHsm, machines: Machines) -> None:
    place = hsm.place
    words = ("--module", place.module, "--token", place.token, "--pin-file", place.pin_file)
    assert machines.do("new", "--registry", REGISTRY, *words) == 0
    assert machines.sign() == 0
    machines.complete()
    assert not list(machines.root.glob("*.key.pem"))


def _another_key(folder: Path) -> None:
    (folder / "root.key.pem").unlink()
    SoftwareKey.generate(Curve.P384).store(folder / "root.key.pem", PASSPHRASE)


def _no_certificate(folder: Path) -> None:
    (folder / "root.pem").unlink()


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (_another_key, "root.key.pem is not the key of root.pem"),
        (_no_certificate, "root.pem: No such file"),
    ],
)
def test_a_root_that_is_not_whole_signs_nothing(
    answered: Machines,
    capsys: pytest.CaptureFixture[str],
    edit: Callable[[Path], None],
    says: str,
) -> None:
    edit(answered.root)
    assert answered.sign() == 4
    assert says in capsys.readouterr().err


def test_what_it_cannot_do_is_said(
    answered: Machines, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "out")
    stranger = tmp_path / "stranger"
    keyring = Keyring(PASSPHRASE)
    stranger.mkdir()
    roots.create(stranger, registry="http://other", keyring=keyring, at=datetime.now(UTC))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "x.csr").write_text("no request")
    why = ("--reason", "superseded")
    for words, says in (
        (("new", "--registry", REGISTRY, "--token", "x"), "--module, --token and --pin-file"),
        (("sign", "--requests", tmp_path / "out", *out), "expected requests (*.csr)"),
        (("sign", "--requests", tmp_path / "bad", *out), "x.csr is not a PKCS#10 request"),
        (("renew", "--out", tmp_path / "bad" / "x.csr"), "x.csr"),
        (("revoke", stranger / "root.pem", *why, *out), "an intermediate of this root"),
        (("revoke", answered.root / "root.pem", *why, *out), "an intermediate of this root"),
    ):
        assert answered.do(str(words[0]), *words[1:]) == 4
        assert says in capsys.readouterr().err
    listed = x509.load_der_x509_crl((answered.root / "root.crl").read_bytes())
    assert list(listed) == []


@pytest.mark.parametrize("time", ["2026-01-02", "yesterday"])
def test_a_time_has_its_offset(
    answered: Machines, capsys: pytest.CaptureFixture[str], time: str
) -> None:
    words = (answered.answers / "node.pem", "--reason", "superseded", "--out", answered.answers)
    with pytest.raises(SystemExit):
        answered.do("revoke", *words, "--invalid-from", time)
    assert "expected a time with its offset from UTC" in capsys.readouterr().err


@pytest.mark.parametrize("url", ["nonsense", "http://a b", "ftp://registry.test"])
def test_no_root_is_made_for_what_is_no_registrys_url(
    machines: Machines, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert machines.do("new", "--registry", url) == 10
    assert "--registry: expected an http or https URL" in capsys.readouterr().err
    assert not machines.root.exists()


def _foreign(folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    keyring = Keyring(PASSPHRASE)
    roots.create(other, registry=REGISTRY, keyring=keyring, at=datetime.now(UTC))
    for name in ("root.pem", "root.crl"):
        (other / name).replace(folder / name)


def _swapped(folder: Path) -> None:
    (folder / "output.pem").replace(folder / "node.pem")
    shutil.copy(folder / "node.pem", folder / "output.pem")


def _for_another_registry(folder: Path) -> None:
    (folder.parent / "root" / "registry.url").write_text("http://other\n")
    assert Machines(place=folder.parent).sign() == 0


def _missing(folder: Path) -> None:
    (folder / "output.pem").unlink()


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (_foreign, "one that this registry's root issued"),
        (_swapped, "expected that of node, found that of output"),
        (_for_another_registry, "one that names http://localhost:8000/authority/crl/root.crl"),
        (_missing, "output.pem: No such file"),
    ],
)
def test_what_came_back_and_does_not_fit_makes_no_authority(
    answered: Machines, edit: Callable[[Path], None], says: str
) -> None:
    edit(answered.answers)
    with pytest.raises(SignerFilesBroken, match=says):
        answered.complete()
    assert not (answered.waiting / "trust-root.json").exists()


@pytest.mark.parametrize("passphrase", [b"", PASSPHRASE])
def test_keys_are_made_once_and_under_a_passphrase(machines: Machines, passphrase: bytes) -> None:
    folder = machines.waiting if passphrase else machines.place / "new"
    with pytest.raises(SignerFilesBroken):
        ceremony.prepare(folder, passphrase=passphrase)


def test_a_list_of_the_roots_that_is_none_keeps_the_signer_from_starting(
    answered: Machines,
) -> None:
    answered.complete()
    clock = Clock(now=datetime.now(UTC))
    (answered.waiting / "root.crl").write_bytes(b"x")
    with pytest.raises(SignerFilesBroken, match=r"root\.crl is not a revocation list in DER"):
        open_service(answered.waiting, clock)
    (answered.waiting / "root.crl").unlink()  # as the first ceremonies left it
    open_service(answered.waiting, clock)


def test_each_purpose_is_asked_for(machines: Machines) -> None:
    asked = ceremony.requests(machines.waiting, passphrase=PASSPHRASE)
    assert set(asked) == set(Purpose)
