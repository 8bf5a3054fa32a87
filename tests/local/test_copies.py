"""bin/run as a person meets it: real processes, killed one by one and all at once."""

import signal
import socket
import subprocess
import sys
import time

import psycopg2
import pytest
import redis

from cmms.local.process import identity, until
from tests.local.copies import PATIENCE, ROOT, Copy, clean_environment, processes_on, wait_until_gone

pytestmark = [pytest.mark.copies, pytest.mark.timeout(600)]


def test_once_all_is_up_healthz_says_so_and_the_address_is_printed_once(copy):
    status, report = copy.health()
    assert status == 200
    del report["seconds_since"]
    assert report == {"status": "ok", **dict.fromkeys(("web", "database", "broker", "worker", "beat"), "up")}
    assert copy.read().count("http://") == 1
    assert f"Tandem is at http://127.0.0.1:{copy.port}" in copy.output


def test_secrets_stay_with_their_owner(copy):
    kept = [*(copy.data / "secrets").iterdir(), copy.data / "env", copy.data / "valkey" / "valkey.conf"]
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in kept} == {file.name: "0o600" for file in kept}
    password = (copy.data / "secrets" / "valkey").read_text()
    assert not [line for line in processes_on(copy.data).values() if password in line]


def test_servers_listen_on_the_loopback_address_and_ask_for_a_password(copy):
    published = copy.published()
    url = published["DATABASE_URL"]
    assert "@127.0.0.1:" in url
    without = url.replace(url.split("://")[1].split("@")[0], "tandem")
    with pytest.raises(psycopg2.OperationalError, match="no password supplied"):
        psycopg2.connect(without)
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(port=int(published["REDIS_URL"].rpartition(":")[2])).ping()


def test_text_sorts_as_in_the_production_shape(copy):
    assert (
        ask(copy, "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding) FROM pg_database")
        == [("b", "C.UTF-8", "UTF8")] * 4
    )


def test_manage_finds_the_servers_by_itself(copy):
    answer = copy.manage("shell", "-v", "0", "-c", "from people.models import User; print(User.objects.count())")
    assert (answer.returncode, answer.stdout.strip()) == (0, "0"), answer.stderr


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_a_killed_process_is_started_again(copy, name):
    old = copy.kill(name)
    copy.wait_for(f"{name} ended unexpectedly (exit -9); starting it again")
    killed = time.monotonic()
    copy.wait_until_healthy()
    assert identity(old) is None
    if name != "web":  # a sign of life of the new one, not the old one's last
        assert until(lambda: copy.health()[1]["seconds_since"][name] < time.monotonic() - killed, PATIENCE)


def test_valkey_killed_without_warning_keeps_what_was_queued(copy):
    client = redis.Redis.from_url(copy.published()["REDIS_URL"] + "/0")
    client.rpush("jobs-of-this-test", *range(100))
    copy.kill("valkey")
    copy.wait_until_healthy()
    assert client.lrange("jobs-of-this-test", 0, -1) == [str(number).encode() for number in range(100)]


def test_postgres_killed_without_warning_keeps_what_was_committed(copy):
    ask(copy, "CREATE TABLE kept_1 AS SELECT generate_series(1, 1000) AS n", fetch=False)
    copy.kill("postgres")
    copy.wait_until_healthy()
    assert ask(copy, "SELECT count(*), sum(n) FROM kept_1") == [(1000, 500500)]


def test_a_second_supervisor_on_the_same_data_is_refused(copy):
    servers = {name: copy.pid(name) for name in ("postgres", "valkey")}
    second = Copy(copy.data).start()
    assert second.ended() == 1
    assert f"Tandem already runs on {copy.data} (process {copy.popen.pid})." in second.output
    assert {name: copy.pid(name) for name in servers} == servers
    copy.wait_until_healthy()  # a part that an earlier test has shaken may still be on its way back
    assert ask(copy, "SELECT 1") == [(1,)]  # the first one's address is still published


