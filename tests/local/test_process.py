"""Starting, watching and ending single processes."""

import json
import os
import signal
import subprocess
import sys

import pytest

from cmms.local import process
from cmms.local.process import Problem, Process, Signals, StopAsked, identity, run_step, stop_leftovers, until

WAITS = "print('up', flush=True); input()"
IGNORES = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"
HAS_A_CHILD = (
    "import subprocess, sys;"
    "child = subprocess.Popen([sys.executable, '-c', 'import signal; print(1, flush=True); signal.pause()']);"
    "print(child.pid, flush=True);"
    "child.wait()"
)


@pytest.fixture
def python(tmp_path):
    started = []

    def start(code: str, **options) -> Process:
        made = Process("python", [sys.executable, "-c", code], log=tmp_path / "python.log", **options)
        started.append(made)
        return made

    yield start
    for made in started:
        if made.popen:
            made.grace = 0
            made.stop()


def outsider(code: str) -> subprocess.Popen:
    """A process of somebody else's."""
    made = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert made.stdout.readline() == b"up\n"
    return made


def test_a_process_that_ends_when_asked_is_not_killed(python):
    held = python("import signal; print('up', flush=True); signal.pause()")
    held.start()
    assert until(lambda: "up" in held.tail(), 30)
    held.stop()
    assert held.popen.returncode == -signal.SIGTERM


def test_a_process_that_does_not_end_when_asked_is_killed_after_its_grace(python):
    stubborn = python(IGNORES.replace("input()", "signal.pause()"), grace=0.2)
    stubborn.start()
    assert until(lambda: "up" in stubborn.tail(), 30)
    stubborn.stop()
    assert stubborn.popen.returncode == -signal.SIGKILL


def test_the_children_of_a_killed_process_are_swept_away(python):
    parent = python(HAS_A_CHILD)
    parent.start()
    assert until(lambda: len(parent.tail().split()) == 2, 30)
    child = max(map(int, parent.tail().split()))
    parent.popen.kill()
    parent.popen.wait()
    assert identity(child)
    parent.sweep()
    assert until(lambda: identity(child) is None, 30)


def test_a_step_that_fails_shows_the_end_of_its_log(python):
    with pytest.raises(Problem, match=r"(?s)python failed \(exit 3\).*no such table"):
        run_step(python("import sys; print('no such table'); sys.exit(3)"), seconds=60)


def test_a_step_that_takes_too_long_is_ended(python):
    step = python("import signal; signal.pause()")
    with pytest.raises(Problem, match="python did not end within 0 seconds"):
        run_step(step, seconds=0)
    assert not step.running


def test_an_ended_process_has_no_identity():
    other = outsider(WAITS)
    known = identity(other.pid)
    assert known == identity(other.pid)
    other.communicate(b"\n")
    assert identity(other.pid) is None


def test_what_an_earlier_run_left_running_is_ended(tmp_path):
    left = outsider(WAITS)
    record = {"pid": left.pid, "identity": identity(left.pid), "signal": int(signal.SIGTERM)}
    (tmp_path / "worker").write_text(json.dumps(record))
    assert stop_leftovers(tmp_path) == ["worker"]
    assert left.wait() == -signal.SIGTERM
    assert not list(tmp_path.iterdir())
    left.communicate()


def test_what_an_earlier_run_left_running_is_killed_when_it_does_not_end(tmp_path):
    left = subprocess.Popen(
        [sys.executable, "-c", IGNORES], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert left.stdout.readline() == b"up\n"
    record = {"pid": left.pid, "identity": identity(left.pid), "signal": int(signal.SIGTERM)}
    (tmp_path / "web").write_text(json.dumps(record))
    stop_leftovers(tmp_path, seconds=0.2)
    assert left.wait() == -signal.SIGKILL
    left.communicate()


@pytest.mark.skipif(sys.platform != "linux", reason="groups are told apart by the boot, on Linux only")
def test_what_a_killed_process_has_left_of_its_session_is_ended(python, tmp_path):
    records = tmp_path / "records"
    records.mkdir()
    leader = python(HAS_A_CHILD, record=records / "web")
    leader.start()
    assert until(lambda: leader.log.read_text().count("\n") == 2, 30)
    child = max(int(line) for line in leader.log.read_text().split())
    leader.popen.kill()
    leader.popen.wait()
    assert identity(child)
    assert stop_leftovers(records) == []
    assert until(lambda: identity(child) is None, 10)
    assert not list(records.iterdir())


def test_another_process_with_an_old_runs_number_is_left_alone(tmp_path):
    bystander = outsider(WAITS)
    record = {"pid": bystander.pid, "identity": "another start", "signal": int(signal.SIGKILL)}
    (tmp_path / "web").write_text(json.dumps(record))
    assert stop_leftovers(tmp_path) == []
    assert not list(tmp_path.iterdir())
    assert bystander.poll() is None
    bystander.communicate(b"\n")


@pytest.mark.parametrize(("taken", "proposed"), [(8000, 8001), (80, 8001), (65535, 8001)])
def test_the_port_that_is_proposed_can_be_used(taken, proposed):
    assert process.another_port(taken) == proposed


def test_ctrl_c_is_told_once_and_not_again_while_stopping():
    signals = Signals()
    signals._ask()
    with pytest.raises(StopAsked):
        signals.pause(60)
    signals.pause(0.01)
    assert (signals.asked, signals.stopping) == (1, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes accounts")
def test_as_root_servers_run_as_an_account_that_exists():
    account = process.unprivileged_account()
    assert account.name in {"postgres", "nobody"}
    assert account.may("-r", process.Path("/etc/passwd"))
    assert not account.may("-r", process.Path("/etc/shadow"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lacks an account for servers")
def test_as_root_without_any_such_account_the_message_says_so(monkeypatch):
    def missing(name):
        raise KeyError(name)

    monkeypatch.setattr(process.pwd, "getpwnam", missing)
    with pytest.raises(Problem, match="no account 'postgres' or 'nobody'"):
        process.unprivileged_account()
