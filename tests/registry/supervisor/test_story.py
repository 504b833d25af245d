# SPDX-License-Identifier: Apache-2.0
"""`up --once` against a registry that has other things too, and that refuses."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from registry.supervisor import story
from registry.supervisor.preparing import Demo
from registry.supervisor.story import StoryFailed, Teller
from registry.supervisor.terminal import Terminal
from tests.running import free_port

RUN = "6f0e"
LIST = "/api/v1/projects/commons/gpt/checkpoints"
DETAIL = "expected a place in the queue, found 100 waiting"


def checkpoint(name: str, run: str | None, state: str = "published") -> dict[str, object]:
    return {"id": "sha256:00", "name": name, "run": run, "state": state}


class World:
    """What the registry answers, by address; any other address is a failure of the test."""

    answers: ClassVar[dict[str, httpx.Response]] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return self.answers[request.url.path]


@pytest.fixture
def world() -> World:
    World.answers = {}
    return World()


@pytest.fixture
def teller(world: World, tmp_path: Path) -> Iterator[Teller]:
    token = tmp_path / "token"
    token.write_text("secret", encoding="utf-8")
    demo = Demo(
        project="commons/gpt",
        run=RUN,
        node_token=token,
        generation_token=token,
        outputs_token=token,
    )
    transport = httpx.MockTransport(world)
    with httpx.Client(base_url="http://registry.test", transport=transport) as http:
        terminal = Terminal(has_colour=False)
        yield Teller(http=http, demo=demo, folder=tmp_path, terminal=terminal)


def problem(status: int) -> httpx.Response:
    return httpx.Response(status, json={"detail": DETAIL, "code": "generation-queue-full"})


def test_the_checkpoint_is_one_of_the_demonstrations_run(world: World, teller: Teller) -> None:
    listed = [
        checkpoint("by-hand", None),
        checkpoint("other", "77aa"),
        checkpoint("step-2", RUN, "received"),
        checkpoint("step-1", RUN),
    ]
    world.answers[LIST] = httpx.Response(200, json={"results": listed})
    assert story._first_published(teller, lambda: None)["name"] == "step-1"


def test_a_refusal_is_told_in_its_own_words(world: World, teller: Teller) -> None:
    world.answers["/api/v1/outputs"] = problem(429)
    with pytest.raises(StoryFailed) as failure:
        story._generate(teller, checkpoint("step-1", RUN))
    assert str(failure.value) == f"POST /api/v1/outputs was answered 429: {DETAIL}"


def test_what_a_program_complains_of_is_told_too(teller: Teller) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(StoryFailed, match=r"assay download .* ended with 6:\n.*cannot be reached"):
        story._download(teller, checkpoint("step-1", RUN), nobody)


@pytest.mark.parametrize(
    ("body", "said"), [(b"Bad\n", "Bad"), (b"[]", r"\[\]"), (b"", "Bad Gateway")]
)
def test_a_failure_that_is_no_problem_document_is_told(
    world: World, teller: Teller, body: bytes, said: str
) -> None:
    world.answers[LIST] = httpx.Response(502, content=body)
    with pytest.raises(StoryFailed, match=f"^GET {LIST} was answered 502: {said}$"):
        story._first_published(teller, lambda: None)


def test_a_registry_that_does_not_answer_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(StoryFailed, match=f"found ConnectError .*logs are in {tmp_path}"),
        story.failures_in_words(tmp_path),
    ):
        httpx.get(f"http://127.0.0.1:{free_port()}/", trust_env=False)


def test_a_program_that_does_not_end_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(StoryFailed, match="timed out after"),
        story.failures_in_words(tmp_path),
    ):
        subprocess.run(["sleep", "9"], timeout=0.01, check=True)
