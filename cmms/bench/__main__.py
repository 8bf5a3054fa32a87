"""`bin/bench`: loads a plant of the given size into a database of its own, measures, prints one table.

bin/bench [--small | --large] [--only kpi,pages,preventive,web] [--json FILE]
"""

import argparse
import os
import secrets
import shutil
import sys
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from cmms.local import assets
from cmms.local.postgres import Postgres, make_home
from cmms.local.valkey import Valkey

# Durable, with what docker-compose.yml gives to the server.
POSTGRES = {"shared_buffers": "1GB", "max_wal_size": "4GB"}
DATABASE = "tandem_bench"
PARTS = {"kpi", "pages", "preventive", "web"}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measure Tandem beside hand-written references.")
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--downtimes", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=730, help="length of the history")
    parser.add_argument("--seconds", type=float, default=5, help="of load per measurement of the web server")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--small", action="store_true", help="a hundredth of everything, to see that it works")
    extent.add_argument("--large", action="store_true", help="100,000 assets and 10,000,000 stops; takes hours")
    parser.add_argument("--only", default="", help="comma-separated parts: kpi, pages, preventive, web (the API)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows there as well")
    options = parser.parse_args()
    if options.small:
        options.assets, options.downtimes, options.orders, options.days = 100, 10_000, 1_000, 120
        options.seconds = 0.2
    if options.large:
        options.assets, options.downtimes = 100_000, 10_000_000
    return options


@contextmanager
def embedded_servers():
    """PostgreSQL (durable, as in production) and Valkey for this run, unless DATABASE_URL and REDIS_URL name others."""
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="tandem-bench-"))
    folder.chmod(0o711)  # the account that runs PostgreSQL passes through
    (folder / "valkey").mkdir()
    valkey = Valkey(folder / "valkey", secrets.token_hex(16), folder / "valkey.log", durable=False)
    postgres = Postgres(
        make_home(folder / "postgres"), secrets.token_hex(16), folder / "postgres.log", settings=POSTGRES
    )
    postgres.prepare()
    processes = [postgres.process(), valkey.process()]
    try:
        for server, process in zip((postgres, valkey), processes, strict=True):
            process.start()
            server.wait(process)
        postgres.ensure_database()
        os.environ |= {"DATABASE_URL": postgres.url(), "REDIS_URL": valkey.url}
        yield
    finally:
        for process in reversed(processes):
            process.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def own_folders():
    """Collected static files and attachments stay apart from those of a running copy."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        os.environ |= {"STATIC_ROOT": f"{folder}/static", "MEDIA_ROOT": f"{folder}/media"}
        yield


@contextmanager
def own_database():
    """An empty database beside the configured one, migrated, and dropped at the end."""
    name = settings.DATABASES["default"]["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{DATABASE}"')
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = DATABASE
    os.environ["DATABASE_URL"] = os.environ["DATABASE_URL"].rsplit("/", 1)[0] + f"/{DATABASE}"
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')


def main() -> int:
    options = parsed()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cmms.settings")
    os.environ.setdefault("SECRET_KEY", secrets.token_hex(32))
    with own_folders(), embedded_servers():
        return run(options)


def run(options: argparse.Namespace) -> int:
    django.setup()
    # Models can be imported only now; each part only where it is wanted.
    load, work, measure = (import_module(f"cmms.bench.{name}") for name in ("load", "load_work", "measure"))
    wanted = set(options.only.split(",")) - {""} or PARTS
    part = {name: import_module(f"cmms.bench.{name}") for name in sorted(wanted | {"web"})}
    report = measure.Report()
    now = load.moment()
    size = load.Size(options.assets, options.downtimes, options.orders, options.days)
    tenth = max(1, options.orders // 10)
    assets.stage()
    call_command("collectstatic", interactive=False, verbosity=0)
    with own_database():
        print(f"machine: {measure.machine()}")
        print(f"sizes: {size}")
        print(f"master data loaded in {measure.seconds(lambda: load.load(size, now=now)):.0f} s", flush=True)
        report.head()
        if "kpi" in wanted:
            part["kpi"].measure(report, size=size, now=now, length=options.seconds)
            load.analyze()
        work.load(size, first=1, last=tenth, now=now)
        load.analyze()
        with part["web"].servers() as (product, reference):
            small = part["pages"].snapshot(product, seconds=options.seconds) if "pages" in wanted else {}
            work.load(size, first=tenth + 1, last=options.orders, now=now)
            load.analyze()
            if "pages" in wanted:
                large = part["pages"].snapshot(product, seconds=options.seconds)
                part["pages"].compare(report, small, large, orders=(tenth, options.orders))
            if "web" in wanted:
                part["web"].measure(report, product, reference, seconds=options.seconds)
        if "preventive" in wanted:
            part["preventive"].measure(report, pairs=options.orders, now=now)
    if options.json:
        report.write(options.json)
    failed = [row.name for row in report.rows if not row.ok]
    print(
        f"{len(report.rows) - len(failed)} of {len(report.rows)} bars held"
        + (f"; not: {', '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
