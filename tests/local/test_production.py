"""The production shape: compose file, image, secrets, backups, and gunicorn with production settings."""

import gc
import http.client
import importlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection

from cmms import env, gunicorn
from cmms.bench.__main__ import POSTGRES as MEASURED
from cmms.local.postgres import LOCALE, PLANNING, binaries
from cmms.local.process import free_port, until
from tests import compose
from tests.local.copies import ROOT

HOST = "tandem.example.com"
pytestmark = pytest.mark.timeout(600)  # static files are compressed and a server is started
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service.get("image") == "tandem"}


def test_the_production_shape_has_every_part():
    assert set(SERVICES) == {"migrate", "web", "worker", "beat", "postgres", "valkey", "backups", "proxy"}
    assert set(OURS) == {"migrate", "web", "worker", "beat"}


def test_the_database_has_the_settings_that_are_tested_and_measured():
    options = (argument.removeprefix("--").split("=", 1) for argument in SERVICES["postgres"]["command"][1:])
    settings = {name: re.sub(r"\$\{\w+:-(\w+)\}", r"\1", value) for name, value in options}
    assert settings == {"timezone": "UTC", **PLANNING, **MEASURED}


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_lasting_service_restarts_and_is_examined(name):
    assert SERVICES[name]["restart"] == "unless-stopped"
    assert SERVICES[name]["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout"} <= set(SERVICES[name]["healthcheck"])


def test_only_the_proxy_is_open_to_the_world():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]


def test_secrets_are_files_and_every_one_is_declared():
    assert all(set(secret) == {"file"} for secret in COMPOSE["secrets"].values())
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            secret = re.search("PASSWORD|SECRET|_URL$|TOKEN", name) and name != "PUBLIC_URL"
            assert not secret or value.startswith("/run/secrets/"), name


