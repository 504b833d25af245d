# SPDX-License-Identifier: Apache-2.0
"""The words of `assay`: what each is for, and the module that is imported once it is asked for."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Mapping
from dataclasses import field
from importlib import import_module
from types import ModuleType
from typing import TypeAlias, cast

from ..values import dataclass
from .terminal import Terminal

_Adds: TypeAlias = Callable[[argparse.ArgumentParser], None]
VERIFYING = {"verified": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word. Its module is named and not imported: `verify` has no need of what speaks HTTP."""

    name: str
    purpose: str
    module: str
    """In this package."""
    arguments: str = "add_arguments"
    """The function that adds its arguments, which takes their parser."""
    does: str = "run"
    """The function that does it, which takes the arguments and `terminals`."""
    terminals: tuple[str, ...] = ("terminal",)
    """Where it prints (`terminal`) and complains (`progress`, `complaints`), by its own names."""
    failed: Mapping[str, bool] = field(default_factory=dict[str, bool])
    """What a program that reads JSON finds beside the error."""
    lists_exit_codes: bool = False
    """In its help."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Give the parser of this word its arguments."""
        cast(_Adds, self._function(self.arguments))(parser)

    def run(self, arguments: argparse.Namespace, out: Terminal, err: Terminal) -> int:
        """Do it; the exit code. Raises AssayError."""
        does = cast(Callable[..., int], self._function(self.does))
        named = {name: out if name == "terminal" else err for name in self.terminals}
        return does(arguments, **named)

    def _function(self, name: str) -> object:
        return getattr(_imported(f"{__package__}.{self.module}"), name)


def _imported(name: str) -> ModuleType:
    """A module and all that it needs, which stays: to look through it for garbage takes a while."""
    if name in sys.modules:
        return sys.modules[name]
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.enable()


WORDS = (
    Word(
        name="trust",
        purpose="decide which registries to trust",
        module="trust",
        arguments="add_parsers",
        failed=VERIFYING,
    ),
    Word(
        name="verify",
        purpose="verify a checkpoint or an output, offline",
        module="verify",
        terminals=("terminal", "progress"),
        failed=VERIFYING,
        lists_exit_codes=True,
    ),
    Word(
        name="download",
        purpose="download a checkpoint, which appears once it is verified",
        module="download",
        terminals=("terminal", "progress"),
        failed=VERIFYING,
        lists_exit_codes=True,
    ),
    Word(
        name="mirror",
        purpose="keep a project as a static folder that verifies without its registry",
        module="mirror",
        terminals=("terminal", "progress"),
        failed=VERIFYING,
        lists_exit_codes=True,
    ),
    Word(
        name="login",
        purpose="keep a token for a registry on this machine",
        module="login",
        does="login",
    ),
    Word(
        name="logout",
        purpose="forget it",
        module="login",
        arguments="add_logout_arguments",
        does="logout",
    ),
    Word(name="whoami", purpose="say whose the token is, and what it may", module="whoami"),
    Word(name="token", purpose="print the token, for programs of others", module="token"),
    Word(name="info", purpose="say what a registry says of a checkpoint", module="info"),
    Word(name="search", purpose="find projects of a registry", module="search"),
    Word(
        name="publish",
        purpose="send files, have them signed, and verify that",
        module="publish",
        terminals=("terminal", "progress"),
        failed={"published": False},
    ),
    Word(
        name="results",
        purpose="say how a checkpoint did, in your name, and verify that",
        module="results",
    ),
    Word(
        name="import",
        purpose="have what torch.save wrote converted and committed",
        module="importing",
        terminals=("terminal", "progress"),
        failed={"imported": False},
    ),
    Word(
        name="witness",
        purpose="cosign the tree heads of ledgers that you watch",
        module="witness",
    ),
    Word(
        name="gateway",
        purpose="have the answers of an OpenAI-compatible server signed",
        module="gateway",
        terminals=("terminal", "complaints"),
    ),
    Word(
        name="sign",
        purpose="have an output signed, or sign a model (OpenSSF Model Signing)",
        module="sign",
    ),
    Word(
        name="oms",
        purpose="what OMS conformance suites call",
        module="oms",
        arguments="add_parsers",
        terminals=(),
    ),
    Word(
        name="conduct",
        purpose="read a code of conduct, accept it, withdraw",
        module="conduct",
        arguments="add_parsers",
    ),
    Word(
        name="monitor",
        purpose="follow a registry's ledger, and find out if it ever lies",
        module="monitor",
        terminals=("terminal", "complaints"),
    ),
    Word(
        name="audit",
        purpose="export a period of what you signed, and check one",
        module="audit",
        arguments="add_parsers",
    ),
    Word(
        name="sigstore",
        purpose="verify a Sigstore bundle, offline",
        module="sigstore",
        arguments="add_parsers",
    ),
)
