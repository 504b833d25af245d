# SPDX-License-Identifier: Apache-2.0
"""`manage.py demo`: make the demonstration, or find it, and say as JSON where its secrets are."""

from __future__ import annotations

import json

from django.core.management.base import BaseCommand

from registry.site import demo


class Command(BaseCommand):
    help = "Makes the demonstration project and its run; a second time finds them."

    def handle(self, *args: object, **options: object) -> None:
        self.stdout.write(json.dumps(demo.prepare().to_json(), indent=2))
