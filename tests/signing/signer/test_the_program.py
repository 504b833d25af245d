# SPDX-License-Identifier: Apache-2.0
"""The signer as a process: it starts only on sound files, stops cleanly, and keeps its secrets."""

from __future__ import annotations

import base64
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from assay.signing.certificates import Purpose
from assay.signing.errors import SignerError
from assay.signing.keys import Curve, SoftwareKey
from assay.signing.signer import __main__, ceremony, process
from assay.signing.signer.client import SignerClient
from assay.signing.signer.errors import SignerFilesBroken
from assay.signing.signer.keystore import Keystore
from tests.signing.signer.worlds import (
    ALICE,
    BORN,
    ORIGIN,
    PASSPHRASE,
    POLICY,
    REGISTRY,
    START_SECONDS,
    Ledger,
    command,
    output_statement,
    program,
)
from tests.until import until


def _start(folder: Path, *more: str, passphrase: bytes = PASSPHRASE) -> tuple[int, str]:
    """The exit code and the words of a signer that does not start, here in this process."""
    passphrase_file = folder.parent / "passphrase"
    passphrase_file.touch(mode=0o600)
    passphrase_file.write_bytes(passphrase)
    _, _, _, *words = command(folder, folder.parent / "signer.sock", passphrase_file)
    with redirect_stderr(io.StringIO()) as said:
        code = __main__.run(__main__.parser().parse_args([*words, *more]))
    return code, said.getvalue()


def test_it_signs_until_it_is_told_to_stop(folder: Path) -> None:
    with program(folder) as running:
        signed = running.client.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY)
        signed.envelope.verify(signed.chain.public_key)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(START_SECONDS) == 0
    assert not (folder.parent / "signer.sock").exists()
    assert "stopped" in running.log.read_text()


def test_it_goes_on_after_a_kill(folder: Path) -> None:
    ledger = Ledger()
    ledger.append(b"one", b"two")
    with program(folder) as running:
        note = running.client.sign_head(2, ledger.root(2), ())
        running.kill()
    assert (folder.parent / "signer.sock").exists()
    with program(folder) as running:
        assert running.client.describe().head.size == 2
        assert running.client.sign_head(2, ledger.root(2), ()) == note


def test_a_second_signer_on_the_same_folder_does_not_start(folder: Path) -> None:
    with program(folder):
        other = folder.parent / "other.sock"
        done = subprocess.run(
            command(folder, other, folder.parent / "passphrase"),
            capture_output=True,
            timeout=START_SECONDS,
            check=False,
        )
    assert done.returncode == SignerError.exit_code
    assert b"another signer holds" in done.stderr
    assert not other.exists()


def test_no_other_process_may_read_its_memory(folder: Path) -> None:
    with program(folder) as running:
        status = Path(f"/proc/{running.process.pid}")
        limits = (status / "limits").read_text()
        assert "Max core file size        0                    0" in limits
        if os.geteuid() != 0:
            with pytest.raises(PermissionError):
                (status / "mem").open("rb")


