# SPDX-License-Identifier: Apache-2.0
"""`up --once`: the whole story, told by someone who has only HTTP and the `assay` command.

A run publishes a checkpoint; it is downloaded and verified, a text is generated from it and
verified, one character is changed and refused; then everything stops, and all still verifies.
"""

import json
import os
import shutil
import ssl
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from . import preparing, programs, registry
from .environment import CHECKOUT, Deployment
from .errors import SupervisorError
from .places import private_folder
from .preparing import Demo
from .system import System
from .terminal import Terminal

ASSAY = Path(sys.executable).with_name("assay")
MODEL_SIGNING = CHECKOUT / ".venv-clients" / "bin" / "model_signing"
FIRST_CHECKPOINT_SECONDS = 600.0
LOOK_SECONDS = 1.0
PROMPT = "def read_file(path):\n"
PROGRAM_SECONDS = 120.0
MAX_SAID_CHARACTERS = 300


class StoryFailed(SupervisorError):
    """Something in the story went otherwise than it must."""

    code = "story-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Teller:
    """Who tells it: a client of the registry, and a folder of their own."""

    http: httpx.Client
    demo: Demo
    folder: Path
    terminal: Terminal


def tell(deployment: Deployment, terminal: Terminal) -> None:
    """Runs the story and stops everything; raises StoryFailed where it goes wrong."""
    folder = deployment.places.data / "story"
    shutil.rmtree(folder, ignore_errors=True)  # what was downloaded the last time it was told
    private_folder(folder)
    with registry.locked(deployment):
        with System(terminal) as system:
            demo = registry.start(deployment, system, terminal)
            terminal.say("\nThe story, once:\n")
            with httpx.Client(
                base_url=programs.local_url(deployment), timeout=90, trust_env=False
            ) as http:
                teller = Teller(http=http, demo=demo, folder=folder, terminal=terminal)
                with failures_in_words(deployment.places.logs):
                    artifacts = _while_it_runs(teller, deployment, system.watch)
        with terminal.step("every process stopped; both verify offline"):
            for path in artifacts:
                _assay(folder, "verify", str(path))
    terminal.say(f"\nDone in {terminal.seconds:.0f} s. What it downloaded is in {folder}.")


