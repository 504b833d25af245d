# SPDX-License-Identifier: Apache-2.0
"""`assay sign` and `assay oms`: a model, signed and checked from the command line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from assay.signing.keys import Curve, SoftwareKey
from tests.signing.commands.desk import Desk
from tests.signing.oms.models import write_model
from tests.signing.pki import Holder, Period, authority, signer

START = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
NOW = Period(start=START - DAY, end=START + DAY)
PAST = Period(start=START - 2 * DAY, end=START - DAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A model, a key with its certificate, and the command."""

    desk: Desk
    model: Path
    leaf: Holder
    folder: Path

    def sign(self, *words: object, key: str = "key.pem") -> tuple[int, str, str]:
        return self.desk.assay(
            *("sign", self.model, "--private-key", self.folder / key),
            *("--output-bundle", self.folder / "model.sig", *words),
        )

    def oms(self, verb: str, *words: object) -> tuple[int, str, str]:
        name = "--output-bundle" if verb == "sign-model" else "--bundle"
        return self.desk.assay(
            *("oms", verb, "--model-path", self.model, name, self.folder / "model.sig", *words)
        )


@pytest.fixture
def bench(desk: Desk) -> Bench:
    folder = desk.folder
    root = authority("root", period=NOW)
    leaf = signer(root, period=NOW)
    old = signer(root, period=PAST, key=leaf.key)
    for name, data in {
        "key.pem": leaf.key_pem,
        "public.pem": leaf.public_pem,
        "leaf.pem": leaf.pem,
        "old.pem": old.pem,
        "root.pem": root.pem,
        "other.pem": authority("root", period=NOW).pem,
    }.items():
        (folder / name).write_bytes(data)
    (folder / "key.pem").chmod(0o600)
    return Bench(desk=desk, model=write_model(folder / "tiny"), leaf=leaf, folder=folder)


def test_a_key_signs_and_the_adapter_verifies(bench: Bench) -> None:
    code, out, err = bench.sign("--method", "key")
    assert (code, err) == (0, "")
    assert " ".join(out.split()).startswith("Signed 3 files of ")
    assert (bench.folder / "model.sig").stat().st_mode & 0o777 == 0o644
    words = ("--method", "key", "--public-key", bench.folder / "public.pem")
    assert bench.oms("verify-model", *words) == (0, "", "")
    (bench.model / "config.json").write_bytes(b"")
    code, out, err = bench.oms("verify-model", *words)
    assert (code, out) == (20, "")
    assert "file-mismatch: expected the files that were signed; changed: config.json" in err


def test_a_certificate_signs_and_the_adapter_verifies(bench: Bench) -> None:
    words = ("--method", "certificate", "--signing-cert", bench.folder / "leaf.pem")
    assert bench.sign(*words, "--cert-chain", bench.folder / "root.pem")[0] == 0
    check = ("verify-model", "--method", "certificate", "--cert-chain")
    assert bench.oms(*check, bench.folder / "root.pem") == (0, "", "")
    assert bench.oms(*check, bench.folder / "other.pem")[0] == 13
    key = ("--method", "key", "--public-key", bench.folder / "public.pem")
    assert bench.oms("verify-model", *key)[0] == 12


def test_the_adapter_signs_with_a_key_of_any_mode(bench: Bench) -> None:
    (bench.folder / "key.pem").chmod(0o644)
    code, _, err = bench.sign("--method", "key")
    assert (code, "mode 0600" in err) == (3, True)
    key = ("--private-key", bench.folder / "key.pem")
    assert bench.oms("sign-model", "--method", "key", *key) == (0, "", "")
    leaf = ("--signing-cert", bench.folder / "leaf.pem", "--cert-chain", bench.folder / "root.pem")
    assert bench.oms("sign-model", "--method", "certificate", *key, *leaf) == (0, "", "")


