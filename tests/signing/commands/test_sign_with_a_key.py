# SPDX-License-Identifier: Apache-2.0
"""`assay sign FILE --checkpoint … --key …`: a caller's own key signs what it was asked to."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing import canonical, envelope
from assay.signing.digests import sha256
from assay.signing.evidence import Evidence
from assay.signing.keys import Curve, SoftwareKey, spki
from assay.signing.pkcs11 import Token
from assay.signing.statements import ListReference, Origin
from tests.needing import needs
from tests.signing.client.registry import loopback
from tests.signing.commands.desk import TOKEN, Desk, words_of
from tests.signing.owning import CERTIFICATES, CHECKPOINT, OWN, STATEMENTS, Keeper, keeping
from tests.signing.softhsm import MODULE, PIN, SoftHsm, needs_softhsm
from tests.signing.test_both_verifiers import NODE, ROOT

TEXT = b"made elsewhere, of this checkpoint\n"
LABEL = "outputs of the shop"


@pytest.fixture
def keeper(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keeper]:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    monkeypatch.setattr("assay.signing.commands.assertions.POLL_SECONDS", 0.01)
    desk.pin()
    with loopback() as running, keeping(desk.world, running) as found:
        yield found


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "own.pem"
    SoftwareKey.generate().store(path, None)
    return path


@pytest.fixture
def text(desk: Desk) -> Path:
    path = desk.folder / "text.txt"
    path.write_bytes(TEXT)
    return path


def evidence_of(text: Path) -> Evidence:
    return Evidence.parse(json.loads(text.with_name("text.txt.assay.json").read_bytes()))


def fingerprint(key: Path) -> str:
    return f"sha256:{sha256(spki(SoftwareKey.load(key, None).public_key))}"


def sign(desk: Desk, keeper: Keeper, text: Path, key: object) -> tuple[int, str, str]:
    where = ("--checkpoint", CHECKPOINT, "--registry", keeper.loopback.url)
    code, out, err = desk.assay("sign", text, *where, "--key", key)
    return code, words_of(out), err


def asked(keeper: Keeper) -> list[tuple[str, str]]:
    return [(each.method, each.path) for each in keeper.loopback.seen]


def test_the_key_signs_and_the_certificate_is_kept(
    desk: Desk, keeper: Keeper, text: Path, key: Path
) -> None:
    code, out, err = sign(desk, keeper, text, key)
    assert code == 0, err
    assert f"By your own key: {fingerprint(key)}" in out
    assert asked(keeper) == [STATEMENTS, CERTIFICATES, OWN]
    assert all(TEXT not in each.body for each in keeper.loopback.seen)
    bundle = evidence_of(text).bundles["output"]
    bundle.envelope.verify(SoftwareKey.load(key, None).public_key)

    code, out, _ = sign(desk, keeper, text, key)
    assert (code, "is signed already" in out) == (0, True)
    text.with_name("text.txt.assay.json").unlink()  # cut off before it was written
    assert sign(desk, keeper, text, key)[0] == 0
    assert len(keeper.taken) == 1
    assert len(keeper.certified) == 1
    (kept,) = (desk.folder.parent / "config" / "certificates").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_a_verifier_may_demand_the_key(desk: Desk, keeper: Keeper, text: Path, key: Path) -> None:
    assert sign(desk, keeper, text, key)[0] == 0
    code, out, _ = desk.assay("verify", text, "--signer-key", fingerprint(key))
    assert (code, "is the one you named" in words_of(out)) == (0, True)
    other = f"sha256:{'0' * 64}"
    code, out, err = desk.assay("verify", text, "--signer-key", other)
    assert (code, "expected the key" in words_of(out)) == (53, True), err
    code, out, _ = desk.assay("verify", text, "--signer-key", fingerprint(key), "--json")
    said = json.loads(out)
    assert said["requirements"]["signer_key"] == said["parts"][0]["key"] == fingerprint(key)
    assert desk.assay("verify", text, "--signer-key", "mine")[0] == 10


def test_the_browsers_verifier_takes_it_as_any_other(
    desk: Desk, keeper: Keeper, text: Path, key: Path, tmp_path: Path
) -> None:
    assert sign(desk, keeper, text, key)[0] == 0
    document = text.with_name("text.txt.assay.json").read_bytes()
    given = {
        "trust_root": desk.world.trust.to_json(),
        "as_of": canonical.instant_text(desk.world.at),
        "text": TEXT.decode(),
        "documents": [base64.b64encode(document).decode()],
    }
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given))
    done = subprocess.run(
        (NODE, "tests/judge.mjs", str(file)),
        cwd=ROOT / "frontend",
        capture_output=True,
        check=True,
        timeout=300,
    )
    (steps,) = json.loads(done.stdout)
    assert {outcome for _, outcome, *_ in steps} == {"passed"}
    assert "output.signature" in {code for code, *_ in steps}


def test_evidence_by_another_key_is_left_as_it_is(
    desk: Desk, keeper: Keeper, text: Path, key: Path, tmp_path: Path
) -> None:
    assert sign(desk, keeper, text, key)[0] == 0
    other = tmp_path / "other.pem"
    SoftwareKey.generate().store(other, None)
    code, _, err = sign(desk, keeper, text, other)
    assert (code, "It was left as it is" in err) == (35, True)


@pytest.mark.parametrize(
    "problem", ["certificate-of-another", "certificate-unusable", "certificate-revoked"]
)
def test_a_certificate_that_is_used_no_more_is_replaced(
    desk: Desk, keeper: Keeper, text: Path, key: Path, problem: str
) -> None:
    assert sign(desk, keeper, text, key)[0] == 0
    text.with_name("text.txt.assay.json").unlink()
    text.write_bytes(b"another")
    keeper.refusals = [problem]
    assert sign(desk, keeper, text, key)[0] == 0
    assert asked(keeper)[3:] == [STATEMENTS, OWN, CERTIFICATES, OWN]
    keeper.refusals = ["conduct-not-accepted"]
    text.with_name("text.txt.assay.json").unlink()
    assert sign(desk, keeper, text, key)[0] == 5


def test_a_kept_certificate_that_is_none_is_asked_for_again(
    desk: Desk, keeper: Keeper, text: Path, key: Path
) -> None:
    assert sign(desk, keeper, text, key)[0] == 0
    (kept,) = (desk.folder.parent / "config" / "certificates").iterdir()
    for content in (b"none", b"\xff"):
        kept.write_bytes(content)
        text.with_name("text.txt.assay.json").unlink()
        assert sign(desk, keeper, text, key)[0] == 0
    assert len(keeper.certified) == 3
    kept.unlink()
    kept.mkdir()
    text.with_name("text.txt.assay.json").unlink()
    code, _, err = sign(desk, keeper, text, key)
    assert (code, "Is a directory" in err) == (30, True)


def test_an_output_that_was_taken_before_is_read(
    desk: Desk, keeper: Keeper, text: Path, key: Path
) -> None:
    """By an earlier certificate of the same key, which is not kept any more."""
    assert sign(desk, keeper, text, key)[0] == 0
    text.with_name("text.txt.assay.json").unlink()
    keeper.refusals = ["output-taken"]
    assert sign(desk, keeper, text, key)[0] == 0


def test_a_registry_that_takes_its_time_is_asked_again(
    desk: Desk, keeper: Keeper, text: Path, key: Path
) -> None:
    keeper.is_late = True
    assert sign(desk, keeper, text, key)[0] == 0


@pytest.mark.parametrize(
    "instead",
    [
        {"exact_sha256": "ab" * 32},
        {"normalised_sha256": None},
        {"checkpoint_sha256": "cd" * 32},
        {"media_type": "image/png"},
        {"output": "0b8f7ad4-6b8e-4b53-8f3a-54b0c2b7e6c1"},
        {"claim": Origin.SERVER_GENERATED},
        {"generation": {"seed": 1}},
        {"request_commitment": "ef" * 32},
        {"lines": None},
        {"lines": ListReference(count=1, sha256="ab" * 32)},
    ],
    ids=lambda instead: next(iter(instead)),
)
def test_a_statement_of_something_else_is_not_signed(
    desk: Desk, keeper: Keeper, text: Path, key: Path, instead: dict[str, Any]
) -> None:
    keeper.instead = instead
    code, _, err = sign(desk, keeper, text, key)
    assert (code, "nothing was signed" in err or "subject" in err) == (22, True), err
    assert asked(keeper) == [STATEMENTS]


def test_a_certificate_for_another_key_is_not_used(
    desk: Desk, keeper: Keeper, text: Path, key: Path
) -> None:
    keeper.other_key = True
    code, _, err = sign(desk, keeper, text, key)
    assert (code, "expected a certificate for your key" in err) == (22, True)
    assert asked(keeper) == [STATEMENTS, CERTIFICATES]


def test_a_key_that_is_none_signs_nothing(desk: Desk, keeper: Keeper, text: Path) -> None:
    assert sign(desk, keeper, text, desk.folder / "nothing.pem")[0] == 30
    other = desk.folder / "other.pem"
    SoftwareKey.generate(Curve.P384).store(other, None)
    code, _, err = sign(desk, keeper, text, other)
    assert (code, "expected a P-256 key, found P-384" in err) == (3, True)
    code, _, err = sign(desk, keeper, text, "pkcs11:token=assay")
    assert (code, "module-path" in err) == (10, True)
    model = ("--method", "key", "--private-key", other, "--output-bundle", desk.folder / "sig")
    code, _, err = desk.assay("sign", text, *model, "--key", other)
    assert (code, "--key goes with --checkpoint" in err) == (2, True)
    assert keeper.loopback.seen == []


def uri_of(hsm: SoftHsm, label: str = LABEL) -> str:
    place = hsm.place
    where = f"module-path={MODULE}&pin-source=file:{place.pin_file}"
    return f"pkcs11:token={place.token};object={label.replace(' ', '%20')};type=private?{where}"


@needs_softhsm
@needs("openssl")
def test_a_key_in_a_token_signs(
    desk: Desk, keeper: Keeper, text: Path, hsm: SoftHsm, tmp_path: Path
) -> None:
    place = hsm.place
    made = Token(MODULE, place.token, place.pin_file).generate(LABEL, Curve.P256)
    code, out, err = sign(desk, keeper, text, uri_of(hsm))
    assert code == 0, err
    own = f"sha256:{sha256(spki(made.public_key))}"
    assert f"By your own key: {own}" in out
    assert desk.assay("verify", text, "--signer-key", own)[0] == 0

    # openssl, which knows nothing of us: the request for a certificate and the output's signature.
    csr, public = tmp_path / "own.csr", tmp_path / "own.pem"
    csr.write_text(json.loads(keeper.loopback.seen[1].body)["csr"])
    pem = made.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    public.write_bytes(pem)
    found = openssl("req", "-in", csr, "-verify", "-noout", "-pubkey")
    assert pem.decode() in found
    signed = evidence_of(text).bundles["output"].envelope
    signature, data = tmp_path / "signature", tmp_path / "data"
    signature.write_bytes(signed.signature)
    data.write_bytes(envelope.pae(signed.payload))
    said = openssl("dgst", "-sha256", "-verify", public, "-signature", signature, data)
    assert said == "Verified OK\n"
    data.write_bytes(signed.payload)
    with pytest.raises(subprocess.CalledProcessError):
        openssl("dgst", "-sha256", "-verify", public, "-signature", signature, data)


def openssl(*words: object) -> str:
    command = ("openssl", *map(str, words))
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


@needs_softhsm
def test_what_a_token_refuses_is_said(desk: Desk, keeper: Keeper, text: Path, hsm: SoftHsm) -> None:
    hsm.write_pin("wrong")  # first: who is logged in is logged in for the whole process
    code, _, err = sign(desk, keeper, text, uri_of(hsm))
    assert (code, "found a PIN that it refuses" in err, "wrong" in err) == (3, True, False)
    hsm.write_pin(PIN)
    code, _, err = sign(desk, keeper, text, uri_of(hsm, "nothing"))
    assert (code, "found no such key in it" in err) == (3, True)
    absent = uri_of(hsm).replace(str(MODULE), "/nowhere/module.so")
    code, _, err = sign(desk, keeper, text, absent)
    assert (code, PIN in err) == (3, False), err
    assert keeper.loopback.seen == []


def test_without_the_library_for_tokens_it_is_named(
    desk: Desk, keeper: Keeper, text: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "assay.signing.pkcs11", raising=False)
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    uri = "pkcs11:token=a;object=b?module-path=/m&pin-source=/p"
    code, _, err = sign(desk, keeper, text, uri)
    assert (code, "pip install 'assay[hsm]'" in err) == (3, True)


def test_nothing_is_signed_that_could_not_be_verified(
    desk: Desk, text: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_TOKEN", TOKEN)
    with loopback() as running, keeping(desk.world, running) as keeper:
        code, _, err = sign(desk, keeper, text, key)
    assert (code, "expected a pinned root before your key signs" in err) == (23, True)
    assert running.seen == []
