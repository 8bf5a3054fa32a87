"""A worker by itself: `python -m cmms.bench.worker NOW` loads what a worker of Celery loads, computes what is due, and
prints its peak memory."""

import json
import os
import subprocess
import sys
from datetime import datetime
from importlib import import_module
from pathlib import Path

import django
from django.db import connection

from cmms.bench.measure import Report, peak_mib, seconds

ROOT = Path(__file__).resolve().parents[2]
MOST_MIB = 350


def at_once(now: datetime, *, processes: int) -> list[dict]:
    """Computes in so many processes: seconds, asset-days written and peak memory (MiB) of each."""
    command = [sys.executable, "-m", "cmms.bench.worker", now.isoformat()]
    begun = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(processes)]
    told = [process.communicate()[0] for process in begun]
    for process in begun:
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
    return [json.loads(each) for each in told]


def measure(report: Report, *, now: datetime) -> None:
    """A worker builds one site's facts of the whole history from nothing, and those of the changed days of another."""
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM kpis_factstate WHERE asset_id IN (
                   SELECT id FROM assets_asset WHERE site_id = (SELECT min(id) FROM core_site));
               UPDATE assets_downtime SET "end" = "end" + interval '1 second'
               WHERE "end" IS NOT NULL AND mod(id, 997) = 0"""
        )
    (found,) = at_once(now, processes=1)
    report.add(
        "memory of a worker that computes, at its peak", product=found["peak"], bar=f"< {MOST_MIB} MiB",
        ok=found["peak"] < MOST_MIB, unit="MiB", detail=f"{found['rows']:,} asset-days in {found['seconds']:.0f} s",
    )  # fmt: skip


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cmms.settings")
    django.setup()
    import_module("cmms.celery").app.loader.import_default_modules()
    computing = import_module("kpis.computing")
    rows: list[int] = []
    took = seconds(lambda: rows.append(computing.compute_due(now=datetime.fromisoformat(sys.argv[1]))))
    print(json.dumps({"seconds": took, "rows": rows[0], "peak": peak_mib()}))


if __name__ == "__main__":
    main()