def test_one_file_is_one_file(bench: Bench) -> None:
    model = write_model(bench.folder, {"tiny.bin": b"x"}) / "tiny.bin"
    words = ("--method", "key", "--private-key", bench.folder / "key.pem")
    code, out, _ = bench.desk.assay("sign", model, *words, "--output-bundle", f"{model}.sig")
    assert (code, " ".join(out.split()).startswith("Signed 1 file of ")) == (0, True)


def test_the_signature_in_the_model_is_no_part_of_it(bench: Bench) -> None:
    key = ("--method", "key", "--private-key", bench.folder / "key.pem")
    inside = bench.model / "model.sig"
    for _ in range(2):  # the second time it is there already
        done = bench.desk.assay("sign", bench.model, *key, "--output-bundle", inside)
        assert done[0] == 0
    words = ("--method", "key", "--public-key", bench.folder / "public.pem", "--bundle", inside)
    assert bench.desk.assay("oms", "verify-model", "--model-path", bench.model, *words)[0] == 0


@pytest.mark.parametrize("content", [b"weights", b"{}", b'["verificationMaterial"]'])
def test_a_signature_takes_the_place_of_a_signature_alone(bench: Bench, content: bytes) -> None:
    key = ("--method", "key", "--private-key", bench.folder / "key.pem")
    place = bench.model / "taken"
    place.write_bytes(content)
    code, _, err = bench.desk.assay("sign", bench.model, *key, "--output-bundle", place)
    assert (code, "expected nothing there or a signature" in err) == (35, True)
    assert place.read_bytes() == content
    place.write_bytes(b"")  # as of a temporary file, which a program made to be written
    assert bench.desk.assay("sign", bench.model, *key, "--output-bundle", place)[0] == 0


def test_paths_are_ignored_and_unsigned_files_allowed(bench: Bench) -> None:
    write_model(bench.model, {"skip": b""})
    assert bench.sign("--method", "key", "--ignore-paths", "skip")[0] == 0
    write_model(bench.model, {"late": b""})
    words = ("--method", "key", "--public-key", bench.folder / "public.pem")
    assert bench.oms("verify-model", *words)[0] == 20
    assert bench.oms("verify-model", *words, "--ignore-paths", bench.model / "late")[0] == 0
    assert bench.oms("verify-model", *words, "--ignore-unsigned-files")[0] == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--method", "certificate", "--signing-cert", "old.pem"), 13),
        (("--method", "certificate", "--signing-cert", "key.pem"), 10),
        (("--method", "certificate", "--signing-cert", "root.pem"), 3),
        (("--method", "certificate", "--signing-cert", "absent.pem"), 30),
        (("--method", "certificate"), 2),
        (("--method", "key", "--signing-cert", "leaf.pem"), 2),
        (("--method", "sigstore"), 2),
    ],
)
def test_what_cannot_be_signed_is_said(
    bench: Bench, words: tuple[str, ...], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.folder)
    assert bench.sign(*words)[0] == code
    assert not (bench.folder / "model.sig").exists()


SIGNING = {
    "key": ("--private-key", "key.pem"),
    "certificate": ("--private-key", "key.pem", "--signing-cert", "leaf.pem"),
    "sigstore": ("--identity-token-file", "token"),
}


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("key", ("--signing-cert", "leaf.pem")),
        ("key", ("--cert-chain", "root.pem")),
        ("key", ("--identity-token-file", "token")),
        ("certificate", ("--trust-config", "config.json")),
        ("sigstore", ("--private-key", "key.pem")),
        ("sigstore", ("--cert-chain", "root.pem")),
    ],
)
def test_a_word_of_another_method_is_not_passed_over(
    bench: Bench, method: str, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bench.folder)
    given = ("--method", method, *SIGNING[method], *words, "--output-bundle", "model.sig")
    code, _, err = bench.desk.assay("sign", bench.model, *given)
    assert (code, f"{words[0]} does not go with --method {method}" in err) == (2, True), err
    assert not (bench.folder / "model.sig").exists()


