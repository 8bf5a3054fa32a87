"""manage.py demo: load the demo plant into an empty database, or take it out again."""

from django.core.management.base import BaseCommand, CommandError

from cmms.demo.load import demo_logins, load
from cmms.demo.remove import remove as remove_all
from core.errors import Refused


class Command(BaseCommand):
    help = "Loads the demo plant (two sites, two years of history) into a database without real sites."

    def add_arguments(self, parser):
        parser.add_argument("--remove", action="store_true", help="take the demo plant out again")
        parser.add_argument("--logins", action="store_true", help="only print the log-ins")
        parser.add_argument("--no-logins", action="store_true", help="do not print them, as the output is a log")

    def handle(self, *args, remove: bool = False, logins: bool = False, no_logins: bool = False, **options):
        try:
            if remove:
                self.stdout.write(f"removed {remove_all():,} rows")
                return
            if not logins:
                made = load(say=self.stdout.write)
                self.stdout.write(", ".join(f"{number:,} {name}" for name, number in made.items()))
        except Refused as refusal:
            raise CommandError(refusal.message) from None
        for login in [] if no_logins else demo_logins():
            self.stdout.write(f"{login.username:10} {login.password:16} {login.name:18} {login.roles}")
