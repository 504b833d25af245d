# SPDX-License-Identifier: Apache-2.0
"""What is shown in the story of `up --once`: each scene raises StoryFailed where it goes wrong.

All is done by someone who has only HTTP, the `assay` command and a program that we did not write.
"""

import json
import os
import ssl
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from assay.signing.digests import sha256

from .environment import CHECKOUT
from .errors import SupervisorError
from .preparing import Demo
from .terminal import Terminal

ASSAY = Path(sys.executable).with_name("assay")
MODEL_SIGNING = CHECKOUT / ".venv-clients" / "bin" / "model_signing"
TRAINING_SECONDS = 600.0
LOOK_SECONDS = 1.0
PROMPT = "def read_file(path):\n"
PROGRAM_SECONDS = 120.0
MAX_SAID_CHARACTERS = 300
MAX_TEXT_CHARACTERS = 40
WEIGHTS = "model.safetensors"
TEXT_STEP = "text"  # the step that compares (docs/spec/formats.md)
OWN_TEXT = "Somebody else's program wrote this.\n"


class StoryFailed(SupervisorError):
    """Something in the story went otherwise than it must."""

    code = "story-failed"


@dataclass(slots=True, kw_only=True)
class Teller:
    """Who tells it: a client of the registry, a folder of their own, and what they have so far."""

    http: httpx.Client
    demo: Demo
    folder: Path
    terminal: Terminal
    url: str
    fingerprint: str
    watch: Callable[[], None]
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    """What a scene found that is worth a line."""

    @property
    def model(self) -> Path:
        """The folder of the checkpoint's files, with `model.sig`; its evidence lies beside it."""
        return self.folder / str(self.checkpoint["name"])

    @property
    def answer(self) -> Path:
        """The text that was generated, with its evidence."""
        return self.folder / "answer.json"


# --- A checkpoint --------------------------------------------------------------------------------


def publish(teller: Teller) -> None:
    """The demonstration trains, and publishes what it has."""
    teller.checkpoint = published(teller, at_least=1)[0]
    teller.notes += [f"{teller.checkpoint['name']} is", f"{teller.checkpoint['id']}"]


def pin(teller: Teller) -> None:
    """The root, by the fingerprint that the terminal shows."""
    assay(teller.folder, "trust", "add", teller.url, "--fingerprint", teller.fingerprint)


def download(teller: Teller) -> None:
    """The command verifies the evidence first, then every byte."""
    name = f"{teller.demo.project}@{teller.checkpoint['name']}"
    assay(teller.folder, "download", name, "--registry", teller.url, "--to", str(teller.model))


def resume(teller: Teller) -> None:
    """Half of the weights, then the rest, as any client of HTTP goes on."""
    whole = (teller.model / WEIGHTS).read_bytes()
    path = f"/{teller.demo.project}/{teller.checkpoint['name']}/files/{WEIGHTS}"
    half = len(whole) // 2
    got = b""
    for wanted in (f"bytes=0-{half - 1}", f"bytes={half}-"):
        answer = accepted(teller.http.get(path, headers={"Range": wanted}))
        if answer.status_code != httpx.codes.PARTIAL_CONTENT:
            raise StoryFailed(f"{path} with Range: {wanted} was answered {answer.status_code}")
        got += answer.content
    if got != whole:
        raise StoryFailed(f"the two halves of {path} are not the file that was downloaded")


def verify_model(teller: Teller) -> None:
    """Files, signature, certificates, time, ledger, run, data and conduct."""
    assay(teller.folder, "verify", str(teller.model))


def ask_model_signing(teller: Teller) -> None:
    """OpenSSF's program accepts the signature, and refuses it once a byte is another."""
    trust_root = read(teller, "/.well-known/assay/trust-root.json")
    root = teller.folder / "root.pem"
    root.write_text(ssl.DER_cert_to_PEM_cert(b64decode(trust_root["root"])), encoding="ascii")
    signature = ("--signature", str(teller.model / "model.sig"), "--certificate_chain", str(root))
    words = ("verify", "certificate", str(teller.model), *signature)
    must(run(teller.folder, MODEL_SIGNING, *words))
    weights = teller.model / WEIGHTS
    whole = weights.read_bytes()
    try:
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        is_accepted = run(teller.folder, MODEL_SIGNING, *words).returncode == 0
    finally:
        weights.write_bytes(whole)
    if is_accepted:
        raise StoryFailed(f"model_signing accepted {weights} with one byte changed")


# --- Its outputs ---------------------------------------------------------------------------------


def generate(teller: Teller) -> None:
    """A text, signed as what our own program generated."""
    teller.answer.write_bytes(generated(teller, teller.checkpoint).content)


def verify_answer(teller: Teller) -> None:
    """From the text to the checkpoint, its run, its data and its conduct policy."""
    assay(teller.folder, "verify", str(teller.answer))


def change_one_character(teller: Teller) -> None:
    """Exactly one link of the tree turns red: the text's own."""
    changed = json.loads(teller.answer.read_bytes())
    text = changed["text"]
    changed["text"] = text[:-1] + ("x" if text[-1:] != "x" else "y")
    path = teller.answer.with_name("changed.json")
    path.write_text(json.dumps(changed), encoding="utf-8")
    judged = run(teller.folder, ASSAY, "verify", "--json", str(path))
    if judged.returncode == 0:
        raise StoryFailed(f"assay verify accepted {path}, whose text is not the signed one")
    red = [step["code"] for step in json.loads(judged.stdout)["steps"] if step["error"]]
    if red != [TEXT_STEP]:
        raise StoryFailed(f"expected {TEXT_STEP} alone to fail for {path}, found {red}")