def test_an_absent_model_or_key_is_said(bench: Bench) -> None:
    code, _, err = bench.sign("--method", "key", key="absent.pem")
    assert (code, "absent.pem: No such file or directory" in err) == (30, True)
    words = ("--method", "key", "--private-key", bench.folder / "key.pem")
    absent = bench.folder / "absent"
    code, _, err = bench.desk.assay("sign", absent, *words, "--output-bundle", absent)
    assert (code, "expected a model, found no such file or folder" in err) == (30, True)


@pytest.mark.parametrize(
    ("verb", "words", "code"),
    [
        ("verify-model", ("--method", "key"), 2),
        ("verify-model", ("--method", "certificate"), 2),
        ("sign-model", ("--method", "key"), 2),
        ("sign-model", ("--method", "certificate", "--private-key", "key.pem"), 2),
        ("sign-model", ("--method", "certificate", "--signing-cert", "leaf.pem"), 2),
        ("sign-model", ("--method", "sigstore"), 2),
        ("sign-model", ("--method", "key", "--private-key", "x", "--identity-token", "a.b.c"), 2),
        ("sign-model", ("--method", "key", "--private-key", "x", "--signing-cert", "leaf.pem"), 2),
        ("sign-model", ("--method", "key", "--private-key", "absent.pem"), 30),
        ("sign-model", ("--method", "key", "--private-key", "leaf.pem"), 3),
        ("verify-model", ("--method", "key", "--public-key", "public.pem"), 30),
    ],
)
def test_a_mistake_for_the_adapter_is_no_success(
    bench: Bench,
    verb: str,
    words: tuple[str, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(bench.folder)
    assert bench.oms(verb, *words)[:2] == (code, "")


def test_what_is_no_bundle_is_named(bench: Bench) -> None:
    (bench.folder / "model.sig").write_text("not JSON")
    for words in (
        ("--method", "key", "--public-key", bench.folder / "public.pem"),
        ("--method", "certificate", "--cert-chain", bench.folder / "root.pem"),
        ("--method", "sigstore", "--identity", "a", "--identity-provider", "b"),
    ):
        code, _, err = bench.oms("verify-model", *words)
        assert (code, "model.sig.document: expected JSON" in err) == (10, True)


def test_a_folder_for_the_signature_is_not_made_up(bench: Bench) -> None:
    words = ("--method", "key", "--private-key", bench.folder / "key.pem")
    absent = bench.folder / "absent" / "model.sig"
    code, _, err = bench.desk.assay("sign", bench.model, *words, "--output-bundle", absent)
    assert (code, "expected a folder to write it into" in " ".join(err.split())) == (30, True)


def test_an_encrypted_key_is_called_that(bench: Bench) -> None:
    SoftwareKey.generate().store(bench.folder / "locked.pem", b"passphrase")
    code, _, err = bench.sign("--method", "key", key="locked.pem")
    assert (code, "expected a key that is not encrypted" in " ".join(err.split())) == (3, True)
    (bench.folder / "none.pem").write_text("no key")
    (bench.folder / "none.pem").chmod(0o600)
    code, _, err = bench.sign("--method", "key", key="none.pem")
    assert (code, "expected a private key in PEM, found none" in err) == (3, True)


def test_a_public_key_is_an_elliptic_one(bench: Bench) -> None:
    assert bench.sign("--method", "key")[0] == 0
    strange = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (bench.folder / "rsa.pem").write_bytes(
        Holder(certificate=bench.leaf.certificate, key=strange).public_pem
    )
    for name, found in (("leaf.pem", "found none"), ("rsa.pem", "found another")):
        words = ("--method", "key", "--public-key", bench.folder / name)
        code, _, err = bench.oms("verify-model", *words)
        assert (code, found in err) == (3, True)


def test_a_key_that_does_not_sign_models_is_refused(bench: Bench) -> None:
    SoftwareKey.generate(Curve.ED25519).store(bench.folder / "ed25519.pem", None)
    code, _, err = bench.sign("--method", "key", key="ed25519.pem")
    assert (code, "found Ed25519" in err) == (3, True)