def _parent(folder: Path) -> str:
    """A program that starts a signer which dies with it, says its process id, and waits."""
    words = [*command(folder, folder.parent / "s.sock", folder.parent / "passphrase")]
    return (
        "import subprocess,time\n"
        f"child = subprocess.Popen({[*words, '--die-with-parent']!r})\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_it_dies_with_its_parent_if_it_is_asked_to(folder: Path) -> None:
    (folder.parent / "passphrase").touch(mode=0o600)
    (folder.parent / "passphrase").write_bytes(PASSPHRASE)
    parent = subprocess.Popen([sys.executable, "-c", _parent(folder)], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    client = SignerClient(folder.parent / "s.sock")
    until(lambda: _answers(client))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until(lambda: not _is_alive(pid))
    assert not (folder.parent / "s.sock").exists()


def test_a_parent_that_ended_before_the_kernel_was_asked_is_noticed() -> None:
    words = "from assay.signing.signer.process import die_with_parent; die_with_parent(1 << 22)"
    done = subprocess.run([sys.executable, "-c", words], timeout=START_SECONDS, check=False)
    assert done.returncode == -signal.SIGTERM


def test_a_call_that_the_kernel_refuses_is_an_error() -> None:
    with pytest.raises(OSError, match=r"prctl\(1000000\) failed"):
        process._prctl(1_000_000, 0)


def _answers(client: SignerClient) -> bool:
    try:
        client.describe()
    except SignerError:
        return False
    return True


def _widen(folder: Path) -> None:
    folder.chmod(0o750)


def _forget_head(folder: Path) -> None:
    (folder / "head.json").unlink()


def _forget_key(folder: Path) -> None:
    (folder / "ledger.key.pem").unlink()


def _other_ledger_key(folder: Path) -> None:
    (folder / "ledger.key.pem").unlink()
    SoftwareKey.generate(Curve.ED25519).store(folder / "ledger.key.pem", PASSPHRASE)


def _other_log_key(folder: Path) -> None:
    (folder / "sct.key.pem").unlink()
    SoftwareKey.generate().store(folder / "sct.key.pem", PASSPHRASE)


def _other_intermediate_key(folder: Path) -> None:
    (folder / "intermediates" / "output.key.pem").unlink()
    SoftwareKey.generate().store(folder / "intermediates" / "output.key.pem", PASSPHRASE)


def _other_timestamp_key(folder: Path) -> None:
    (folder / "timestamp.key.pem").unlink()
    SoftwareKey.generate().store(folder / "timestamp.key.pem", PASSPHRASE)


def _foreign_intermediate(folder: Path) -> None:
    other = folder.parent / "other"
    ceremony.create(other, registry_url=REGISTRY, origin=ORIGIN, passphrase=PASSPHRASE, at=BORN)
    for name in ("output.pem", "output.key.pem"):
        (other / "intermediates" / name).replace(folder / "intermediates" / name)


def _readable_key(folder: Path) -> None:
    (folder / "intermediates" / "output.key.pem").chmod(0o644)


def _spoil_certificate(folder: Path) -> None:
    (folder / "intermediates" / "output.pem").write_text("no certificate")


def _spoil_trust_root(folder: Path) -> None:
    (folder / "trust-root.json").write_text("{}")


def _make_it_early(folder: Path) -> None:
    """As the ceremony made it before there were certificate timestamps."""
    document = json.loads((folder / "trust-root.json").read_bytes())
    del document["certificate_log"]
    (folder / "trust-root.json").write_text(json.dumps(document))


def _cut_audit(folder: Path) -> None:
    (folder / "audit.jsonl").write_text('{"n":2,"previous":"00"}\n')


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (_widen, "mode 0750, expected 0700"),
        (_forget_head, "head.json cannot be read"),
        (_forget_key, "ledger.key.pem: No such file"),
        (_other_ledger_key, "ledger.key.pem is not the key that the trust root names"),
        (_other_log_key, "sct.key.pem is not the key that the trust root names"),
        (_other_intermediate_key, "output.key.pem is not the key of its certificate"),
        (_other_timestamp_key, "timestamp.key.pem is not the key of its certificate"),
        (_foreign_intermediate, "output intermediate was not issued by the trust root"),
        (_readable_key, "expected a key file of mode 0600"),
        (_spoil_certificate, "output.pem is not a PEM certificate"),
        (_spoil_trust_root, "trust-root.json: type"),
        (_make_it_early, "it was made before certificates were logged, and has to be made again"),
        (_cut_audit, "line 1 of the audit file"),
    ],
)
def test_it_does_not_start_on_files_that_contradict_each_other(
    folder: Path, edit: Callable[[Path], None], said: str
) -> None:
    edit(folder)
    code, words = _start(folder)
    assert code in {3, 4}
    assert said in words
    assert "Traceback" not in words


