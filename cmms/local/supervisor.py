"""One command that serves Tandem: starts everything in order, watches it, and stops it in order.

PostgreSQL and Valkey first, then migrations and (once) the demo plant, then web, worker and beat. A process that dies
is started again; one that keeps dying stops everything with its last words, because half a plant is worse than a
clear message. The databases stop last, so that running jobs can finish.
"""

import hashlib
import http.client
import json
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import redis

from cmms import env
from cmms.local import assets, environment
from cmms.local.postgres import Postgres, make_home
from cmms.local.process import (
    Problem,
    Process,
    Signals,
    StopAsked,
    another_port,
    free_bytes,
    port_trouble,
    run_step,
    stop_leftovers,
)
from cmms.local.valkey import Valkey

ROOT = environment.ROOT
SPACE_NEEDED = 10**9  # bytes
LOG_LIMIT = 10 * 1024 * 1024  # bytes; a longer log is put aside at the next start
HEALTHY_WITHIN = 180  # seconds
WORKER_OPTIONS = ["--concurrency", "2", "--loglevel", "INFO", "--without-mingle", "--without-gossip"]
DEATHS_ALLOWED = 4  # within DEATHS_WINDOW
DEATHS_WINDOW = 60  # seconds


def serve(options: Namespace) -> int:
    """Serve until asked to stop. Returns the exit code."""
    signals = Signals()
    signals.listen()
    folder = environment.DataFolder(Path(options.data).resolve() if options.data else environment.DEFAULT)
    supervisor = Supervisor(folder, options.port, demo=not options.no_demo, signals=signals)
    try:
        supervisor.start()
        supervisor.watch()
    except StopAsked:
        say("stopping …")
        return 0
    except Problem as problem:
        print(f"\n{problem}", file=sys.stderr, flush=True)
        return 1
    finally:
        signals.stopping = True
        supervisor.stop()
    return 0


def say(text: str) -> None:
    print(f"  {text}", flush=True)


@dataclass
class Part:
    """A process that has to run all the time."""

    process: Process
    ready: Callable[[Process], None] | None = None
    deaths: list[float] = field(default_factory=list)
    restart_at: float | None = None
    started: float = 0.0


