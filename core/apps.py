from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Floor"

    def ready(self) -> None:
        """Every app may hang panels on pages, react to events and say how its rows are searched."""
        autodiscover_modules("panels", "reactions", "lookups")
