from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Floor"

    def ready(self) -> None:
        """Every app may hang panels on pages, react to events say how its rows are searched and imported."""
        autodiscover_modules("panels", "reactions", "lookups", "importers")