def test_a_taken_port_is_named_before_anything_starts(data):
    with socket.create_server(("127.0.0.1", 0)) as other:
        copy = Copy(data)
        copy.port = other.getsockname()[1]
        assert copy.start().ended() == 1
    assert f"Port {copy.port} is taken by another program. Choose another: bin/run --port" in copy.output
    assert not (data / "postgres").exists()
    assert copy.pids() == {}


def test_two_copies_run_side_by_side(copy, open_folder):
    other = Copy(open_folder / "second")
    try:
        other.data.mkdir()
        other.data.chmod(0o711)
        for name in ("static", "static.stamp"):
            link = other.data / name
            link.symlink_to(copy.data / name)
        other.start().ready()
        assert (copy.health()[0], other.health()[0]) == (200, 200)
        ask(other, "CREATE TABLE only_here AS SELECT 1", fetch=False)
        assert ask(copy, "SELECT to_regclass('only_here')") == [(None,)]

        question = ("shell", "-v", "0", "-c", "from django.conf import settings; print(settings.PUBLIC_URL)")
        unclear = copy.manage(*question)
        assert unclear.returncode == 1
        assert "Several copies of Tandem run from this checkout" in unclear.stderr
        answer = copy.manage(*question, TANDEM_RUN=str(other.data))
        assert answer.stdout.strip() == f"http://127.0.0.1:{other.port}", answer.stderr

        other.popen.send_signal(signal.SIGTERM)
        assert other.ended() == 0
        wait_until_gone(other.data)
        assert copy.health()[0] == 200
    finally:
        other.end()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells the children on Linux only")
def test_a_killed_supervisor_leaves_nothing_behind_and_the_next_start_has_all_data(copy):
    ask(copy, "CREATE TABLE kept_2 AS SELECT generate_series(1, 10) AS n", fetch=False)
    copy.popen.kill()
    copy.popen.wait()
    wait_until_gone(copy.data)
    assert copy.manage("check").returncode == 1  # nothing runs, and manage.py is not led to dead servers

    copy.start().ready()
    assert ask(copy, "SELECT count(*) FROM kept_2") == [(10,)]


def test_ctrl_c_in_a_terminal_stops_all_in_order(copy):
    log = copy.data / "log" / "postgres.log"
    seen = log.stat().st_size
    copy.press_ctrl_c()
    assert copy.ended() == 0
    assert copy.output.rstrip().endswith("stopping …")
    assert "Traceback" not in copy.output
    wait_until_gone(copy.data, seconds=1)
    assert copy.pids() == {}
    assert not (copy.data / "env").exists()
    stopped = log.read_text()[seen:]
    assert "database system is shut down" in stopped
    assert "terminating connection due to administrator command" not in stopped  # all clients had left before


def test_bin_run_starts_a_second_time_without_network_in_seconds(kept_copy):
    """Everything that fetches is led to an address where nobody answers."""
    kept_copy.end()
    nowhere = "http://127.0.0.1:9"
    before = kept_copy.command
    kept_copy.command = (str(ROOT / "bin" / "run"),)
    try:
        kept_copy.start(
            HTTP_PROXY=nowhere,
            HTTPS_PROXY=nowhere,
            UV_OFFLINE="1",
            PIP_NO_INDEX="1",
            npm_config_registry=nowhere,
        ).ready()
        assert "fetching" not in kept_copy.output
        assert "installing" not in kept_copy.output
        assert "compressing" not in kept_copy.output
        kept_copy.popen.send_signal(signal.SIGTERM)
        assert kept_copy.ended() == 0
        wait_until_gone(kept_copy.data)
    finally:
        kept_copy.command = before


def ask(copy: Copy, sql: str, *, fetch: bool = True) -> list:
    connection = psycopg2.connect(copy.published()["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if fetch else []
    finally:
        connection.close()


def test_without_servers_manage_says_what_to_do():
    answer = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env=clean_environment(TANDEM_RUN="/nowhere"),
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
