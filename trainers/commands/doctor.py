# SPDX-License-Identifier: Apache-2.0
"""`assay-train doctor`: what this machine would train with, and whether a pool answers."""

from __future__ import annotations

import argparse
import time

import torch

from assay.signing.client import ClientError, RegistryClient
from assay.signing.digests import as_id

from .. import runtime
from ..config import Recipe
from ..data import Corpus
from ..loop import Training, take_step
from ..recipes import standard
from ..runtime import Machine

STEPS = 3
DATA_BYTES = 1 << 20


def add(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The word and its options."""
    word = words.add_parser(
        "doctor",
        help="look at this machine",
        description="Show what this machine would train with and how fast; ask a pool for a sign.",
    )
    word.add_argument("--url", help="a registry that should answer")
    word.add_argument("--threads", type=int, help="processor threads to use (default: all cores)")
    word.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 if a registry was named and does not answer."""
    machine = runtime.settle(threads=arguments.threads)
    for what, found in {**runtime.software(), **machine.to_json()}.items():
        print(f"{what:12}{found}")
    print(f"{'speed':12}{_bytes_per_second(machine) / 1e3:.1f} kB/s of the standard recipe")
    return 0 if arguments.url is None else _ask(arguments.url)


def _bytes_per_second(machine: Machine) -> float:
    recipe = Recipe.parse(standard())
    noise = torch.randint(256, (DATA_BYTES,), dtype=torch.uint8)
    corpus = Corpus(training=noise, validation=noise)
    training = Training.begin(recipe, machine)
    take_step(training, corpus)  # the first one also sets things up
    began = time.perf_counter()
    for _ in range(STEPS):
        take_step(training, corpus)
    return STEPS * recipe.bytes_per_step / (time.perf_counter() - began)


def _ask(url: str) -> int:
    try:
        with RegistryClient(url) as client:
            trust = client.trust_root()
    except ClientError as error:
        print(f"{'registry':12}{error}")
        return 1
    print(f"{'registry':12}{url} answers; its trust root is {as_id(trust.fingerprint)}")
    return 0
