"""manage.py alive PART: the health check of a container without a port."""

from django.core.management.base import BaseCommand, CommandError

from cmms import pulse


class Command(BaseCommand):
    help = "Succeeds if the worker (or beat) has lately shown that it is alive."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("part", choices=pulse.PARTS)

    def handle(self, *args, part: str, **options):
        age = pulse.ages()[part]
        if age is None:
            raise CommandError(f"no sign of life from {part} for {pulse.LIFETIME} seconds")
        self.stdout.write(f"{part} was alive {age:.0f} seconds ago")
