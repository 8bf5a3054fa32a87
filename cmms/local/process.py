"""Starting, watching and stopping processes so that none is left behind.

Each process leads a session of its own: the terminal's Ctrl-C reaches only the supervisor, which then stops them in
order. On Linux the kernel also tells each process when the supervisor itself is killed; elsewhere, and for what is
slow to leave, the next start finds the process by its recorded number and start time.
"""

import contextlib
import ctypes
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Problem(Exception):
    """What keeps Tandem from starting, in words for the person who started it."""


class StopAsked(Exception):
    """Ctrl-C or a termination signal arrived."""


# --- Waiting -------------------------------------------------------------------------------------


class Signals:
    """Turns Ctrl-C, termination and ended children into a wake-up of `pause`, so that none is missed between steps."""

    def __init__(self) -> None:
        self.asked = 0
        self.stopping = False
        self.reader, self.writer = socket.socketpair()
        self.reader.setblocking(False)
        self.writer.setblocking(False)

    def listen(self) -> None:
        signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _ask(self, *_) -> None:
        self.asked += 1

    def pause(self, seconds: float) -> None:
        """Sleep until something happens, at most so long. The first pause after a request to stop raises StopAsked."""
        if not self.asked:
            select.select([self.reader], [], [], seconds)
        elif self.stopping:
            select.select([self.reader], [], [], min(seconds, 0.05))
        with contextlib.suppress(BlockingIOError):
            while self.reader.recv(256):
                pass
        if self.asked and not self.stopping:
            self.stopping = True
            raise StopAsked


def until(condition: Callable[[], bool], seconds: float, pause: Callable[[float], None] = time.sleep) -> bool:
    """Whether the condition came true within so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        pause(0.05)
    return True


# --- Who runs it ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """The unprivileged account for a server that refuses to run as root."""

    name: str
    uid: int
    gid: int

    def may(self, test: str, path: Path) -> bool:
        """Whether the account passes this `test` of sh (-x, -r, -w) on a path."""
        command = ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)]
        done = subprocess.run(command, cwd="/", user=self.uid, group=self.gid, extra_groups=[])
        return done.returncode == 0

    def own(self, *paths: Path) -> None:
        for path in paths:
            os.chown(path, self.uid, self.gid)


def unprivileged_account() -> Account | None:
    """None for an ordinary user, who runs the server himself; nothing is added to the machine's accounts."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise Problem("PostgreSQL does not run as root, and there is no account 'postgres' or 'nobody' to run it.")


# --- Which process -------------------------------------------------------------------------------


def identity(pid: int) -> str | None:
    """What tells a process from a later one with the same number: its start. None if it has ended."""
    if sys.platform == "linux":
        try:
            state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if state == "Z" else f"{this_boot()} {rest[18]}"
    answer = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, started = answer.stdout.strip().partition(" ")
    return None if state.startswith("Z") or not started else started.strip()


def this_boot() -> str:
    """Differs after every start of the machine; Linux only."""
    return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]


def command_line(pid: int) -> str:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    return subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout


# --- The process ---------------------------------------------------------------------------------


@dataclass
class Process:
    """One program under supervision."""

    name: str
    argv: list[str]
    log: Path
    env: dict[str, str] | None = None
    cwd: Path = Path("/")
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    """Seconds between the request to stop and SIGKILL."""
    record: Path | None = None
    """File that tells the next start which process this was."""
    popen: subprocess.Popen | None = field(default=None, repr=False)

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
                preexec_fn=self._follow_parent(os.getpid()) if _libc else None,
                **({"user": self.account.uid, "group": self.account.gid, "extra_groups": []} if self.account else {}),
            )
        if self.record:
            known = {"pid": self.popen.pid, "identity": identity(self.popen.pid), "signal": int(self.stop_signal)}
            self.record.write_text(json.dumps(known))

    def _follow_parent(self, parent: int) -> Callable[[], None]:
        def in_the_child() -> None:
            # After setuid, which would clear it; the parent may have died since the fork.
            _libc.prctl(PR_SET_PDEATHSIG, int(self.stop_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        return in_the_child

    @property
    def running(self) -> bool:
        return self.popen is not None and self.popen.poll() is None

    def ask_to_stop(self) -> None:
        if self.running:
            self.popen.send_signal(self.stop_signal)

    def stop(self, pause: Callable[[float], None] = time.sleep, hurry: Callable[[], bool] = lambda: False) -> None:
        """Ask, wait for `grace` seconds (or until in a hurry), then kill what is left of its session."""
        if self.popen is None:
            return
        self.ask_to_stop()
        until(lambda: not self.running or hurry(), self.grace, pause)
        self.sweep()
        self.popen.wait()
        if self.record:
            self.record.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Kill every process of this session that is still there; the session's leader may have died before."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)

    def tail(self, lines: int = 15) -> str:
        """The end of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def run_step(step: Process, *, seconds: float, pause: Callable[[float], None] = time.sleep) -> None:
    """Run a program that ends by itself. Raises Problem with the end of its log when it fails or takes too long."""
    step.start()
    try:
        in_time = until(lambda: not step.running, seconds, pause)
        if not in_time:
            raise Problem(f"{step.name} did not end within {seconds:.0f} seconds.\n{step.tail()}")
        if step.popen.returncode:
            raise Problem(f"{step.name} failed (exit {step.popen.returncode}); see {step.log}\n{step.tail()}")
    finally:
        step.stop(pause)


def stop_leftovers(records: Path, *, seconds: float = 40, pause: Callable[[float], None] = time.sleep) -> list[str]:
    """End what an earlier, killed supervisor of the same data folder left running. Returns the names."""
    left = {}
    for record in sorted(records.glob("*")):
        known = json.loads(record.read_text() or "{}")
        now = identity(known["pid"]) if known else None
        if now and now == known["identity"]:
            left[record] = known
            with contextlib.suppress(ProcessLookupError):
                os.kill(known["pid"], known["signal"])
            continue
        if known and now is None:
            end_orphans(known, pause)
        record.unlink()
    for record, known in left.items():
        if not until(lambda known=known: identity(known["pid"]) != known["identity"], seconds, pause):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(known["pid"], signal.SIGKILL)
            until(lambda known=known: identity(known["pid"]) != known["identity"], 10, pause)
        record.unlink(missing_ok=True)
    return [record.name for record in left]


def end_orphans(leader: dict, pause: Callable[[float], None]) -> None:
    """Kill what a killed process has left of its session, such as the web server's workers, which hold the port.

    While one of them lives, the leader's number is given to no other process, so that the group is still the leader's.
    """
    if sys.platform != "linux" or not str(leader["identity"]).startswith(this_boot()):
        return

    def gone() -> bool:
        try:
            os.killpg(leader["pid"], signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return True
        return False

    until(gone, 10, pause)


# --- Ports and space -----------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def port_trouble(port: int) -> str | None:
    """Why a server could not listen on this port of the loopback address; None if it could."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except PermissionError:
            return f"Port {port} is reserved for the system's own services."
        except OSError:
            return f"Port {port} is taken by another program."
    return None


def another_port(port: int) -> int:
    """One to propose in its place: the next, unless that is reserved for the system or beyond the last."""
    return port + 1 if 1024 <= port < 65535 else 8001


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
