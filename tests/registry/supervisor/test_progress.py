# SPDX-License-Identifier: Apache-2.0
"""After READY each checkpoint is shown once, when it is published."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from registry.supervisor import progress as progress_module
from registry.supervisor.progress import Progress
from registry.supervisor.terminal import Terminal

BASE = "/api/v1/projects/commons/gpt/checkpoints"


def checkpoint(step: int, state: str) -> dict[str, object]:
    return {"id": f"sha256:{step:064x}", "name": f"step-{step:06}", "state": state}


class Registry(BaseHTTPRequestHandler):
    """A strict world: the two addresses that are asked for, 404 for any other."""

    checkpoints: ClassVar[list[dict[str, object]]] = []

    def do_GET(self) -> None:
        answers: dict[str, object] = {BASE: {"results": self.checkpoints}}
        for one in self.checkpoints:
            answers[f"{BASE}/{one['name']}"] = {"losses": {"validation": "1.59871"}}
        self.send_response(200 if self.path in answers else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answers.get(self.path)).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Nothing on the test's terminal."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "LOOK_SECONDS", 0.0)


def test_each_is_shown_once_the_oldest_first(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(url, "commons/gpt", Terminal(has_colour=False))
    Registry.checkpoints = [checkpoint(120, "received"), checkpoint(60, "published")]
    progress.look()
    printed = capsys.readouterr().out
    assert "step-000060 published  sha256:000000000000…  loss 1.599" in printed
    assert "step-000120" not in printed
    Registry.checkpoints[0]["state"] = "published"
    progress.look()
    assert capsys.readouterr().out.count("published") == 1


def test_what_was_published_before_this_start_is_no_news(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(url, "commons/gpt", Terminal(has_colour=False))
    Registry.checkpoints = [checkpoint(60, "published")]
    progress.begin()
    Registry.checkpoints = [checkpoint(120, "published"), checkpoint(60, "published")]
    progress.look()
    printed = capsys.readouterr().out
    assert "1 published before this start" in printed
    assert "step-000060" not in printed
    assert "step-000120 published" in printed


def test_a_registry_that_does_not_answer_is_asked_again_later(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = Progress("http://127.0.0.1:9", "commons/gpt", Terminal())
    progress.begin()
    progress.look()
    assert capsys.readouterr().out == ""


def test_it_is_not_asked_all_the_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "LOOK_SECONDS", 60.0)
    progress = Progress(url, "commons/gpt", Terminal())
    Registry.checkpoints = []
    progress.look()
    Registry.checkpoints = [checkpoint(60, "published")]
    progress.look()
    assert progress.known == frozenset()
