# SPDX-License-Identifier: Apache-2.0
"""Programs that we did not write agree with each link, and refuse what we refuse.

`./run test` makes `.venv-clients` (requirements/clients.txt); without it, or without openssl, the
tests are skipped and say so.
"""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from assay.signing import canonical, envelope, timestamps
from assay.signing.bundle import Bundle
from assay.signing.certificates import Purpose
from assay.signing.keys import SoftwareKey
from assay.signing.statements import Statement
from tests.needing import needs
from tests.signing.witnesses import Witnesses
from tests.signing.world import AT, FILES, World

ROOT = Path(__file__).parent.parent.parent
CLIENTS = ROOT / ".venv-clients" / "bin"
CHECK_BUNDLE = Path(__file__).parent / "foreign" / "check_bundle.py"
OPENSSL = shutil.which("openssl")

needs_clients = needs("clients")
needs_openssl = needs("openssl")

AGREEING = """\
sigstore-models: parsed
sigstore: signature
securesystemslib: signature
sigstore: inclusion
sigstore: tree head
rfc3161-client: timestamp
sigstore: certificate timestamp
"""


def ask(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def write_pem(path: Path, world: World) -> Path:
    path.write_bytes(world.root.certificate.public_bytes(Encoding.PEM))
    return path


def write_model(folder: Path, files: Mapping[str, bytes], bundle: Bundle) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    (folder / "model.sig").write_bytes(canonical.dumps(bundle.to_json()))
    return folder


def model_signing(folder: Path, root: Path) -> subprocess.CompletedProcess[str]:
    return ask(
        CLIENTS / "model_signing",
        *("verify", "certificate", folder, "--signature", folder / "model.sig"),
        *("--certificate_chain", root),
    )


MORE = {**FILES, "sub/a.txt": b"1", ".gitattributes": b"*.safetensors lfs"}


@needs_clients
def test_model_signing_accepts_the_signature_beside_the_files(world: World, tmp_path: Path) -> None:
    signature = Witnesses(world=world).bundle(world.model_signature(MORE), w1=AT, w2=AT)
    folder = write_model(tmp_path / "tiny", MORE, signature)
    found = model_signing(folder, write_pem(tmp_path / "root.pem", world))
    assert (found.returncode, found.stdout.strip()) == (0, "Verification succeeded")


def change_a_byte(folder: Path) -> None:
    (folder / "config.json").write_bytes(b'{"layers":5}\n')


def rename_a_file(folder: Path) -> None:
    (folder / "config.json").rename(folder / "Config.json")


def add_a_file(folder: Path) -> None:
    (folder / "run.py").write_bytes(b"")


def remove_a_file(folder: Path) -> None:
    (folder / "config.json").unlink()


def change_the_signature(folder: Path) -> None:
    bundle = Bundle.parse(canonical.loads((folder / "model.sig").read_bytes()))
    signature = bytearray(bundle.envelope.signature)
    signature[-1] ^= 1
    changed = replace(bundle, envelope=replace(bundle.envelope, signature=bytes(signature)))
    (folder / "model.sig").write_bytes(canonical.dumps(changed.to_json()))


@needs_clients
@pytest.mark.parametrize(
    "change", [change_a_byte, rename_a_file, add_a_file, remove_a_file, change_the_signature]
)
def test_model_signing_refuses_what_was_changed(
    world: World, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = write_model(tmp_path / "tiny", FILES, world.model_signature())
    change(folder)
    found = model_signing(folder, write_pem(tmp_path / "root.pem", world))
    assert found.returncode == 1
    assert "Verification failed" in found.stderr


@needs_clients
def test_model_signing_refuses_a_strangers_root(world: World, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny", FILES, world.model_signature())
    stranger = World.create(at=AT)
    found = model_signing(folder, write_pem(tmp_path / "root.pem", stranger))
    assert found.returncode == 1


@needs_clients
def test_sigstores_own_code_agrees_with_every_link(world: World, tmp_path: Path) -> None:
    """Also where witnesses have signed below the tree head, as in bundles of a registry."""
    witnesses = Witnesses(world=world)
    bundles = witnesses.evidence(world.evidence_for_output(), w1=AT, w2=AT).bundles
    for part, bundle in bundles.items():
        (tmp_path / f"{part}.json").write_bytes(canonical.dumps(bundle.to_json()))
    for name, key in (("ledger", world.ledger_key), ("log", world.log_key)):
        spki = key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.der").write_bytes(spki)
    found = ask(
        *(CLIENTS / "python", CHECK_BUNDLE),
        *(write_pem(tmp_path / "root.pem", world), tmp_path / "ledger.der", tmp_path / "log.der"),
        *(tmp_path / f"{part}.json" for part in bundles),
    )
    assert (found.stderr, found.stdout) == ("", AGREEING * len(bundles))


def unlogged(world: World) -> World:
    world.mark_leaf(Purpose.CHECKPOINT, "alice", lambda _: [])
    return world


def logged_elsewhere(world: World) -> World:
    return replace(world, log_key=SoftwareKey.generate())


@needs_clients
@pytest.mark.parametrize("change", [unlogged, logged_elsewhere])
def test_sigstores_own_code_refuses_what_our_ledger_does_not_vouch_for(
    world: World, tmp_path: Path, change: Callable[[World], World]
) -> None:
    bundle = change(world).model_signature()
    (tmp_path / "model.json").write_bytes(canonical.dumps(bundle.to_json()))
    for name, key in (("ledger", world.ledger_key), ("log", world.log_key)):
        spki = key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.der").write_bytes(spki)
    found = ask(
        *(CLIENTS / "python", CHECK_BUNDLE),
        *(write_pem(tmp_path / "root.pem", world), tmp_path / "ledger.der", tmp_path / "log.der"),
        tmp_path / "model.json",
    )
    assert found.stdout == AGREEING.removesuffix("sigstore: certificate timestamp\n")
    assert "sigstore.errors.VerificationError" in found.stderr


@needs_openssl
def test_openssl_verifies_the_signature_over_the_encoding(world: World, tmp_path: Path) -> None:
    bundle = world.model_signature()
    pem = bundle.chain.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "key.pem").write_bytes(pem)
    (tmp_path / "signature").write_bytes(bundle.envelope.signature)
    (tmp_path / "pae").write_bytes(envelope.pae(bundle.envelope.payload))
    command = ("openssl", "dgst", "-sha256", "-verify", tmp_path / "key.pem")
    rest = ("-signature", tmp_path / "signature", tmp_path / "pae")
    found = ask(*command, *rest)
    assert (found.returncode, found.stdout.strip()) == (0, "Verified OK")
    Statement.parse(bundle.envelope.payload)
    (tmp_path / "pae").write_bytes(envelope.pae(bundle.envelope.payload + b" "))
    assert ask(*command, *rest).returncode == 1


@needs_openssl
@pytest.mark.parametrize("purpose", list(Purpose))
def test_openssl_verifies_every_chain(world: World, tmp_path: Path, purpose: Purpose) -> None:
    _, chain = world.leaf(purpose, "http://registry.test/alice")
    (tmp_path / "leaf.pem").write_bytes(chain.leaf_pem)
    (tmp_path / "int.pem").write_bytes(chain.intermediate.public_bytes(Encoding.PEM))
    found = ask(
        *("openssl", "verify", "-x509_strict", "-attime", str(int(AT.timestamp()))),
        *("-CAfile", write_pem(tmp_path / "root.pem", world)),
        *("-policy", purpose.oid.dotted_string, "-untrusted", tmp_path / "int.pem"),
        tmp_path / "leaf.pem",
    )
    assert found.returncode == 0, found.stderr


@needs_openssl
def test_openssl_verifies_a_timestamp_over_the_data(world: World, tmp_path: Path) -> None:
    key, chain = world.leaf(Purpose.TIMESTAMP, "http://registry.test/timestamp")
    response = timestamps.respond(
        timestamps.request(b"data"), key=key, chain=chain, at=AT, serial=7
    )
    (tmp_path / "response").write_bytes(response)
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "int.pem").write_bytes(chain.intermediate.public_bytes(Encoding.PEM))
    command = (
        *("openssl", "ts", "-verify", "-attime", str(int(AT.timestamp()))),
        *("-data", tmp_path / "data", "-in", tmp_path / "response"),
        *("-CAfile", write_pem(tmp_path / "root.pem", world), "-untrusted", tmp_path / "int.pem"),
    )
    assert ask(*command).stdout.strip() == "Verification: OK"
    (tmp_path / "data").write_bytes(b"Data")
    found = ask(*command)
    assert (found.returncode, found.stdout.strip()) == (1, "Verification: FAILED")


@needs_openssl
def test_our_authority_answers_a_query_of_openssl(world: World, tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"data")
    query, reply = tmp_path / "query", tmp_path / "reply"
    made = (
        "openssl",
        "ts",
        "-query",
        "-data",
        tmp_path / "data",
        "-sha512",
        "-cert",
        "-out",
        query,
    )
    assert ask(*made).returncode == 0
    key, chain = world.leaf(Purpose.TIMESTAMP, "http://registry.test/timestamp")
    reply.write_bytes(timestamps.respond(query.read_bytes(), key=key, chain=chain, at=AT, serial=7))
    root = write_pem(tmp_path / "root.pem", world)
    found = ask(
        *("openssl", "ts", "-verify", "-attime", str(int(AT.timestamp()))),
        *("-queryfile", query, "-in", reply, "-CAfile", root),
    )
    assert found.stdout.strip() == "Verification: OK"
