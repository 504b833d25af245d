# SPDX-License-Identifier: Apache-2.0
"""`authority ceremony`: what to do, on which machine, in numbered steps; each is run by a test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .ceremony import Names

ROOT = "$PYTHON -m assay.signing.signer.offline"
KEPT = "    --folder root --passphrase-file root.passphrase \\"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where, what for, and the words for a shell."""

    where: str
    title: str
    commands: tuple[str, ...]


HERE, THERE = "here", "root's machine"


def ceremony(names: Names) -> Iterator[str]:
    """The lines for a terminal of 80 columns."""
    yield f"The key ceremony of {names.registry_url}"
    yield ""
    yield "The root's key is made on a machine without a network and never leaves it."
    yield "This registry's own keys never leave this machine. A medium goes to and fro;"
    yield "it carries requests, certificates and a revocation list, and no secret."
    yield ""
    yield "On both machines, in the shell, say where the medium is mounted; and on the"
    yield "root's machine look at its clock, which dates everything that it makes:"
    yield ""
    yield "    export MEDIUM=/media/carried"
    for number, step in enumerate(steps(names), start=1):
        yield ""
        yield f"{number:>2}. [{step.where}] {step.title}"
        yield ""
        yield from (f"    {command}" for command in step.commands)
    yield ""
    yield "For clients that follow the registry by TUF the root's machine signs a root of"
    yield "that too: docs/guides/operator.md has the commands."
    yield ""
    yield "Write the fingerprint that step 6 prints on paper: by it people recognise this"
    yield "registry. Keep the folder `root` and `root.passphrase` on two media, in two"
    yield "places, with copies. Within a quarter, and after each revocation, do this again:"
    for number, step in enumerate(quarterly(), start=len(steps(names)) + 1):
        yield ""
        yield f"{number:>2}. [{step.where}] {step.title}"
        yield ""
        yield from (f"    {command}" for command in step.commands)


def steps(names: Names) -> tuple[Step, ...]:
    """From nothing to an authority."""
    return (
        Step(
            where=HERE,
            title="Put the program for the root's machine on the medium.",
            commands=(
                "./run dist",
                ".venv/bin/pip download -q -d $MEDIUM/wheels dist/assay-*.whl",
            ),
        ),
        Step(
            where=HERE,
            title="Make this registry's keys, and requests for their certificates.",
            commands=("./run authority request --to $MEDIUM/requests",),
        ),
        Step(
            where=THERE,
            title="Install the program, from the medium alone.",
            commands=(
                "python3 -m venv assay && export PYTHON=assay/bin/python",
                "$PYTHON -m pip install -q --no-index -f $MEDIUM/wheels assay",
            ),
        ),
        Step(
            where=THERE,
            title="Make the root, and a passphrase written nowhere else.",
            commands=(
                "(umask 077; openssl rand -base64 36 > root.passphrase)",
                f"{ROOT} new \\",
                KEPT,
                f"    --registry {names.registry_url}",
            ),
        ),
        Step(
            where=THERE,
            title="Answer the requests.",
            commands=(
                f"{ROOT} sign \\",
                KEPT,
                "    --requests $MEDIUM/requests --out $MEDIUM/answers",
            ),
        ),
        Step(
            where=HERE,
            title="Take the answers in: from here on there is an authority.",
            commands=("./run authority init --from $MEDIUM/answers",),
        ),
    )


def quarterly() -> tuple[Step, ...]:
    """A newer list of the root's."""
    return (
        Step(
            where=THERE,
            title="Renew the root's revocation list.",
            commands=(f"{ROOT} renew \\", KEPT, "    --out $MEDIUM/answers"),
        ),
        Step(
            where=HERE,
            title="Show it.",
            commands=("./run authority root-list --crl $MEDIUM/answers/root.crl",),
        ),
    )
