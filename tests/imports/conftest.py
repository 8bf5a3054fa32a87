"""Files to import, and the world they go into."""

from pathlib import Path

import pytest
from django.core.files import File
from openpyxl import Workbook

from core.imports import runs
from core.imports.kinds import KINDS
from core.imports.mapping import ColumnMap
from core.models import ImportRun, ImportState


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def make_file(tmp_path):
    """Write bytes, text or rows (as XLSX) to a file and answer its path."""

    def make(content, name: str = "table.csv") -> Path:
        path = tmp_path / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        else:
            book = Workbook()
            for row in content:
                book.active.append(row)
            book.save(path)
        return path

    return make


@pytest.fixture
def bring_in(make_file, plant):
    """Import content at Berlin and answer the finished run; `by` is the administrator unless named."""

    def bring(kind: str, content, *, dry_run: bool = False, partial: bool = False, by=None, site=None, **mapping):
        path = make_file(content, "table.csv" if isinstance(content, str | bytes) else "table.xlsx")
        by = by or plant.administrator
        with path.open("rb") as file:
            run = runs.take_in(site=site or plant.berlin, kind=KINDS[kind], file=File(file), name=path.name, by=by)
        wanted = ColumnMap.of(run.mapping | mapping)
        runs.set_mapping(run, wanted, by=by)
        ImportRun.objects.filter(pk=run.pk).update(
            state=ImportState.CHECKING if dry_run else ImportState.RUNNING, partial=partial
        )
        runs.work(run.pk)
        run.refresh_from_db()
        return run

    return bring


def reasons(run) -> list[tuple[int, str, str]]:
    """(line, column, reason) of each rejected value."""
    return [(each["line"], each["column"], each["reason"]) for each in run.report["problems"]]