@contextmanager
def failures_in_words(logs: Path) -> Iterator[None]:
    """A registry that does not answer, or a program that does not end, is a StoryFailed too."""
    try:
        yield
    except httpx.HTTPError as error:
        found = f"{type(error).__name__} {error}".strip()
        raise StoryFailed(
            f"expected the registry to answer, found {found}; its logs are in {logs}"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise StoryFailed(str(error)) from error


def _while_it_runs(
    teller: Teller, deployment: Deployment, watch: Callable[[], None]
) -> tuple[Path, Path]:
    step = teller.terminal.step
    url, fingerprint = programs.local_url(deployment), preparing.fingerprint()
    with step("a checkpoint is trained, signed, logged and published"):
        checkpoint = _first_published(teller, watch)
    teller.terminal.note(f"{checkpoint['name']} is {checkpoint['id']}")
    with step("its registry's root is pinned (assay trust add)"):
        _assay(teller.folder, "trust", "add", url, "--fingerprint", fingerprint)
    with step("assay download fetches and verifies it"):
        model = _download(teller, checkpoint, url)
    with step("assay verify accepts the checkpoint"):
        _assay(teller.folder, "verify", str(model))
    if MODEL_SIGNING.exists():
        with step("model_signing, which we did not write, accepts it"):
            _ask_model_signing(teller, model)
    with step("a text is generated from it and signed"):
        answer = _generate(teller, checkpoint)
    with step("assay verify traces the text to the checkpoint"):
        _assay(teller.folder, "verify", str(answer))
    with step("one character changed: assay verify refuses"):
        _refuses_a_change(teller, answer)
    return model, answer


def _first_published(teller: Teller, watch: Callable[[], None]) -> Mapping[str, Any]:
    deadline = time.monotonic() + FIRST_CHECKPOINT_SECONDS
    while time.monotonic() < deadline:
        watch()
        answer = _json(teller, f"/api/v1/projects/{teller.demo.project}/checkpoints")
        for checkpoint in answer["results"]:
            # The demonstration's own: what a person uploads beside it may have no model to ask.
            if checkpoint["run"] == teller.demo.run and checkpoint["state"] == "published":
                found: Mapping[str, Any] = checkpoint
                return found
        time.sleep(LOOK_SECONDS)
    raise StoryFailed(f"no checkpoint was published within {FIRST_CHECKPOINT_SECONDS:.0f} s")


def _download(teller: Teller, checkpoint: Mapping[str, Any], url: str) -> Path:
    """The folder of its files, with `model.sig`; its evidence lies beside the folder."""
    name = f"{teller.demo.project}@{checkpoint['name']}"
    folder = teller.folder / str(checkpoint["name"])
    _assay(teller.folder, "download", name, "--registry", url, "--to", str(folder))
    return folder


def _generate(teller: Teller, checkpoint: Mapping[str, Any]) -> Path:
    request = {
        "checkpoint": checkpoint["id"],
        "prompt": PROMPT,
        "max_new_bytes": 120,
        "temperature": "0.7",
        "seed": 7,
    }
    token = teller.demo.outputs_token.read_text(encoding="utf-8").strip()
    headers = {"Authorization": f"Bearer {token}"}
    answer = teller.http.post("/api/v1/outputs", json=request, headers=headers)
    while answer.status_code == httpx.codes.ACCEPTED:
        time.sleep(LOOK_SECONDS)
        answer = teller.http.get(answer.headers["Location"], headers=headers)
    path = teller.folder / "answer.json"
    path.write_bytes(_accepted(answer).content)
    return path


def _refuses_a_change(teller: Teller, answer: Path) -> None:
    changed = json.loads(answer.read_bytes())
    text = changed["text"]
    changed["text"] = text[:-1] + ("x" if text[-1:] != "x" else "y")
    path = answer.with_name("changed.json")
    path.write_text(json.dumps(changed), encoding="utf-8")
    if _run(teller.folder, ASSAY, "verify", str(path)).returncode == 0:
        raise StoryFailed(f"assay verify accepted {path}, whose text is not the signed one")


def _ask_model_signing(teller: Teller, model: Path) -> None:
    trust_root = _json(teller, "/.well-known/assay/trust-root.json")
    root = teller.folder / "root.pem"
    root.write_text(ssl.DER_cert_to_PEM_cert(b64decode(trust_root["root"])), encoding="ascii")
    words = ("verify", "certificate", str(model), "--signature", str(model / "model.sig"))
    _must(_run(teller.folder, MODEL_SIGNING, *words, "--certificate_chain", str(root)))


def _assay(folder: Path, *words: str) -> None:
    _must(_run(folder, ASSAY, *words))


def _must(ended: subprocess.CompletedProcess[str]) -> None:
    if ended.returncode != 0:
        command = " ".join(str(word) for word in ended.args)
        raise StoryFailed(f"{command} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")


def _run(folder: Path, program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(program), *words],
        cwd=folder,
        env=os.environ | {"ASSAY_CONFIG": str(folder / "config")},  # not the user's own pins
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )


def _json(teller: Teller, path: str) -> Any:  # noqa: ANN401 - whatever the API says
    return _accepted(teller.http.get(path)).json()


def _accepted(answer: httpx.Response) -> httpx.Response:
    """The answer; raises StoryFailed with the words of one that is a refusal."""
    if answer.is_success:
        return answer
    try:
        said = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):  # not a problem document
        said = answer.text.strip()[:MAX_SAID_CHARACTERS] or answer.reason_phrase
    request = f"{answer.request.method} {answer.request.url.path}"
    raise StoryFailed(f"{request} was answered {answer.status_code}: {said}")
