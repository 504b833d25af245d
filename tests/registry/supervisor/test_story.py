# SPDX-License-Identifier: Apache-2.0
"""`up --once` against a registry that has other things too, and that refuses."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from registry.supervisor import scenes, story
from registry.supervisor.preparing import Demo
from registry.supervisor.scenes import StoryFailed, Teller
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
        yield Teller(
            http=http,
            demo=demo,
            folder=tmp_path,
            terminal=terminal,
            url=f"http://127.0.0.1:{free_port()}",
            fingerprint="sha256:00",
            watch=lambda: None,
            checkpoint=checkpoint("step-1", RUN),
        )


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
    scenes.publish(teller)
    assert teller.checkpoint["name"] == "step-1"


def test_a_refusal_is_told_in_its_own_words(world: World, teller: Teller) -> None:
    world.answers["/api/v1/outputs"] = problem(429)
    with pytest.raises(StoryFailed) as failure:
        scenes.generate(teller)
    assert str(failure.value) == f"POST /api/v1/outputs was answered 429: {DETAIL}"


def test_what_a_program_complains_of_is_told_too(teller: Teller) -> None:
    with pytest.raises(StoryFailed, match=r"assay download .* ended with 6:\n.*cannot be reached"):
        scenes.download(teller)


@pytest.mark.parametrize(
    ("body", "said"), [(b"Bad\n", "Bad"), (b"[]", r"\[\]"), (b"", "Bad Gateway")]
)
def test_a_failure_that_is_no_problem_document_is_told(
    world: World, teller: Teller, body: bytes, said: str
) -> None:
    world.answers[LIST] = httpx.Response(502, content=body)
    with pytest.raises(StoryFailed, match=f"^GET {LIST} was answered 502: {said}$"):
        scenes.publish(teller)


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


def test_the_loss_must_fall(world: World, teller: Teller) -> None:
    listed = [checkpoint("step-2", RUN), checkpoint("step-1", RUN)]
    world.answers[LIST] = httpx.Response(200, json={"results": listed})
    world.answers["/api/v1/outputs"] = httpx.Response(201, json={"text": "zzz"})
    for name, loss in (("step-1", "1.5"), ("step-2", "1.7")):
        answer = {"losses": {"validation": loss}}
        world.answers[f"{LIST}/{name}"] = httpx.Response(200, json=answer)
    with pytest.raises(StoryFailed, match=r"expected the loss to fall .*1\.5.*1\.7"):
        scenes.learn(teller)


def test_a_download_that_does_not_go_on_is_told(world: World, teller: Teller) -> None:
    teller.model.mkdir()
    (teller.model / scenes.WEIGHTS).write_bytes(b"weights")
    path = f"/commons/gpt/step-1/files/{scenes.WEIGHTS}"
    world.answers[path] = httpx.Response(200, content=b"weights")
    with pytest.raises(StoryFailed, match="with Range: bytes=0-2 was answered 200"):
        scenes.resume(teller)
    world.answers[path] = httpx.Response(206, content=b"wei")
    with pytest.raises(StoryFailed, match="are not the file"):
        scenes.resume(teller)


def test_what_the_caller_asserts_must_be_called_so(world: World, teller: Teller) -> None:
    answer = httpx.Response(201, json={"claim": "server-generated"})
    world.answers["/api/v1/outputs/sign"] = answer
    with pytest.raises(StoryFailed, match="expected the claim caller-asserted"):
        scenes.sign_own(teller)


def test_what_cannot_be_shown_is_said(
    teller: Teller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def never(_teller: Teller) -> None:
        pytest.fail("it needs what is not there")

    shown: list[str] = []
    scene = story.Scene(title=story.TITLES[0], act=never, needs=tmp_path / "absent")
    story.play(scene, teller, shown)
    assert f"not shown: {story.TITLES[0]}" in capsys.readouterr().out
    assert shown == []
    assert f"not shown: {story.TITLES[0]}" in story.not_shown(shown)
    assert story.not_shown(list(story.TITLES)) == ""
