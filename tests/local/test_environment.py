"""The data folder, its secrets, and what manage.py is told."""

import os

import pytest

from cmms.local import environment, process, supervisor
from cmms.local.environment import DataFolder
from cmms.local.process import Problem, Process, Signals
from cmms.local.supervisor import Part, Supervisor


@pytest.fixture
def folder(data) -> DataFolder:
    made = DataFolder(data)
    made.make()
    return made


@pytest.fixture
def running(monkeypatch, tmp_path):
    """A checkout of its own, in which nothing runs, seen by somebody who has set nothing."""
    monkeypatch.setattr(environment, "RUNNING", tmp_path / "running")
    monkeypatch.setattr(environment, "DEFAULT", tmp_path / "default")
    for name in ("DATABASE_URL", "DATABASE_URL_FILE", "TANDEM_RUN"):
        monkeypatch.setenv(name, "")  # so that it is restored
        monkeypatch.delenv(name)
    return tmp_path / "running"


def test_a_secret_is_made_once_and_is_its_owners_alone(folder):
    first = folder.secret("valkey")
    assert len(first) == 64
    assert folder.secret("valkey") == first
    assert folder.secret("postgres") != first
    assert (folder.secrets / "valkey").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match=r"Cannot write in the data folder .*/file/data: Not a directory\."):
        DataFolder(tmp_path / "file" / "data").make()


def test_manage_takes_over_what_a_running_copy_has_published(folder, running, monkeypatch):
    folder.publish({"DATABASE_URL": "postgresql://here", "EXTRA": "1"})
    assert folder.environment_file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("EXTRA", "mine")
    environment.load()
    assert (os.environ["DATABASE_URL"], os.environ["EXTRA"]) == ("postgresql://here", "mine")
    monkeypatch.delenv("DATABASE_URL")


def test_a_database_of_ones_own_wins(folder, running, monkeypatch):
    folder.publish({"DATABASE_URL": "postgresql://here", "REDIS_URL": "redis://here"})
    monkeypatch.setenv("DATABASE_URL", "postgresql://mine")
    before = dict(os.environ)
    environment.load()
    assert dict(os.environ) == before


def test_a_copy_that_has_died_is_not_believed(folder, running):
    folder.publish({"DATABASE_URL": "postgresql://here"})
    folder._notice.write_text(f"{os.getpid()}\nanother start\n{folder.path}\n")
    with pytest.raises(Problem, match="No database: start bin/run"):
        environment.load()
    assert not list(running.iterdir())


def test_only_what_this_process_has_published_is_withdrawn(folder, running):
    folder.publish({"DATABASE_URL": "postgresql://here"})
    folder._notice.rename(running / "1")
    folder.withdraw()
    assert folder.environment_file.exists()


def test_a_short_disk_is_named_before_anything_starts(folder, monkeypatch):
    monkeypatch.setattr(supervisor, "free_bytes", lambda _: 400_000_000)
    waiting = Supervisor(folder, process.free_port(), demo=False, signals=Signals())
    with pytest.raises(Problem, match=r"Disk is short: 0\.4 GB free under .*, 1 GB needed\."):
        waiting.check_machine()


def test_a_process_that_keeps_dying_stops_everything_with_its_last_words(folder, monkeypatch, capsys):
    held = Supervisor(folder, process.free_port(), demo=False, signals=Signals())
    clock = iter(range(1000, 100_000))
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: next(clock))
    dying = Process("worker", ["/bin/sh", "-c", "echo no memory; exit 7"], log=folder.logs / "worker.log")
    held.parts["worker"] = Part(dying)
    dying.start()
    with pytest.raises(Problem, match=r"(?s)worker ended 5 times within a minute, so everything stops.*no memory"):
        while True:
            dying.popen.wait()
            held.revive()
    assert capsys.readouterr().out.count("worker ended unexpectedly (exit 7); starting it again") == 4
