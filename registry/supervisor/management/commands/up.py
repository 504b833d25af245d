# SPDX-License-Identifier: Apache-2.0
"""`manage.py up`: starts every process of a registry on this machine and a training run."""

import logging
import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from registry.supervisor import interrupts, registry, story
from registry.supervisor.environment import fill_in
from registry.supervisor.errors import Interrupted
from registry.supervisor.terminal import Terminal


class Command(BaseCommand):
    help = "Starts every process of a registry on this machine and a training run."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--once",
            action="store_true",
            help="train, sign, publish, generate and verify once, then stop",
        )
        parser.add_argument("--verbose", action="store_true", help="show the logs as they grow")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        interrupts.listen()
        logging.getLogger().setLevel(logging.WARNING)  # this terminal is for people
        deployment, terminal = fill_in(os.environ), Terminal()
        try:
            with interrupts.interruptible():
                if options["once"]:
                    story.tell(deployment, terminal)
                else:
                    registry.serve(deployment, terminal, is_verbose=options["verbose"])
        except KeyboardInterrupt:
            raise Interrupted("interrupted before it was ready; everything is stopped") from None
