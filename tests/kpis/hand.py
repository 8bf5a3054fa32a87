"""Those who write records: somebody at the pages, a program at the API, a file that is imported, plain SQL."""

from django.core.files.base import ContentFile
from django.db import connection
from django.urls import reverse

from core.imports import runs
from core.imports.kinds import KINDS
from core.imports.mapping import ColumnMap
from core.models import ImportRun, ImportState
from tests.contracts.api import client_of
from tests.kpis.scene import Scene


class Hand:
    """Somebody at the pages, a program at the API, and a file to import."""

    def __init__(self, client, it: Scene):
        self.client, self.it = client, it

    def typed(self, moment) -> str:
        return f"{moment.astimezone(self.it.site.zone):%Y-%m-%dT%H:%M}"

    def posts(self, who: str, page: str, *key, **fields) -> None:
        """A form that is accepted: the answer leads on."""
        self.client.force_login(getattr(self.it.plant, who))
        answer = self.client.post(reverse(page, args=key), fields)
        assert answer.status_code == 302, answer.content.decode()[-4000:]

    def sends(self, who: str, method: str, path: str, body=None) -> dict:
        answer = getattr(client_of(getattr(self.it.plant, who)), method)(f"/api/v1/{path}/", body, format="json")
        assert answer.status_code < 300, answer.content
        return answer.json() if answer.content else {}

    def imports(self, kind: str, text: str) -> ImportRun:
        by = self.it.plant.administrator
        file = ContentFile(text.encode(), name="table.csv")
        run = runs.take_in(site=self.it.site, kind=KINDS[kind], file=file, name="table.csv", by=by)
        runs.set_mapping(run, ColumnMap.of(run.mapping), by=by)
        ImportRun.objects.filter(pk=run.pk).update(state=ImportState.RUNNING)
        runs.work(run.pk)
        run.refresh_from_db()
        assert run.state == ImportState.DONE, run.report
        return run

    def takes_back(self, run: ImportRun) -> None:
        runs.undo(run, by=self.it.plant.administrator)

    @staticmethod
    def asks(text: str, *values) -> None:
        with connection.cursor() as cursor:
            cursor.execute(text, values or None)
