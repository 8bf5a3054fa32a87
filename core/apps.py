from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "Floor"

    def ready(self) -> None:
        """Every app may hang panels on pages, react to events say how its rows are searched and imported."""
        autodiscover_modules("panels", "reactions", "lookups", "importers")
        connection_created.connect(uncompiled)


def uncompiled(connection, **_kwargs) -> None:
    """Statements of pages run for milliseconds; where PostgreSQL can compile them, that takes longer than running them.

    As a statement of its own and not as an option of the connection, which poolers refuse.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET jit = off")