def sign_own(teller: Teller) -> None:
    """A digest of what we never saw is signed as the caller's own word, and says so."""
    text = teller.folder / "own.txt"
    text.write_text(OWN_TEXT, encoding="utf-8")
    request = {
        "checkpoint": teller.checkpoint["id"],
        "media_type": "text/plain",
        "digests": {"sha256": sha256(OWN_TEXT.encode())},
    }
    answer = asked(teller, "/api/v1/outputs/sign", request)
    if (claim := answer.json()["claim"]) != "caller-asserted":
        raise StoryFailed(f"expected the claim caller-asserted for {text}, found {claim!a}")
    evidence = teller.folder / "own.json"
    evidence.write_bytes(answer.content)
    assay(teller.folder, "verify", str(text), "--evidence", str(evidence))


def learn(teller: Teller) -> None:
    """The same prompt and seed, asked of the run's first checkpoint and of its newest."""
    found = published(teller, at_least=2)
    shown = []
    for checkpoint in (found[0], found[-1]):
        path = f"/api/v1/projects/{teller.demo.project}/checkpoints/{checkpoint['name']}"
        loss = float(read(teller, path)["losses"]["validation"])
        text = generated(teller, checkpoint).json()["text"]
        shown.append((loss, text, str(checkpoint["name"])))
    (before, noise, _), (after, better, _) = shown
    if after >= before or noise == better:
        raise StoryFailed(f"expected the loss to fall and the text to change, found {shown}")
    for loss, text, name in shown:
        line = ascii(" ".join(text.split())[:MAX_TEXT_CHARACTERS])
        teller.notes.append(f"{name}  loss {loss:.3f}  {line}")


def verify_offline(teller: Teller) -> None:
    """Nothing answers any more."""
    for path in (teller.model, teller.answer):
        assay(teller.folder, "verify", str(path))


# --- What the scenes are made of -----------------------------------------------------------------


def published(teller: Teller, *, at_least: int) -> list[Mapping[str, Any]]:
    """The demonstration's own checkpoints, the oldest first, once there are so many.

    What a person uploads beside them may have no model to ask.
    """
    deadline, found = time.monotonic() + TRAINING_SECONDS, []
    while time.monotonic() < deadline:
        teller.watch()
        listed = read(teller, f"/api/v1/projects/{teller.demo.project}/checkpoints")["results"]
        found = [
            each
            for each in reversed(listed)
            if each["run"] == teller.demo.run and each["state"] == "published"
        ]
        if len(found) >= at_least:
            return found
        time.sleep(LOOK_SECONDS)  # a node works on it: the API is asked again
    raise StoryFailed(
        f"expected {at_least} published within {TRAINING_SECONDS:.0f} s, found {len(found)}"
    )


def generated(teller: Teller, checkpoint: Mapping[str, Any]) -> httpx.Response:
    """The signed text that a checkpoint writes for our prompt and seed."""
    request = {
        "checkpoint": checkpoint["id"],
        "prompt": PROMPT,
        "max_new_bytes": 120,
        "temperature": "0.7",
        "seed": 7,
    }
    return asked(teller, "/api/v1/outputs", request)


def asked(teller: Teller, path: str, request: Mapping[str, object]) -> httpx.Response:
    """The signed output that a request ends with."""
    token = teller.demo.outputs_token.read_text(encoding="utf-8").strip()
    headers = {"Authorization": f"Bearer {token}"}
    answer = teller.http.post(path, json=request, headers=headers)
    while answer.status_code == httpx.codes.ACCEPTED:
        time.sleep(LOOK_SECONDS)  # 202: the API is asked again, as by any caller
        answer = teller.http.get(answer.headers["Location"], headers=headers)
    return accepted(answer)


def assay(folder: Path, *words: str) -> None:
    """Our command, which must end with 0."""
    must(run(folder, ASSAY, *words))


def must(ended: subprocess.CompletedProcess[str]) -> None:
    """Raises StoryFailed with all that a failed program said."""
    if ended.returncode != 0:
        command = " ".join(str(word) for word in ended.args)
        raise StoryFailed(f"{command} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")


def run(folder: Path, program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A program, however it ends; not with the user's own pins."""
    return subprocess.run(
        [str(program), *words],
        cwd=folder,
        env=os.environ | {"ASSAY_CONFIG": str(folder / "config")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )


def read(teller: Teller, path: str) -> Any:  # noqa: ANN401 - whatever the API says
    """What an address of the registry answers, as JSON."""
    return accepted(teller.http.get(path)).json()


def accepted(answer: httpx.Response) -> httpx.Response:
    """The answer; raises StoryFailed with the words of one that is a refusal."""
    if answer.is_success:
        return answer
    try:
        said = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):  # not a problem document
        said = answer.text.strip()[:MAX_SAID_CHARACTERS] or answer.reason_phrase
    request = f"{answer.request.method} {answer.request.url.path}"
    raise StoryFailed(f"{request} was answered {answer.status_code}: {said}")
