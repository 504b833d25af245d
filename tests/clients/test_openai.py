# SPDX-License-Identifier: Apache-2.0
"""OpenAI's own client, told an address and a token, gets signed texts that `assay` verifies."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from assay.signing.digests import as_id
from registry.catalog.models import Checkpoint
from registry.outputs import asking
from registry.outputs.models import Output, State
from tests.needing import needs
from tests.registry.outputs import world
from tests.registry.outputs.pictures import drawn
from tests.registry.outputs.world import TEXT
from tests.registry.people import invite, secret_of
from tests.registry.pool.world import Lab, found
from tests.running import Authority, Live
from tests.until import until

SECONDS = 180
PYTHON = Path(__file__).parents[2] / ".venv-openai" / "bin" / "python"
PRELUDE = """
import json, openai
client = openai.OpenAI()
ask = dict(model="lab/tiny", max_tokens=64, temperature=0.7, seed=7)
hello = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}]
"""

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("openai"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Somebody's folder, with OpenAI's client and our `assay`; the registry's root is pinned."""

    folder: Path
    live: Live
    lab: Lab
    checkpoint: Checkpoint

    def says(self, script: str) -> Any:  # noqa: ANN401 - JSON
        """What a script of Bob's leaves in `said`."""
        done = subprocess.run(
            [str(PYTHON), "-c", f"{PRELUDE}{script}\nprint(json.dumps(said))"],
            cwd=self.folder,
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.folder),
                "OPENAI_BASE_URL": f"{self.live.url}/v1",
                "OPENAI_API_KEY": secret_of(self.lab.people.bob, "outputs"),
                "no_proxy": "*",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def assay(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "assay.signing.commands", *words],
            cwd=self.folder,
            env={**os.environ, "ASSAY_CONFIG": str(self.folder / "config")},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def verify(self, carried: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        """Of nothing but what an answer carries."""
        (self.folder / "answer.json").write_text(json.dumps(carried), encoding="utf-8")
        return self.assay("verify", "answer.json")


@pytest.fixture
def desk(live: Live, authority: Authority, tmp_path: Path) -> Desk:
    lab = found(invite())
    found_desk = Desk(folder=tmp_path, live=live, lab=lab, checkpoint=world.published(lab))
    fingerprint = as_id(authority.trust_root.fingerprint)
    done = found_desk.assay("trust", "add", live.url, "--fingerprint", fingerprint)
    assert done.returncode == 0, done.stderr
    return found_desk


@pytest.fixture
def generating(desk: Desk) -> Iterator[None]:
    """A generation program runs."""
    with world.generation_program(world.operator()):
        yield


def test_it_finds_the_models(desk: Desk) -> None:
    said = desk.says(
        "listed = [each.id for each in client.models.list()]\n"
        'one = client.models.retrieve("lab/tiny@by-hand")\n'
        "said = [listed, one.id, one.owned_by, one.model_extra['checkpoint']]"
    )
    sha256 = f"sha256:{desk.checkpoint.manifest_sha256}"
    assert said == [["lab/tiny"], "lab/tiny@by-hand", "lab", sha256]


@pytest.mark.usefixtures("generating")
@pytest.mark.parametrize(
    ("call", "text"),
    [
        ('client.completions.create(prompt="def ", **ask)', "text"),
        ("client.chat.completions.create(messages=hello, **ask)", "message.content"),
    ],
)
def test_a_text_verifies_by_what_the_answer_carries(desk: Desk, call: str, text: str) -> None:
    said = desk.says(
        f"answer = {call}\n"
        f"said = [answer.choices[0].{text}, answer.model, answer.model_extra['assay']]"
    )
    assert said[:2] == [TEXT, "lab/tiny@by-hand"]
    carried = said[2]
    done = desk.verify(carried)
    assert done.returncode == 0, done.stdout + done.stderr
    changed = desk.verify({**carried, "text": TEXT.replace("hello", "hallo")})
    assert changed.returncode == 21, changed.stdout


@pytest.mark.usefixtures("generating")
@pytest.mark.parametrize(
    ("call", "text"),
    [
        ('client.completions.create(prompt="def ", stream=True, **ask)', "choices[0].text"),
        (
            "client.chat.completions.create(messages=hello, stream=True, **ask)",
            "choices[0].delta.content or ''",
        ),
    ],
)
def test_a_streamed_text_verifies_by_what_its_end_carries(desk: Desk, call: str, text: str) -> None:
    said = desk.says(
        f"chunks = list({call})\n"
        f"text = ''.join(chunk.{text} for chunk in chunks)\n"
        "said = [text, chunks[-1].choices[0].finish_reason, chunks[-1].model_extra['assay']]"
    )
    assert said[:2] == [TEXT, "stop"]
    done = desk.verify(said[2])
    assert done.returncode == 0, done.stdout + done.stderr


def test_who_hangs_up_in_a_stream_finds_the_text_signed(desk: Desk) -> None:
    desk.says(
        'stream = client.completions.create(prompt="def ", stream=True, **ask)\n'
        "said = next(iter(stream)).choices[0].text\n"
        "stream.close()"
    )
    assert Output.objects.get().state == State.QUEUED
    with world.generation_program(world.operator()):
        until(lambda: Output.objects.get().state == State.SIGNED)
    with desk.live.client() as client:
        assert client.get("/readyz").status_code == 200


def test_a_picture_verifies_by_what_the_answer_carries(desk: Desk) -> None:
    drawn.published(desk.lab)
    with drawn.drawing_program(world.operator()):
        said = desk.says(
            'answer = client.images.generate(model="lab/tiny@letters", prompt="A", n=2,\n'
            '    size="256x256", response_format="b64_json", extra_body={"seed": 3})\n'
            "said = [[each.b64_json, each.model_extra['assay']] for each in answer.data]"
        )
    assert len(said) == 2
    for picture, carried in said:
        data = base64.b64decode(picture)
        (desk.folder / "picture.png").write_bytes(data)
        (desk.folder / "answer.json").write_text(json.dumps(carried), encoding="utf-8")
        words = ("verify", "picture.png", "--evidence", "answer.json")
        done = desk.assay(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        (desk.folder / "picture.png").write_bytes(data + b"x")
        assert desk.assay(*words).returncode == 21


def test_refusals_are_its_own_errors(desk: Desk) -> None:
    for _ in range(asking.MAX_WAITING):
        world.ask(desk.lab, desk.checkpoint)
    said = desk.says(
        "def refused(call, **more):\n"
        "    try:\n"
        "        call(**{**ask, **more})\n"
        "    except openai.APIStatusError as error:\n"
        "        return [type(error).__name__, error.status_code, error.param, error.code]\n"
        "complete, once = client.completions.create, client.with_options(max_retries=0)\n"
        "said = [\n"
        '    refused(complete, prompt="def ", stop=["."]),\n'
        '    refused(complete, prompt="def ", model="lab/none"),\n'
        '    refused(once.completions.create, prompt="def "),\n'
        '    refused(once.completions.create, prompt="def ", stream=True),\n'
        '    refused(client.with_options(api_key="none").completions.create, prompt="def "),\n'
        "]"
    )
    assert said == [
        ["BadRequestError", 400, "stop", "invalid-parameter"],
        ["NotFoundError", 404, None, "not-found"],
        ["RateLimitError", 429, None, "generation-queue-full"],
        ["RateLimitError", 429, None, "generation-queue-full"],
        ["AuthenticationError", 401, None, "token-malformed"],
    ]
    assert Output.objects.count() == asking.MAX_WAITING
