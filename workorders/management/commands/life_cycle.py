"""Prints the page about the life cycle of work orders, or writes it."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from workorders.lifecycle_page import page


class Command(BaseCommand):
    help = "Print docs/life-cycle.md as the table of moves says it should be; --write saves it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--write", action="store_true", help="Write docs/life-cycle.md.")

    def handle(self, *args, write: bool, **options) -> None:
        if write:
            (settings.BASE_DIR / "docs" / "life-cycle.md").write_text(page(), encoding="utf-8")
        else:
            self.stdout.write(page(), ending="")
