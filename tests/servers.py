"""The pytest plugin that gives a test run its own PostgreSQL and Valkey, before Django reads its settings.

With DATABASE_URL or REDIS_URL set it starts nothing in their place. Workers of pytest-xdist inherit what the first
process started. It is named in pyproject.toml, because a conftest.py would come too late.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from cmms.local.postgres import THROW_AWAY, Postgres, make_home
from cmms.local.process import Process
from cmms.local.valkey import Valkey

PASSWORD = "only-for-tests"
started: list[Process] = []


def start(folder: Path) -> None:
    if not {"REDIS_URL", "REDIS_URL_FILE"} & set(os.environ):
        (folder / "valkey").mkdir()
        valkey = Valkey(folder / "valkey", PASSWORD, folder / "valkey.log", durable=False)
        started.append(valkey.process())
        started[-1].start()
        valkey.wait(started[-1])
        os.environ["REDIS_URL"] = valkey.url
    if not {"DATABASE_URL", "DATABASE_URL_FILE"} & set(os.environ):
        home = make_home(folder / "postgres")
        postgres = Postgres(home, PASSWORD, folder / "postgres.log", settings=THROW_AWAY)
        postgres.prepare()
        started.append(postgres.process())
        started[-1].start()
        postgres.wait(started[-1])
        postgres.ensure_database()
        os.environ["DATABASE_URL"] = postgres.url()


def pytest_configure(config) -> None:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # a live server beside Playwright's own event loop


def stop(folder: Path) -> None:
    while started:
        started.pop().stop()
    shutil.rmtree(folder, ignore_errors=True)


os.environ.setdefault("SECRET_KEY", "for-tests-only-0123456789-0123456789-0123456789-abcdef")
if "PYTEST_XDIST_WORKER" not in os.environ:
    folder = Path(tempfile.mkdtemp(prefix="tandem-tests-"))
    folder.chmod(0o711)  # the account that runs PostgreSQL passes through
    atexit.register(stop, folder)
    start(folder)