class Supervisor:
    def __init__(self, folder: environment.DataFolder, port: int, *, demo: bool, signals: Signals) -> None:
        self.folder = folder
        self.port = port
        self.demo = demo
        self.signals = signals
        self.parts: dict[str, Part] = {}
        self.steps: list[Process] = []
        self.env: dict[str, str] = {}
        self.demo_logins: list[str] = []

    # --- Start -----------------------------------------------------------------------------------

    def start(self) -> None:
        begun = time.monotonic()
        self.folder.make()
        self.folder.lock(self.signals.pause)
        if left := stop_leftovers(self.folder.records, pause=self.signals.pause):
            say(f"ended what an earlier run had left: {', '.join(left)}")
        self.check_machine()
        self.put_long_logs_aside()
        assets.stage()
        self.env = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "PUBLIC_URL": os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{self.port}"),
            "MEDIA_ROOT": os.environ.get("MEDIA_ROOT", str(self.folder.path / "media")),
            "STATIC_ROOT": str(self.folder.path / "static"),
            "BEAT_SCHEDULE_FILE": str(self.folder.path / "beat" / "schedule"),
            "WEB_BIND": f"127.0.0.1:{self.port}",
        }
        if not {"SECRET_KEY", "SECRET_KEY_FILE"} & set(os.environ):
            self.folder.secret("secret_key")
            self.env["SECRET_KEY_FILE"] = str(self.folder.secrets / "secret_key")
        self.start_servers()
        self.folder.publish({name: self.env[name] for name in sorted(self.env) if name in PUBLISHED})
        static = self.collect_static()
        say("migrating the database …")
        run_step(self.manage("migrate", "--no-input"), seconds=1800, pause=self.signals.pause)
        self.load_demo()
        if static:
            static()
        self.start_tandem()
        self.greet(time.monotonic() - begun)

    def check_machine(self) -> None:
        if trouble := port_trouble(self.port):
            raise Problem(f"{trouble} Choose another: bin/run --port {another_port(self.port)}")
        free = free_bytes(self.folder.path)
        if free < SPACE_NEEDED:
            raise Problem(f"Disk is short: {free / 1e9:.1f} GB free under {self.folder.path}, 1 GB needed.")

    def put_long_logs_aside(self) -> None:
        for log in self.folder.logs.glob("*.log"):
            if log.stat().st_size > LOG_LIMIT:
                log.replace(log.with_suffix(".log.1"))

    def start_servers(self) -> None:
        """The embedded servers, each unless its address was given."""
        if given("REDIS_URL"):
            self.check_redis(env.redis("REDIS_URL"))
            valkey = None
        else:
            valkey = Valkey(
                home=self.folder.valkey,
                password=self.folder.secret("valkey"),
                log=self.log("valkey"),
                record=self.folder.records / "valkey",
                pause=self.signals.pause,
            )
            part = self.launch(valkey.process(), valkey.wait)
            self.env["REDIS_URL"] = valkey.url
        if given("DATABASE_URL"):
            self.database_url = env.text("DATABASE_URL")
            self.check_postgres(self.database_url)
        else:
            postgres = Postgres(
                home=make_home(self.folder.postgres),
                password=self.folder.secret("postgres"),
                log=self.log("postgres"),
                record=self.folder.records / "postgres",
                pause=self.signals.pause,
            )
            if not postgres.data.exists():
                say("making the database …")
            postgres.prepare()
            say("starting PostgreSQL and Valkey …" if valkey else "starting PostgreSQL …")
            postgres.wait(self.launch(postgres.process(), postgres.wait).process)
            postgres.ensure_database()
            self.env["DATABASE_URL"] = self.database_url = postgres.url()
        if valkey:
            valkey.wait(part.process)

    def check_redis(self, url: str) -> None:
        try:
            redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5).ping()
        except redis.exceptions.RedisError as error:
            raise Problem(f"REDIS_URL: {error}") from None

    def check_postgres(self, url: str) -> None:
        try:
            psycopg2.connect(url, connect_timeout=5).close()
        except psycopg2.Error as error:
            raise Problem(f"DATABASE_URL: {str(error).strip()}") from None

    def collect_static(self) -> Callable[[], None] | None:
        """Begin to gather and compress the static files if any changed; the answer waits for the end."""
        stamp = self.folder.path / "static.stamp"
        print_now = static_fingerprint()
        if stamp.is_file() and stamp.read_text() == print_now:
            return None
        step = self.manage("collectstatic", "--no-input", "--clear", "--verbosity", "0")
        stamp.unlink(missing_ok=True)
        step.start()
        self.steps.append(step)

        def finish() -> None:
            say("compressing the static files …")
            while step.running:
                self.signals.pause(0.1)
            if step.popen.returncode:
                raise Problem(f"collectstatic failed; see {step.log}\n{step.tail()}")
            stamp.write_text(print_now)

        return finish

    def load_demo(self) -> None:
        """On the first start on this folder, and into an empty database only; its log-ins are kept for the greeting."""
        logins = self.folder.path / "demo-logins"
        if self.demo and not logins.exists() and not self.ask("SELECT EXISTS (SELECT 1 FROM people_user)"):
            say("loading the demo plant, two years of it …")
            run_step(self.manage("demo", "--no-logins"), seconds=1800, pause=self.signals.pause)
            logins.with_suffix(".new").unlink(missing_ok=True)
            step = self.manage("demo", "--logins")
            step.log = logins.with_suffix(".new")
            run_step(step, seconds=120, pause=self.signals.pause)
            step.log.rename(logins)
        if logins.exists() and self.ask("SELECT EXISTS (SELECT 1 FROM core_site WHERE demo)"):
            self.demo_logins = logins.read_text().splitlines()

    def ask(self, question: str) -> object:
        """One value from the database."""
        connection = psycopg2.connect(self.database_url, connect_timeout=5)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(question)
            return cursor.fetchone()[0]

    def start_tandem(self) -> None:
        say("starting web, worker and beat …")
        python = [sys.executable, "-m"]
        celery = [*python, "celery", "--app", "cmms"]
        self.launch(self.child("web", [*python, "gunicorn", "--config", "python:cmms.gunicorn"], grace=15))
        self.launch(
            self.child("worker", [*celery, "worker", *WORKER_OPTIONS], grace=30),
        )
        self.launch(self.child("beat", [*celery, "beat", "--loglevel", "INFO"]))
        end = time.monotonic() + HEALTHY_WITHIN
        while waiting := self.not_up_yet():
            self.revive()
            if time.monotonic() > end:
                ends = "\n\n".join(f"{name}:\n{self.parts[name].process.tail()}" for name in waiting)
                raise Problem(f"Not up after {HEALTHY_WITHIN} seconds: {', '.join(waiting)}.\n\n{ends}")
            self.signals.pause(0.25)

    def not_up_yet(self) -> list[str]:
        """Names of web, worker and beat where they have given no sign of life since they were started."""
        web = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)  # past any proxy of the environment
        try:
            web.request("GET", "/healthz")
            report = json.load(web.getresponse())
        except (OSError, http.client.HTTPException, ValueError):
            return ["web"]
        finally:
            web.close()
        now = time.monotonic()
        waiting = []
        for name in ("worker", "beat"):
            age = report["seconds_since"][name]
            if age is None or age > now - self.parts[name].started:
                waiting.append(name)
        return waiting

    def greet(self, seconds: float) -> None:
        say(f"ready after {seconds:.0f} seconds; logs are in {self.folder.logs}")
        print(f"\n  Tandem is at {self.env['PUBLIC_URL']}\n", flush=True)
        if self.demo_logins:
            print("  Demo log-ins: user name, password, name, role\n")
            print("\n".join(f"    {line}" for line in self.demo_logins), end="\n\n", flush=True)

    # --- Pieces ----------------------------------------------------------------------------------

    def log(self, name: str) -> Path:
        return self.folder.logs / f"{name}.log"

    def child(self, name: str, argv: list[str], *, grace: float = 10) -> Process:
        record = self.folder.records / name
        return Process(name, argv, log=self.log(name), env=self.env, cwd=ROOT, grace=grace, record=record)

    def manage(self, command: str, *arguments: str) -> Process:
        return self.child(command, [sys.executable, str(ROOT / "manage.py"), command, *arguments])

    def launch(self, process: Process, ready: Callable[[Process], None] | None = None) -> Part:
        part = self.parts[process.name] = Part(process, ready, started=time.monotonic())
        process.start()
        return part

    # --- Watch -----------------------------------------------------------------------------------

    def watch(self) -> None:
        while True:
            self.revive()
            self.signals.pause(1.0)

    def revive(self) -> None:
        """Start again what has died: at once the first time, later with a growing pause, not for ever."""
        for name, part in self.parts.items():
            if part.process.running:
                continue
            now = time.monotonic()
            if part.restart_at is None:
                part.deaths = [moment for moment in part.deaths if now - moment < DEATHS_WINDOW] + [now]
                if len(part.deaths) > DEATHS_ALLOWED:
                    raise Problem(
                        f"{name} ended {len(part.deaths)} times within a minute, so everything stops; "
                        f"see {part.process.log}\n{part.process.tail()}"
                    )
                say(f"{name} ended unexpectedly (exit {part.process.popen.returncode}); starting it again")
                part.process.sweep()
                part.restart_at = now + 2 ** (len(part.deaths) - 1) - 1
            if now >= part.restart_at:
                part.restart_at = None
                part.started = now
                part.process.start()
                if part.ready:
                    part.ready(part.process)

    # --- Stop ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Web and beat, then the worker with its running jobs, then the databases. A second Ctrl-C waits for no job."""
        for step in self.steps:
            step.stop(self.signals.pause)
        for name in ("web", "beat"):
            if name in self.parts:
                self.parts[name].process.ask_to_stop()
        for name in ("web", "beat", "worker"):
            if name in self.parts:
                self.parts[name].process.stop(self.signals.pause, hurry=lambda: self.signals.asked > 1)
        for name in ("valkey", "postgres"):
            if name in self.parts:
                self.parts[name].process.stop(self.signals.pause)
        self.folder.withdraw()


PUBLISHED = {
    *("DATABASE_URL", "DATABASE_URL_FILE", "REDIS_URL", "REDIS_URL_FILE", "SECRET_KEY", "SECRET_KEY_FILE"),
    *("PUBLIC_URL", "MEDIA_ROOT", "STATIC_ROOT", "BEAT_SCHEDULE_FILE"),
}


def given(name: str) -> bool:
    return bool({name, f"{name}_FILE"} & set(os.environ))


def static_fingerprint() -> str:
    """Changes whenever a static file does, of Tandem's own or of an installed package."""
    own = sorted(path for path in (ROOT / "static").rglob("*") if path.is_file())
    facts = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in own]
    facts.append((ROOT / "requirements.txt").read_text())
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()
