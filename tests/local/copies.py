"""Real copies of Tandem for tests: started in a terminal of their own, watched, and ended."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from cmms.local.process import free_port, identity, until

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 150  # seconds; a busy machine takes many times the usual eight
OURS = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "MEDIA_ROOT", "STATIC_ROOT", "TANDEM_RUN"}


def clean_environment(**extra: str) -> dict[str, str]:
    """The environment of somebody who has set nothing for Tandem."""
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in OURS}
    return {**{name: value for name, value in kept.items() if not name.startswith(("PYTEST", "DJANGO"))}, **extra}


class Copy:
    """One `bin/run` on a data folder; what it prints is kept in `output`."""

    def __init__(self, data: Path, *command: str) -> None:
        self.data = data
        self.port = free_port()
        self.command = command or (sys.executable, "-m", "cmms.local", "run")
        self.output = ""
        self.popen: subprocess.Popen | None = None

    def start(self, *options: str, **extra: str) -> "Copy":
        self.output = ""
        self.terminal, inner = pty.openpty()
        arguments = ["--port", str(self.port), "--data", str(self.data), "--no-demo", *options]
        # A session whose controlling terminal is ours, as a person's shell would give it.
        self.popen = subprocess.Popen(
            [sys.executable, "-c", LOG_IN, *self.command, *arguments],
            stdin=inner,
            stdout=inner,
            stderr=inner,
            cwd=ROOT,
            env=clean_environment(**extra),
            start_new_session=True,
        )
        os.close(inner)
        return self

    def read(self) -> str:
        while select.select([self.terminal], [], [], 0)[0]:
            try:
                found = os.read(self.terminal, 65536)
            except OSError:  # how Linux says that the other end has closed
                break
            if not found:
                break
            self.output += found.decode()
        return self.output

    @property
    def running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def wait_for(self, words: str) -> None:
        assert until(lambda: words in self.read() or not self.running, PATIENCE), self.output
        assert words in self.read(), self.output

    def ready(self) -> "Copy":
        self.wait_for("Tandem is at")
        return self

    def press_ctrl_c(self) -> None:
        os.write(self.terminal, b"\x03")

    def ended(self) -> int:
        """The exit code, once it has ended."""
        assert until(lambda: not self.running, PATIENCE), self.read()
        self.read()
        return self.popen.returncode

    def health(self) -> tuple[int, dict]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def wait_until_healthy(self) -> None:
        assert until(lambda: self.health()[0] == 200, PATIENCE), f"{self.health()}\n{self.read()}"

    def pid(self, name: str) -> int:
        return json.loads((self.data / "processes" / name).read_text())["pid"]

    def pids(self) -> dict[str, int]:
        return {record.name: self.pid(record.name) for record in (self.data / "processes").glob("*")}

    def kill(self, name: str) -> int:
        """End a part without warning; returns its number once the supervisor has started another in its place."""
        old = self.pid(name)
        os.kill(old, signal.SIGKILL)
        assert until(lambda: self.part(name) not in (old, None), PATIENCE), self.read()
        return old

    def part(self, name: str) -> int | None:
        try:
            return self.pid(name)
        except (OSError, ValueError):
            return None

    def published(self) -> dict[str, str]:
        lines = (self.data / "env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def manage(self, *arguments: str, **extra: str) -> subprocess.CompletedProcess:
        argv = [sys.executable, str(ROOT / "manage.py"), *arguments]
        return subprocess.run(argv, cwd="/", env=clean_environment(**extra), capture_output=True, text=True)

    def end(self) -> None:
        """Whatever a test has left, without trace."""
        if self.running:
            self.popen.send_signal(signal.SIGTERM)
            if not until(lambda: not self.running, 60):
                self.popen.kill()
        if self.popen:
            self.popen.wait()


# Takes the terminal on its standard input as its controlling terminal, then becomes the program.
LOG_IN = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"


def processes_on(data: Path) -> dict[int, str]:
    """Every live process that names this folder in its command line or its environment; Linux only."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        pid = int(folder.name)
        try:
            line = (folder / "cmdline").read_bytes()
            about = line + (folder / "environ").read_bytes()
        except OSError:
            continue
        if pid != os.getpid() and str(data).encode() in about and identity(pid):
            found[pid] = line.replace(b"\0", b" ").decode()
    return found


def wait_until_gone(data: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while left := processes_on(data):
        assert time.monotonic() < end, left
        select.select([], [], [], 0.1)
