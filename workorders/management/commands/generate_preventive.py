"""manage.py generate_preventive: raise the preventive orders that are due, as the worker does every hour."""

from datetime import datetime, time

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date

from core.models import Site
from workorders import generation


class Command(BaseCommand):
    help = "Raise the preventive orders that are due; running it again, or twice at once, doubles nothing."

    def add_arguments(self, parser):
        parser.add_argument("--site", help="code of one site; without it, all sites")
        parser.add_argument(
            "--until", help="also raise what falls due up to this day (YYYY-MM-DD, included), whatever the lead time"
        )

    def handle(self, *, site: str | None, until: str | None, **options):
        sites = Site.objects.filter(code=site) if site else Site.objects.all()
        if site and not sites:
            raise CommandError(f"There is no site {site!r}.")
        day = _day(until) if until else None
        for each in sites:
            end = datetime.combine(day, time.max, each.zone) if day else None
            self.stdout.write(f"{each.code}: {generation.run(each, until=end)}")


def _day(text: str):
    try:
        day = parse_date(text)
    except ValueError:
        day = None
    if day is None:
        raise CommandError(f"{text!r} is not a day such as 2026-05-31.")
    return day
