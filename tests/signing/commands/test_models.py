# SPDX-License-Identifier: Apache-2.0
"""`assay verify --method`: what `assay sign` wrote is verified by the same words, by each one."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from assay.signing.keys import SoftwareKey
from tests.signing.client.services import serving
from tests.signing.commands.desk import Desk
from tests.signing.commands.test_sign import NOW
from tests.signing.oms.models import write_model
from tests.signing.pki import authority, signer
from tests.signing.sigstore.instance import ISSUER, NAME

Words = tuple[object, ...]


@pytest.fixture
def model(desk: Desk) -> Path:
    return write_model(desk.folder / "tiny")


@pytest.fixture(params=["key", "certificate", "sigstore"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def trusting(
    desk: Desk, model: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> tuple[object, ...]:
    """A model that was signed into its folder; the words that verify it."""
    if method == "key":
        signed, trusting = by_key(desk.folder)
    elif method == "certificate":
        signed, trusting = by_certificate(desk.folder)
    else:
        signed, trusting = by_identity(desk.folder, desk, model, monkeypatch)
    if signed:
        words = ("--method", method, *signed, "--output-bundle", model / "model.sig")
        code, out, _ = desk.assay("sign", model, *words)
        assert (code, " ".join(out.split()).startswith("Signed 3 files of ")) == (0, True)
    return ("--method", method, *trusting)


def by_key(folder: Path) -> tuple[Words, Words]:
    leaf = signer(authority("root", period=NOW), period=NOW)
    (folder / "key.pem").write_bytes(leaf.key_pem)
    (folder / "key.pem").chmod(0o600)
    (folder / "public.pem").write_bytes(leaf.public_pem)
    return ("--private-key", folder / "key.pem"), ("--public-key", folder / "public.pem")


def by_certificate(folder: Path) -> tuple[Words, Words]:
    root = authority("root", period=NOW)
    leaf = signer(root, period=NOW)
    for name, data in {"key": leaf.key_pem, "leaf": leaf.pem, "root": root.pem}.items():
        (folder / f"{name}.pem").write_bytes(data)
    (folder / "key.pem").chmod(0o600)
    signing = ("--private-key", folder / "key.pem", "--signing-cert", folder / "leaf.pem")
    return signing, ("--cert-chain", folder / "root.pem")


def by_identity(
    folder: Path, desk: Desk, model: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Words, Words]:
    """Signed here, while there are services to certify it."""
    config, root = folder / "config.json", folder / "root.json"
    with serving() as services, monkeypatch.context() as context:
        # These services certify one key; the program takes it for its new one.
        key = SoftwareKey(private=services.instance.signer)
        context.setattr(SoftwareKey, "generate", lambda: key)
        config.write_text(json.dumps(services.config()))
        root.write_text(json.dumps(services.instance.trusted_root()))
        (folder / "token").write_text("a.b.c\n")
        words = ("--identity-token-file", folder / "token", "--trust-config", config)
        signing = ("sign", model, "--method", "sigstore", *words)
        code, out, _ = desk.assay(*signing, "--output-bundle", model / "model.sig")
    assert (code, " ".join(out.split()).startswith("Signed 3 files of ")) == (0, True)
    who = ("--identity", NAME, "--identity-provider", ISSUER)
    return (), (*who, "--trusted-root", root)


def test_what_was_signed_verifies_and_says_by_whom(
    desk: Desk, model: Path, method: str, trusting: Words
) -> None:
    who = {"key": "the key of /", "certificate": "a certificate under /"}
    code, out, err = desk.assay("verify", model, *trusting)
    assert (code, err) == (0, "")
    said = " ".join(out.split())
    assert said.startswith(f"Verified. 3 files are as signed by {who.get(method, NAME)}")
    code, out, _ = desk.assay("verify", model, *trusting, "--json")
    assert (code, json.loads(out)) == (0, {"verified": True, "method": method, "files": 3})


def test_a_changed_file_is_found(desk: Desk, model: Path, trusting: Words) -> None:
    (model / "config.json").write_bytes(b"")
    code, out, err = desk.assay("verify", model, *trusting)
    assert (code, out, "file-mismatch" in err, "changed: config.json" in err) == (
        20,
        "",
        True,
        True,
    )
    code, out, _ = desk.assay("verify", model, *trusting, "--json")
    assert (code, json.loads(out)["verified"]) == (20, False)


def test_without_the_method_it_is_told_which_command_verifies_it(
    desk: Desk, model: Path, method: str, trusting: Words
) -> None:
    code, _, err = desk.assay("verify", model)
    assert (code, "expected a registry's, found one of the method " in err) == (10, True)
    assert "`assay verify /" in err  # and the folder, which may be too long for an error
    assert f"--method {method}` and whom to trust" in err


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        {"verificationMaterial": []},
        {"verificationMaterial": {}},
        {"verificationMaterial": {"x509CertificateChain": {}, "tlogEntries": [{}]}},
    ],
)
def test_a_registrys_signature_that_is_broken_is_called_no_other(
    desk: Desk, model: Path, broken: object
) -> None:
    (model / "model.sig").write_text(json.dumps(broken))
    code, _, err = desk.assay("verify", model)
    assert (code, "--method" in err) == (10, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "key"), "--method key needs --public-key"),
        (("--method", "certificate"), "--method certificate needs --cert-chain"),
        (("--method", "sigstore", "--identity", "x"), "needs --identity-provider"),
        (("--public-key", "x"), "--public-key goes with --method"),
        (("--ignore-paths", "x"), "--ignore-paths goes with --method"),
        (("--identity", ""), "--identity goes with --method"),
        (("--method", "key", "--policy", "x"), "--policy is for what a registry signed"),
        (("--method", "key", "--ignore", "x"), "--ignore is for what a registry signed"),
    ],
)
def test_words_that_do_not_go_together_are_refused(
    desk: Desk, model: Path, words: tuple[str, ...], said: str
) -> None:
    code, _, err = desk.assay("verify", model, *words)
    assert (code, said in err) == (2, True), err


IDENTITY = ("--identity", "alice@example.test", "--identity-provider", "https://idp.test")
OF_OTHERS = [
    ("key", IDENTITY, "--identity"),
    ("key", ("--identity", ""), "--identity"),
    ("key", ("--trusted-root", "root.json"), "--trusted-root"),
    ("certificate", IDENTITY[2:], "--identity-provider"),
    ("certificate", ("--public-key", "key.pem"), "--public-key"),
    ("sigstore", ("--cert-chain", "root.pem"), "--cert-chain"),
]


@pytest.mark.parametrize(("method", "words", "said"), OF_OTHERS, indirect=["method"])
def test_a_demand_of_another_method_is_not_passed_over(
    desk: Desk, model: Path, method: str, trusting: Words, words: Words, said: str
) -> None:
    code, out, err = desk.assay("verify", model, *trusting, *words)
    expected = f"{said} does not go with --method {method}"
    assert (code, out, expected in err) == (2, "", True), err
    given = ("--model-path", model, "--bundle", model / "model.sig")
    code, out, err = desk.assay("oms", "verify-model", *given, *trusting, *words)
    assert (code, out, expected in err) == (2, "", True), err


@pytest.mark.parametrize("method", ["key"], indirect=True)
def test_a_file_with_its_signature_elsewhere(desk: Desk, model: Path, trusting: Words) -> None:
    file = model / "config.json"
    key, elsewhere = ("--private-key", desk.folder / "key.pem"), desk.folder / "config.sig"
    assert desk.assay("sign", file, "--method", "key", *key, "--output-bundle", elsewhere)[0] == 0
    code, out, _ = desk.assay("verify", file, *trusting, "--bundle", elsewhere)
    assert (code, "1 file is as signed by" in " ".join(out.split())) == (0, True)
    code, _, err = desk.assay("verify", file, *trusting, "--bundle", desk.folder / "none")
    assert (code, "none: No such file" in err) == (30, True)


def test_who_signs_by_an_identity_needs_a_token(desk: Desk, model: Path) -> None:
    words = ("sign", model, "--method", "sigstore", "--output-bundle", model / "model.sig")
    code, _, err = desk.assay(*words)
    assert (code, "--method sigstore needs --identity-token-file" in err) == (2, True)
    (desk.folder / "token").write_text("a.b.c")
    code, _, err = desk.assay(*words, "--identity-token-file", desk.folder / "token")
    assert (code, "expected --trust-config, or" in err) == (23, True)
    code, _, err = desk.assay(*words, "--identity-token-file", desk.folder / "none")
    assert (code, "none: No such file or directory" in err) == (30, True)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (b"", "nothing"),
        (b"\n", "nothing"),
        (b"a.b.c d", "7 characters that are none"),
        (b"a.\xff.c", "5 characters that are none"),
        (b"a" * 16_385, "16385 characters that are none"),
        (b"a" * 99_999, "16386 characters that are none"),
    ],
)
def test_what_is_no_token_is_sent_nowhere_and_not_shown(
    desk: Desk, model: Path, monkeypatch: pytest.MonkeyPatch, given: bytes, found: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    words = ("sign", model, "--method", "sigstore", "--output-bundle", model / "model.sig")
    code, _, err = desk.assay(*words, "--identity-token-file", "-")
    assert (code, f"found {found}" in err, "a.b" in err) == (36, True, False), err
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a.b.c\n")))
    code, _, err = desk.assay(*words, "--identity-token-file", "-")
    assert (code, "expected --trust-config, or" in err) == (23, True)
