"""The data folder of bin/run: what is in it, its secrets, and how `manage.py` finds the servers that run on it."""

import fcntl
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cmms.local.process import Problem, identity, until

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = ROOT / ".run"
RUNNING = ROOT / ".tools" / "running"  # one file per copy that runs from this checkout


@dataclass
class DataFolder:
    """`.run/`, or what --data names; everything that one copy of Tandem keeps."""

    path: Path

    def make(self) -> None:
        try:
            if not self.path.is_dir():
                self.path.mkdir(parents=True)
                # Servers that run as another account pass through; only what they own is open to them.
                self.path.chmod(0o711)
            for part in (self.logs, self.records, self.valkey, self.path / "media", self.path / "beat"):
                part.mkdir(exist_ok=True)
            self.secrets.mkdir(mode=0o700, exist_ok=True)
            (self.path / ".writable").touch()
            (self.path / ".writable").unlink()
        except OSError as error:
            raise Problem(f"Cannot write in the data folder {self.path}: {error.strerror}.") from None

    @property
    def logs(self) -> Path:
        return self.path / "log"

    @property
    def records(self) -> Path:
        return self.path / "processes"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def environment_file(self) -> Path:
        return self.path / "env"

    def secret(self, name: str) -> str:
        """Made once, kept with the data, readable by its owner alone."""
        file = self.secrets / name
        if not file.exists():
            half = file.with_suffix(".new")
            half.unlink(missing_ok=True)
            half.touch(mode=0o600)
            half.write_text(secrets.token_urlsafe(48))
            half.rename(file)
        return file.read_text()

    def lock(self, pause) -> None:
        """Held until this process ends, however it ends. Raises Problem while another supervisor has it."""
        self._lock = (self.path / "lock").open("a+")

        def locked() -> bool:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        # A supervisor that has just been killed may take a moment to be gone.
        if not until(locked, 2, pause):
            self._lock.seek(0)
            raise Problem(
                f"Tandem already runs on {self.path} (process {self._lock.read().strip()}).\n"
                "For a second copy name another --data folder and another --port."
            )
        self._lock.truncate(0)
        self._lock.write(str(os.getpid()))
        self._lock.flush()

    # --- What manage.py reads --------------------------------------------------------------------

    def publish(self, environment: dict[str, str]) -> None:
        """Tell `manage.py` of this checkout where the servers are, for as long as this process lives."""
        lines = [f"{name}={value}\n" for name, value in environment.items()]
        half = self.environment_file.with_suffix(".new")
        half.unlink(missing_ok=True)
        half.touch(mode=0o600)
        half.write_text("".join(lines))
        half.rename(self.environment_file)
        RUNNING.mkdir(parents=True, exist_ok=True)
        self._notice.write_text(f"{os.getpid()}\n{identity(os.getpid())}\n{self.path}\n")

    def withdraw(self) -> None:
        """Take back what this process has published; another's stays."""
        if self._notice.exists():
            self.environment_file.unlink(missing_ok=True)
            self._notice.unlink()

    @property
    def _notice(self) -> Path:
        return RUNNING / str(os.getpid())


def running_copies() -> list[Path]:
    """Data folders of the supervisors that run from this checkout now."""
    found = []
    for notice in sorted(RUNNING.glob("*")):
        pid, known, path = notice.read_text().splitlines()
        if identity(int(pid)) == known:
            found.append(Path(path))
        elif os.access(RUNNING, os.W_OK):
            notice.unlink(missing_ok=True)
    return found


def load() -> None:
    """Give `manage.py` the environment of a running bin/run, unless the caller named a database of his own.

    With several copies TANDEM_RUN chooses one; without it the default folder's copy is meant.
    """
    if "DATABASE_URL" in os.environ or "DATABASE_URL_FILE" in os.environ:
        return
    copies = running_copies()
    wanted = Path(os.environ.get("TANDEM_RUN", DEFAULT)).resolve()
    if wanted in copies:
        chosen = wanted
    elif "TANDEM_RUN" not in os.environ and len(copies) == 1:
        chosen = copies[0]
    elif copies:
        names = "\n".join(f"  TANDEM_RUN={path}" for path in copies)
        raise Problem(f"Several copies of Tandem run from this checkout; choose one:\n{names}")
    else:
        raise Problem("No database: start bin/run in this checkout, or set DATABASE_URL, REDIS_URL and SECRET_KEY.")
    try:
        lines = DataFolder(chosen).environment_file.read_text().splitlines()
    except OSError as error:
        raise Problem(f"Cannot read {chosen / 'env'}: {error.strerror}.") from None
    for line in lines:
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)
