"""Compute the facts behind the key figures by hand."""

from datetime import date

from django.core.management.base import BaseCommand, CommandError

from core.models import Site
from kpis import computing


class Command(BaseCommand):
    help = "Computes facts that are missing or changed; with --full, --from or --to computes stored facts again."

    def add_arguments(self, parser):
        parser.add_argument("--site", help="code of one site; all by default")
        parser.add_argument("--from", dest="start", type=date.fromisoformat, help="first production day, YYYY-MM-DD")
        parser.add_argument("--to", dest="end", type=date.fromisoformat, help="last production day, YYYY-MM-DD")
        parser.add_argument("--full", action="store_true", help="all days, changed or not")

    def handle(self, *, site, start, end, full, **options):
        sites = Site.objects.filter(code=site) if site else Site.objects.all()
        if site and not sites.exists():
            raise CommandError(f"There is no site with the code {site}.")
        if start and end and end < start:
            raise CommandError(f"--to {end} lies before --from {start}.")
        if full or start or end:
            written = computing.recompute(sites, start=start, end=end)
        else:
            written = sum(computing.compute_site(each) for each in sites)
        self.stdout.write(f"{written} asset-days computed")