def test_another_passphrase_opens_nothing(folder: Path) -> None:
    code, words = _start(folder, passphrase=b"canary-passphrase-41")
    assert code == 3
    assert "that the passphrase opens" in words
    assert "canary-passphrase-41" not in words


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (PASSPHRASE, 0o644, "has mode 0644, expected 0600"),
        (b"", 0o600, "is empty"),
        (b"\nsecond line", 0o600, "is empty"),
    ],
)
def test_a_passphrase_file_that_others_may_read_or_that_is_empty_is_refused(
    folder: Path, content: bytes, mode: int, said: str
) -> None:
    (folder.parent / "passphrase").touch()
    (folder.parent / "passphrase").chmod(mode)
    code, words = _start(folder, passphrase=content)
    assert (code, said in words) == (4, True)


def test_a_passphrase_file_that_there_is_not_is_refused(folder: Path) -> None:
    code, words = _start(folder, "--passphrase-file", str(folder / "nothing"))
    assert (code, "No such file" in words) == (4, True)


def test_a_ceremony_is_held_once(folder: Path) -> None:
    with pytest.raises(SignerFilesBroken, match="held once"):
        ceremony.create(
            folder, registry_url=REGISTRY, origin=ORIGIN, passphrase=PASSPHRASE, at=BORN
        )


def test_a_ceremony_wants_a_passphrase(tmp_path: Path) -> None:
    with pytest.raises(SignerFilesBroken, match="an empty one"):
        ceremony.create(
            tmp_path / "new", registry_url=REGISTRY, origin=ORIGIN, passphrase=b"", at=BORN
        )


def test_a_ceremony_leaves_everything_to_its_owner_and_nothing_unencrypted(
    bare_folder: Path,
) -> None:
    folder = bare_folder
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 26
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.rglob("*")))
    keys = [path for path in files if path.name.endswith("key.pem")]
    assert len(keys) == 11
    for path in keys:
        assert path.read_text().startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")


def _secrets(folder: Path) -> list[bytes]:
    """Every private key in the folder in the forms in which it could leak, and the passphrase."""
    found = [PASSPHRASE]
    for path in folder.rglob("*key.pem"):
        private = SoftwareKey.load(path, PASSPHRASE).private
        der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        found += [der, base64.b64encode(der), der.hex().encode()]
        lines = path.read_text().splitlines()
        found += [lines[2].encode()]
    return found


def test_no_key_and_no_passphrase_is_in_what_it_says(folder: Path) -> None:
    said: list[str] = []
    with program(folder) as running:
        running.client.sign(Purpose.OUTPUT, ALICE, output_statement(), POLICY)
        for wrong in (b"{}", output_statement()[:-1], PASSPHRASE, os.urandom(50)):
            with pytest.raises(SignerError) as caught:
                running.client.sign(Purpose.OUTPUT, ALICE, wrong, POLICY)
            said.append(repr(caught.value))
        (folder / "leaves").rename(folder / "aside")
        with pytest.raises(SignerError) as caught:
            running.client.sign(Purpose.OUTPUT, f"{REGISTRY}/bob", output_statement(), POLICY)
        said.append(repr(caught.value))
        (folder / "aside").rename(folder / "leaves")
        secrets = _secrets(folder)
    (folder / "ledger.key.pem").write_bytes(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n")
    said.append(_start(folder)[1])
    everything = "\n".join([*said, running.log.read_text()]).encode()
    everything += (folder / "audit.jsonl").read_bytes()
    assert len(everything) > 1000
    assert [secret for secret in secrets if secret in everything] == []


def test_opened_keys_do_not_show_in_a_repr(folder: Path) -> None:
    keystore = Keystore.open(folder, passphrase=PASSPHRASE)
    shown = repr(vars(keystore).get("opened")) + repr(keystore.ledger_key) + repr(keystore)
    assert "SoftwareKey(" in shown
    assert [secret for secret in _secrets(folder) if secret.decode("latin-1") in shown] == []
