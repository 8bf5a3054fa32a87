"""What bin/test does once everything is installed: linters, Django's own checks, all tests, one closing line.

With arguments only the tests run, and the arguments go to pytest.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from xml.etree import ElementTree

from cmms.local import assets
from tests import chromium, compose

ROOT = Path(__file__).resolve().parents[1]
PYTHON = [sys.executable, "-m"]
BIN = Path(sys.executable).parent
PRODUCTION = {"PUBLIC_URL": "https://tandem.example.com", "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz" * 2}
# Two at a time, each with a database of its own; a file's tests stay together, and so do its servers. In the order of
# tests/conftest.py: by their number the files with the longest tests would come last.
PARALLEL = ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    assets.stage()
    os.environ["CHROMIUM"] = need_chromium()
    from tests import servers  # noqa: F401, PLC0415 - starts the servers that all steps below use

    if arguments:
        return subprocess.run([*PYTHON, "pytest", *arguments], cwd=ROOT).returncode

    want_compose()
    failed = [name for name, argv, extra in checks() if not passes(name, argv, extra)]
    tests = run_tests()
    print()
    for name in failed:
        print(f"FAILED {name}")
    total = sum(1 for _ in checks())
    passed, wrong, skipped = tests
    print(f"{passed + total - len(failed)} passed, {wrong + len(failed)} failed, {skipped} skipped", flush=True)
    return 1 if failed or wrong or not passed else 0


def need_chromium() -> str:
    if found := chromium.find():
        return found
    install("chromium")
    if found := chromium.find():
        return found
    sys.exit(
        "The browser tests need Chromium, and there is none in PATH.\n"
        "On Debian: apt-get install chromium; elsewhere install it and let CHROMIUM name the program."
    )


def want_compose() -> None:
    """Docker's own opinion on docker-compose.yml; where it cannot be had, its test is skipped and says why."""
    if not compose.find():
        install("docker-compose")


def install(package: str) -> None:
    """On Debian as root, by apt; elsewhere nothing happens."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"  installing {package} by apt …", flush=True)
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    subprocess.run(["apt-get", "update", "-q"], **quiet)
    subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", package], **quiet)


def checks() -> list[tuple[str, list[str], dict[str, str]]]:
    """Name, command, and what it needs in its environment beyond ours."""
    manage = [sys.executable, "manage.py"]
    return [
        ("ruff check", [*PYTHON, "ruff", "check", "."], {}),
        ("ruff format", [*PYTHON, "ruff", "format", "--check", "."], {}),
        ("djlint", [*PYTHON, "djlint", "templates", "--lint", "--quiet"], {}),
        ("import-linter", [str(BIN / "lint-imports")], {}),
        ("mypy", [*PYTHON, "mypy"], {}),
        ("makemigrations --check", [*manage, "makemigrations", "--check", "--dry-run"], {}),
        ("check --deploy", [*manage, "check", "--deploy", "--fail-level", "WARNING"], PRODUCTION),
    ]


def passes(name: str, argv: list[str], extra: dict[str, str]) -> bool:
    begun = time.monotonic()
    done = subprocess.run(
        argv, cwd=ROOT, env={**os.environ, **extra}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    word = "FAILED" if done.returncode else "ok"
    print(f"  {name}: {word} ({time.monotonic() - begun:.1f} s)", flush=True)
    if done.returncode:
        print(done.stdout, flush=True)
    return done.returncode == 0


def run_tests() -> tuple[int, int, int]:
    """Passed, failed, skipped."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        done = subprocess.run([*PYTHON, "pytest", *PARALLEL, "-ra", f"--junitxml={report}"], cwd=ROOT)
        if not report.exists():
            print(f"The test run broke off (exit {done.returncode}) before it could report.", flush=True)
        return tally(report, done.returncode)


def tally(report: Path, returncode: int) -> tuple[int, int, int]:
    """Passed, failed, skipped of a JUnit report; a run that broke off counts as a failure of its own."""
    count = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
    try:
        for suite in ElementTree.parse(report).getroot().iter("testsuite"):
            for name in count:
                count[name] += int(suite.get(name, 0))
    except (OSError, ElementTree.ParseError):
        return 0, 1, 0
    wrong, skipped = count["failures"] + count["errors"], count["skipped"]
    if returncode and not wrong:
        wrong = 1
    return max(0, count["tests"] - wrong - skipped), wrong, skipped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
