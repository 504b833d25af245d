# SPDX-License-Identifier: Apache-2.0
"""OpenAI's own client before `assay gateway`, which stands before a server that we did not start.

The server behind is our own `/v1`, as any other would be: the gateway knows nothing of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from assay.signing.evidence import Evidence, Part
from assay.signing.sigstore.certificate import identity_of
from registry.outputs.models import Claim, Output
from tests.clients import test_openai
from tests.clients.test_openai import Desk
from tests.clients.test_sigstore import PYTHON, SCRIPT
from tests.needing import needs
from tests.registry.outputs.world import TEXT
from tests.registry.people import secret_of
from tests.running import Live

desk, generating = test_openai.desk, test_openai.generating

pytestmark = [
    pytest.mark.django_db(transaction=True),
    needs("openai"),
]


@pytest.fixture
def before(desk: Desk) -> Iterator[Desk]:
    """The same desk, told the gateway's address; the gateway has a token of Alice's."""
    environment = {
        **os.environ,
        "ASSAY_CONFIG": str(desk.folder / "config"),
        "ASSAY_TOKEN": secret_of(desk.lab.people.alice, "outputs"),
    }
    words = ("gateway", "--upstream", f"{desk.live.url}/v1", "--registry", desk.live.url)
    named = ("--model", "lab/tiny=lab/tiny@by-hand", "--listen", "127.0.0.1:0")
    with subprocess.Popen(
        (sys.executable, "-m", "assay.signing.commands", *words, *named),
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as program:
        assert program.stdout is not None
        found = re.fullmatch(r"answers   (\S+)/v1\n", program.stdout.readline())
        assert found is not None
        yield replace(desk, live=replace(desk.live, url=found[1]))
        program.terminate()


@pytest.mark.usefixtures("generating")
@pytest.mark.parametrize(
    ("call", "text"),
    [
        ('client.completions.create(prompt="def ", **ask)', "text"),
        ("client.chat.completions.create(messages=hello, **ask)", "message.content"),
    ],
)
def test_a_text_verifies_as_the_gateways_word(before: Desk, call: str, text: str) -> None:
    said = before.says(
        f"answer = {call}\nsaid = [answer.choices[0].{text}, answer.model_extra['assay']]"
    )
    assert said[0] == TEXT
    done = before.verify(said[1])
    assert done.returncode == 0, done.stdout + done.stderr
    assert said[1]["claim"] == Claim.CALLER_ASSERTED
    signed = Output.objects.get(claim=Claim.CALLER_ASSERTED)
    assert (signed.caller, signed.text) == (before.lab.people.alice.namespace, "")
    changed = before.verify({**said[1], "text": TEXT.replace("hello", "hallo")})
    assert changed.returncode == 21


@pytest.mark.usefixtures("generating")
def test_a_stream_verifies_by_what_its_end_carries(before: Desk) -> None:
    said = before.says(
        "chunks = list(client.chat.completions.create(messages=hello, stream=True, **ask))\n"
        "text = ''.join(chunk.choices[0].delta.content or '' for chunk in chunks)\n"
        "said = [text, chunks[-1].model_extra['assay']]"
    )
    assert said[0] == TEXT == said[1]["text"]
    assert said[1]["claim"] == Claim.CALLER_ASSERTED
    done = before.verify(said[1])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("generating")
@needs("clients")
def test_sigstore_verifies_what_the_answer_carries(before: Desk, live: Live) -> None:
    said = before.says(
        'answer = client.completions.create(prompt="def ", **ask)\n'
        "said = [answer.choices[0].text, answer.model_extra['assay']]"
    )
    assert said[0] == TEXT
    bundle = Evidence.parse(said[1]["evidence"]).bundles[Part.OUTPUT]
    signer = identity_of(bundle.chain.leaf)
    (before.folder / "bundle.json").write_text(json.dumps(bundle.to_sigstore_json()))
    root = httpx.get(f"{live.url}/.well-known/assay/trusted_root.json", timeout=60)
    (before.folder / "root.json").write_bytes(root.content)
    files = ("root.json", signer.name, signer.issuer, "bundle.json", "bundle.json")
    done = subprocess.run(
        [PYTHON, SCRIPT, *files],
        cwd=before.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=test_openai.SECONDS,
    )
    assert done.stdout == "verified\n", done.stderr


def test_what_is_not_signed_goes_through(before: Desk) -> None:
    said = before.says(
        "listed = [each.id for each in client.models.list()]\n"
        "def refused(**more):\n"
        "    try:\n"
        "        client.completions.create(**{**ask, **more})\n"
        "    except openai.APIStatusError as error:\n"
        "        return [type(error).__name__, error.status_code, error.param, error.code]\n"
        'said = [listed, refused(prompt="def ", stop=["."]), refused(prompt="", model="none")]'
    )
    assert said == [
        ["lab/tiny"],
        ["BadRequestError", 400, "stop", "invalid-parameter"],
        ["UnprocessableEntityError", 422, None, "model-unknown"],
    ]
    assert json.loads(json.dumps(said)) == said
    assert not Output.objects.exists()
