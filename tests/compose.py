"""The docker compose that examines docker-compose.yml: Docker's plugin, or Debian's package docker-compose."""

import shutil
import subprocess


def find() -> list[str] | None:
    """The command, without arguments."""
    plugin = ["docker", "compose"]
    if shutil.which("docker") and subprocess.run([*plugin, "version"], capture_output=True).returncode == 0:
        return plugin
    return ["docker-compose"] if shutil.which("docker-compose") else None


def is_first(command: list[str]) -> bool:
    """Whether this is compose 1, as in Debian 12, which knows all that the file says but its name."""
    said = subprocess.run([*command, "version", "--short"], capture_output=True, text=True).stdout
    return said.startswith("1.")
