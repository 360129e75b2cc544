"""`manage.py load FOLDER --into mariadb redis dynamodb`: fills empty stores from a dump."""

import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from missions import load_state, load_tables

TARGETS: dict[str, Callable[[Path], int]] = {
    "mariadb": load_tables.fill,
    "redis": load_state.fill_redis,
    "dynamodb": load_state.fill_dynamodb,
}


class Command(BaseCommand):
    """Loads each store that is named, and says how long that took."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--into", nargs="+", choices=list(TARGETS), required=True)

    def handle(self, *arguments: Any, folder: Path, into: list[str], **options: Any) -> None:
        for target in dict.fromkeys(into):
            begun = time.monotonic()
            users = TARGETS[target](folder)
            took = time.monotonic() - begun
            self.stdout.write(f"{target}: {users} users in {took:.1f} s")