def test_every_volume_is_declared_and_used():
    used = {
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == set(COMPOSE["volumes"])


def test_our_services_are_given_only_what_tandem_reads():
    for module in ("cmms.settings", "cmms.celery", "cmms.gunicorn"):
        importlib.import_module(module)
    for service in OURS.values():
        assert {name.removesuffix("_FILE") for name in service["environment"]} <= set(env.READ)


def test_our_services_may_do_little():
    for service in OURS.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_text_sorts_in_production_as_in_the_embedded_server():
    postgres = SERVICES["postgres"]
    assert postgres["image"] == "postgres:18"
    assert {"--locale-provider=builtin", "--builtin-locale=C.UTF-8"} <= set(LOCALE)
    assert {"--locale-provider=builtin", "--builtin-locale=C.UTF-8"} <= set(
        postgres["environment"]["POSTGRES_INITDB_ARGS"].split()
    )


def test_the_image_runs_as_an_ordinary_user_and_installs_by_hash():
    text = (ROOT / "Dockerfile").read_text()
    final = text[text.rindex("\nFROM ") :]
    assert re.findall(r"^USER (.+)$", final, re.MULTILINE) == ["tandem"]
    assert text.count("--require-hashes") == 2
    assert "npm ci --ignore-scripts" in text
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {"secrets", ".run", ".git"} <= set(ignored)
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        for source in sources.split():
            assert (ROOT / source).exists(), source


def test_docker_itself_accepts_the_compose_file(tmp_path):
    command = compose.find()
    if not command:
        pytest.skip("neither `docker compose` nor `docker-compose` is in PATH; on Debian as root bin/test installs it")
    text = (ROOT / "docker-compose.yml").read_text()
    if compose.is_first(command):
        text = text.replace("\nname: tandem\n", "\n")
    (tmp_path / "docker-compose.yml").write_text(text)

    def config(**variables: str) -> subprocess.CompletedProcess:
        argv = [*command, "--file", "docker-compose.yml", "config", "--quiet"]
        return subprocess.run(argv, cwd=tmp_path, env={**os.environ, **variables}, capture_output=True, text=True)

    done = config(PUBLIC_HOST=HOST)
    assert done.returncode == 0, done.stderr
    assert "set PUBLIC_HOST to the name people type" in config(PUBLIC_HOST="").stderr


@pytest.fixture
def secrets(tmp_path) -> Path:
    """The folder that deploy/make-secrets.sh makes."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "make-secrets.sh", tmp_path / "deploy")
    subprocess.run([tmp_path / "deploy" / "make-secrets.sh"], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_every_secret_is_made_once(secrets):
    assert {f"./secrets/{file.name}" for file in secrets.iterdir()} == {
        secret["file"] for secret in COMPOSE["secrets"].values()
    }
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    before = {file: file.read_text() for file in secrets.iterdir()}
    subprocess.run([secrets.parent / "deploy" / "make-secrets.sh"], check=True, capture_output=True)
    assert {file: file.read_text() for file in secrets.iterdir()} == before


def test_the_made_secrets_fit_together(secrets, monkeypatch):
    for name in ("SECRET_KEY", "DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(f"{name}_FILE", str(secrets / name.lower()))
    password = (secrets / "postgres_password").read_text().strip()
    assert len(password) == 48
    assert len(env.text("SECRET_KEY")) == 96
    database = env.postgres("DATABASE_URL")
    assert (database["HOST"], database["USER"], database["PASSWORD"]) == ("postgres", "tandem", password)
    word = (secrets / "valkey_password").read_text().strip()
    assert env.redis("REDIS_URL") == f"redis://:{word}@valkey:6379"
    assert f"requirepass {word}\n" in (secrets / "valkey.conf").read_text()


@pytest.mark.django_db
def test_the_nightly_backup_is_a_dump_that_can_be_read_and_old_ones_go(tmp_path):
    database = connection.settings_dict
    (tmp_path / "password").write_text(database["PASSWORD"])
    backups = tmp_path / "backups"
    backups.mkdir()
    variables = {
        "PATH": f"{binaries()}:{os.environ['PATH']}",
        "PGHOST": database["HOST"],
        "PGPORT": str(database["PORT"]),
        "PGUSER": database["USER"],
        "PGDATABASE": database["NAME"],
        "BACKUPS": str(backups),
        "PASSWORD_FILE": str(tmp_path / "password"),
        "BACKUP_HOUR": "0",
        "BACKUP_KEEP": "2",
    }
    for day in ("20200101", "20200102", "20200103"):
        (backups / f"tandem-{day}T020000Z.dump").touch()
    script = subprocess.Popen(
        ["sh", ROOT / "deploy" / "backup.sh"], env=variables, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        said = script.stdout.readline().decode()
        assert said.startswith(f"dumped {backups}/tandem-2")
        assert until(lambda: len(list(backups.iterdir())) == 2, 30)
    finally:
        os.killpg(script.pid, signal.SIGKILL)
        script.communicate()
    newest, kept = sorted(backups.iterdir(), reverse=True)
    assert kept.name == "tandem-20200103T020000Z.dump"
    listed = subprocess.run([binaries() / "pg_restore", "--list", newest], capture_output=True, text=True)
    assert "TABLE DATA public assets_asset" in listed.stdout


def test_the_health_check_of_a_container_without_a_port_tells_alive_from_dead(own_cache):
    cache.delete("pulse:beat")
    with pytest.raises(CommandError, match="no sign of life from beat for 45 seconds"):
        call_command("alive", "beat")
    cache.set("pulse:beat", 0, 45)
    call_command("alive", "beat")
    cache.delete("pulse:beat")


# --- gunicorn, as the container starts it --------------------------------------------------------


def test_workers_do_not_walk_through_what_start_up_made():
    before = gc.get_freeze_count()
    try:
        gunicorn.when_ready(None)
        assert gc.get_freeze_count() > before + 10_000
    finally:
        gc.unfreeze()


def test_every_page_is_loaded_before_workers_are_forked():
    code = "import sys, cmms.wsgi; print('kpis.views.performance' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


@pytest.fixture(scope="module")
def web(django_db_setup, django_db_blocker, tmp_path_factory):
    """A function that asks a gunicorn with production settings, whose secrets come from files."""
    folder = tmp_path_factory.mktemp("production")
    with django_db_blocker.unblock():
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    kept = {"SECRET_KEY": "k" * 64, "DATABASE_URL": url, "REDIS_URL": os.environ["REDIS_URL"]}
    variables = {name: value for name, value in os.environ.items() if name not in kept}
    for name, value in kept.items():
        (folder / name).write_text(f"{value}\n")
        variables[f"{name}_FILE"] = str(folder / name)
    port = free_port()
    variables |= {
        "PUBLIC_URL": f"https://{HOST}",
        "STATIC_ROOT": str(folder / "static"),
        "MEDIA_ROOT": str(folder / "media"),
        "WEB_BIND": f"127.0.0.1:{port}",
        "WEB_WORKERS": "1",
    }
    manage = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(manage, cwd=ROOT, env=variables, check=True)
    assert SERVICES["web"].get("command") is None
    command = json.loads(re.findall(r"^CMD (.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1])
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-m", *command], cwd=ROOT, env=variables, stdout=log, stderr=log)

    def ask(path: str, *, host: str = HOST, scheme: str = "https") -> http.client.HTTPResponse:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        asked.request("GET", path, headers={"Host": host, "X-Forwarded-Proto": scheme})
        answer = asked.getresponse()
        answer.text = answer.read().decode()
        asked.close()
        return answer

    def up() -> bool:
        assert server.poll() is None, (folder / "log").read_text()
        try:
            return bool(ask("/healthz").status)
        except OSError:
            return False

    assert until(up, 120), (folder / "log").read_text()
    yield ask
    server.terminate()
    server.wait()


def test_a_page_carries_the_security_headers(web):
    answer = web("/login/")
    assert answer.status == 200
    expected = {"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
    assert {name: answer.getheader(name) for name in expected} == expected
    assert answer.getheader("Strict-Transport-Security") == "max-age=31536000; includeSubDomains; preload"
    assert answer.getheader("Cross-Origin-Opener-Policy") == "same-origin"
    policy = answer.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self' 'unsafe-inline'" not in policy


def test_cookies_travel_by_https_only(web):
    cookies = web("/login/").headers.get_all("Set-Cookie")
    assert cookies
    assert all("; Secure" in cookie for cookie in cookies)


def test_plain_http_is_sent_to_https_except_for_the_probe(web):
    answer = web("/login/", scheme="http")
    assert (answer.status, answer.getheader("Location")) == (301, f"https://{HOST}/login/")
    assert json.loads(web("/healthz", scheme="http", host="10.0.0.7").text)["web"] == "up"


def test_a_strange_host_name_is_refused_without_a_stack_trace(web):
    answer = web("/login/", host="evil.example.com")
    assert answer.status == 400
    assert "Traceback" not in answer.text
    assert "DisallowedHost" not in answer.text


def test_static_files_are_hashed_compressed_and_kept_by_the_browser(web):
    page = web("/login/").text
    sheet = re.search(r'href="(/static/[^"]+\.css)"', page)[1]
    assert re.search(r"\.[0-9a-f]{12}\.css$", sheet)
    answer = web(sheet)
    assert answer.status == 200
    assert answer.getheader("Cache-Control") == "max-age=315360000, public, immutable"


def test_a_missing_page_shows_no_stack_trace(web):
    answer = web("/no/such/page/")
    assert answer.status in {302, 404}
    assert "Traceback" not in answer.text


def test_no_statement_of_a_new_connection_is_compiled(transactional_db):
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
