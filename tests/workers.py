"""Real Celery workers on the test database, with a broker of their own so that no other test's jobs mix in."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from celery import Celery
from django.conf import settings
from django.db import connection

from cmms.celery import app
from cmms.local.process import Process, until
from cmms.local.valkey import Valkey

ROOT = Path(__file__).parent.parent
PASSWORD = "only-for-tests"


class Workshop:
    """Workers that can be started, killed and given jobs; a killed worker's job comes back after `patience` seconds."""

    def __init__(self, folder: Path, patience: int):
        self.folder, self.patience = folder, patience
        self.valkey = Valkey(folder, PASSWORD, folder / "valkey.log", durable=False)
        self.processes: list[Process] = [self.valkey.process()]
        self.processes[0].start()
        self.valkey.wait(self.processes[0])

    def worker(self, *arguments: str) -> Process:
        """A worker that has said that it is ready."""
        number = len(self.processes)
        process = Process(
            f"worker{number}",
            [
                *(
                    sys.executable,
                    "-m",
                    "celery",
                    "--app",
                    "cmms",
                    "worker",
                    "--concurrency",
                    "1",
                    "--loglevel",
                    "INFO",
                ),
                *("--hostname", f"w{number}@%h", "--without-gossip", "--without-mingle", *arguments),
            ],
            log=self.folder / f"worker{number}.log",
            env={
                **os.environ,
                "DATABASE_URL": database_url(),
                "REDIS_URL": self.valkey.url,
                "CELERY_VISIBILITY_TIMEOUT": str(self.patience),
                "MEDIA_ROOT": str(settings.MEDIA_ROOT),
            },
            cwd=ROOT,
        )
        self.processes.append(process)
        process.start()
        ready = until(lambda: " ready." in process.tail(200) or not process.running, 90, wait)
        assert ready, process.tail()
        assert process.running, process.tail()
        return process

    def send(self, task: str, *arguments) -> None:
        producer = Celery("producer", broker=f"{self.valkey.url}/0", set_as_current=False)
        with producer.connection_for_write() as broker:
            app.send_task(task, args=arguments, connection=broker, ignore_result=True)

    @contextmanager
    def takes_what_pages_queue(self) -> Iterator[None]:
        """Meanwhile the jobs that this process queues (the pages of a live server among them) come to these workers."""
        usual = app.conf.broker_url
        self._queue_at(f"{self.valkey.url}/0")
        try:
            yield
        finally:
            app.amqp.producer_pool.force_close_all()
            self._queue_at(usual)

    @staticmethod
    def _queue_at(broker: str) -> None:
        app.conf.broker_url = broker
        del app.amqp  # made anew when needed; it keeps connections to the broker it was made with

    def kill(self, process: Process) -> None:
        """kill -9 the worker and its children, all at once."""
        os.killpg(process.popen.pid, signal.SIGKILL)
        process.popen.wait()

    def close(self) -> None:
        for process in reversed(self.processes):
            process.stop(wait)


@contextmanager
def workshop(folder: Path, *, patience: int = 3600) -> Iterator[Workshop]:
    opened = Workshop(folder, patience)
    try:
        yield opened
    finally:
        opened.close()


def wait(seconds: float) -> None:
    """Let the database count the time, so that other processes get theirs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def database_url() -> str:
    """Where this test's own database is."""
    known = connection.settings_dict
    user, password = quote(known["USER"]), quote(known["PASSWORD"])
    return f"postgresql://{user}:{password}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
