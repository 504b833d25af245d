# SPDX-License-Identifier: Apache-2.0
"""`up --once`: the whole story, told by someone who has only HTTP and the `assay` command.

A run publishes a checkpoint; it is downloaded and verified, a text is generated from it and
verified, one character is changed and refused; then everything stops, and all still verifies.
What was not shown is said, whatever the reason.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from . import preparing, programs, registry, scenes
from .environment import Deployment
from .errors import Interrupted
from .interrupts import interruptible
from .places import private_folder
from .scenes import MODEL_SIGNING, StoryFailed, Teller
from .system import System
from .terminal import Terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One line of the story, and what happens in it."""

    title: str
    act: Callable[[Teller], None]
    needs: Path | None = None
    """A program without which it cannot be shown."""


WHILE_IT_RUNS = (
    Scene(title="a checkpoint is trained, signed, logged and published", act=scenes.publish),
    Scene(title="its registry's root is pinned (assay trust add)", act=scenes.pin),
    Scene(title="assay download fetches and verifies it", act=scenes.download),
    Scene(title="a download that was cut off goes on (Range)", act=scenes.resume),
    Scene(title="assay verify accepts the checkpoint", act=scenes.verify_model),
    Scene(
        title="model_signing agrees, and refuses one changed byte",
        act=scenes.ask_model_signing,
        needs=MODEL_SIGNING,
    ),
    Scene(title="a text is generated from it and signed", act=scenes.generate),
    Scene(title="assay verify traces the text to the checkpoint", act=scenes.verify_answer),
    Scene(title="one character changed: exactly one link is red", act=scenes.change_one_character),
    Scene(title="a caller's own text is signed as caller-asserted", act=scenes.sign_own),
    Scene(title="training goes on: loss and samples get better", act=scenes.learn),
)
WHEN_ALL_IS_OFF = Scene(
    title="every process stopped; both verify offline", act=scenes.verify_offline
)
TITLES = (*(scene.title for scene in WHILE_IT_RUNS), WHEN_ALL_IS_OFF.title)


def tell(deployment: Deployment, terminal: Terminal) -> None:
    """Runs the story and stops everything; raises StoryFailed where it goes wrong."""
    folder = deployment.places.data / "story"
    shutil.rmtree(folder, ignore_errors=True)  # what was downloaded the last time it was told
    private_folder(folder)
    shown: list[str] = []
    try:
        with interruptible():
            _tell(deployment, terminal, folder, shown)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted.{not_shown(shown)}") from None
    terminal.say(f"\nDone in {terminal.seconds:.0f} s. What it downloaded is in\n    {folder}")
    if missing := not_shown(shown):
        terminal.say(missing)


def not_shown(shown: list[str]) -> str:
    """The scenes that were not, a line each; nothing if none is missing."""
    missing = [title for title in TITLES if title not in shown]
    return "".join(f"\n    not shown: {title}" for title in missing)


def _tell(deployment: Deployment, terminal: Terminal, folder: Path, shown: list[str]) -> None:
    with registry.locked(deployment):
        with System(terminal) as system:
            demo = registry.start(deployment, system, terminal)
            registry.welcome(deployment, terminal)
            url = programs.local_url(deployment)
            with httpx.Client(base_url=url, timeout=90, trust_env=False) as http:
                teller = Teller(
                    http=http,
                    demo=demo,
                    folder=folder,
                    terminal=terminal,
                    url=url,
                    fingerprint=preparing.fingerprint(),
                    watch=system.watch,
                )
                terminal.say("\nThe story, once:\n")
                with failures_in_words(deployment.places.logs):
                    for scene in WHILE_IT_RUNS:
                        play(scene, teller, shown)
        play(WHEN_ALL_IS_OFF, teller, shown)


def play(scene: Scene, teller: Teller, shown: list[str]) -> None:
    """One scene, if what it needs is there; what is not shown is said."""
    if scene.needs is not None and not scene.needs.exists():
        teller.terminal.warn(
            f"not shown: {scene.title}: it needs {scene.needs}, which `./run up --once` makes "
            "where PyPI can be reached"
        )
        return
    with teller.terminal.step(scene.title):
        scene.act(teller)
    while teller.notes:
        teller.terminal.say(f"      {teller.notes.pop(0)}")
    shown.append(scene.title)


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
