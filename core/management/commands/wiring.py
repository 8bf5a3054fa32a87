"""`manage.py wiring`: the two doors that lead up, as a list."""

from django.core.management.base import BaseCommand

from core.events import REACTIONS
from core.kit.lookups import REGISTRY as LOOKUPS
from core.kit.panels import REGISTRY as PANELS


class Command(BaseCommand):
    help = "List the panels on detail pages, the reactions to events, and what the search finds."

    def handle(self, *args, **options) -> None:
        self.stdout.write(self.style.MIGRATE_HEADING("Panels"))
        for model in sorted(PANELS):
            for panel in PANELS[model]:
                self.stdout.write(f"  {model:32} {panel.slug:20} {home(type(panel))}")
        self.stdout.write(self.style.MIGRATE_HEADING("Reactions"))
        for verb in sorted(REACTIONS):
            for reaction in REACTIONS[verb]:
                self.stdout.write(f"  {verb:32} {home(reaction)}")
        self.stdout.write(self.style.MIGRATE_HEADING("Search"))
        for model, lookup in sorted(LOOKUPS.items()):
            self.stdout.write(f"  {model:32} {', '.join(lookup.fields)}")


def home(thing) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"
