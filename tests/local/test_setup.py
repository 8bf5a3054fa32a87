"""bin/run, bin/test and bin/lock before anything is installed."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from cmms.local import assets
from tests import check
from tests.local.copies import ROOT, clean_environment


def call(*argv: str, cwd: Path = ROOT, **extra: str) -> subprocess.CompletedProcess:
    return subprocess.run(argv, cwd=cwd, env=clean_environment(**extra), capture_output=True, text=True)


@pytest.fixture
def bare_machine(tmp_path) -> Path:
    """A PATH with a shell's basics and no Python."""
    for name in ("sh", "dirname", "readlink", "env"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    return tmp_path


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_help_works_from_any_folder_and_through_a_link(tmp_path):
    (tmp_path / "tandem").symlink_to(ROOT / "bin" / "run")
    for argv in ([str(ROOT / "bin" / "run")], ["./tandem"]):
        answer = call(*argv, "--help", cwd=tmp_path)
        assert answer.returncode == 0, answer.stderr
        assert "usage: bin/run [-h] [--port N] [--data DIR] [--no-demo]" in answer.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["tandem"]


@pytest.mark.parametrize("options", [["--port", "0"], ["--port", "web"], ["--prot", "8000"]])
def test_a_wrong_option_is_refused_before_anything_is_done(options, tmp_path):
    answer = call(str(ROOT / "bin" / "run"), "--data", str(tmp_path / "data"), *options)
    assert answer.returncode == 2
    assert "bin/run: error:" in answer.stderr
    assert not (tmp_path / "data").exists()


def test_an_old_python_is_passed_over_for_a_newer_one(bare_machine):
    program(bare_machine / "python3", "exit 1")
    (bare_machine / "python3.12").symlink_to(sys.executable)
    answer = call(str(ROOT / "bin" / "run"), "--help", PATH=str(bare_machine))
    assert answer.returncode == 0, answer.stderr


def test_without_a_new_enough_python_the_message_says_which(bare_machine):
    program(bare_machine / "python3", "exit 1")
    answer = call(str(ROOT / "bin" / "run"), PATH=str(bare_machine))
    assert answer.returncode == 1
    assert answer.stderr.startswith("Tandem needs Python 3.11 or newer; none was found in PATH")


@pytest.fixture
def setup() -> dict:
    return runpy.run_path(str(ROOT / "bin" / "setup.py"))


def test_uv_and_npm_believe_the_authorities_of_the_machine(setup, tmp_path, monkeypatch):
    (tmp_path / "company.crt").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company.crt"))
    trusting = setup["trusting"]
    assert trusting({})["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "company.crt")
    assert trusting({"NODE_EXTRA_CA_CERTS": "mine"})["NODE_EXTRA_CA_CERTS"] == "mine"
    # Without a variable the file where the system keeps them.
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.crt"))
    monkeypatch.setitem(trusting.__globals__, "CERTIFICATES", [str(tmp_path / "company.crt")])
    assert trusting({})["SSL_CERT_FILE"] == trusting({})["NODE_EXTRA_CA_CERTS"] == str(tmp_path / "company.crt")
    monkeypatch.setitem(trusting.__globals__, "CERTIFICATES", [])
    assert trusting({"HOME": "/"}) == {"HOME": "/"}


def test_ci_runs_bin_test():
    assert (ROOT / ".ci" / "run").read_text() == '#!/bin/sh\nexec "$(dirname -- "$0")/../bin/test"\n'
    for name in ("bin/run", "bin/test", "bin/lock", ".ci/run"):
        assert os.access(ROOT / name, os.X_OK), name


def test_every_requirement_is_pinned_with_hashes_and_names_no_host():
    for name in ("requirements", "requirements-dev", "bin/uv", "bin/node"):
        text = (ROOT / f"{name}.txt").read_text()
        assert "://" not in text
        assert "--index" not in text
        pins = [line for line in text.splitlines() if line and line[0] not in " #"]
        assert pins
        assert all("==" in line and line.endswith("\\") for line in pins), name


def test_every_named_asset_is_staged_and_refers_to_no_source_map():
    assets.stage()
    for _, target in assets.FILES:
        assert b"sourceMappingURL" not in (assets.VENDOR / target).read_bytes(), target


def test_assets_are_copied_only_when_they_change(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "VENDOR", tmp_path)
    assets.stage()
    before = {path: path.stat().st_ctime_ns for path in tmp_path.iterdir()}
    assert len(before) == len(assets.FILES)
    changed = tmp_path / assets.FILES[0][1]
    os.utime(changed, ns=(1, 1))
    before.pop(changed)
    assets.stage()
    assert {path: path.stat().st_ctime_ns for path in before} == before
    assert changed.stat().st_mtime_ns != 1


def test_without_chromium_an_ordinary_user_is_told_what_to_do(monkeypatch):
    monkeypatch.setattr(check.chromium, "find", lambda: None)
    monkeypatch.setattr(check.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="On Debian: apt-get install chromium"):
        check.need_chromium()


def test_without_chromium_root_on_debian_installs_it(monkeypatch, tmp_path):
    program(tmp_path / "apt-get", f'echo "$@" >> {tmp_path}/said; [ "$1" = update ] || touch {tmp_path}/installed')
    monkeypatch.setattr(check.chromium, "find", lambda: "/there" if (tmp_path / "installed").exists() else None)
    monkeypatch.setattr(check.os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert check.need_chromium() == "/there"
    assert (tmp_path / "said").read_text() == "update -q\ninstall -q -y --no-install-recommends chromium\n"


def test_without_docker_compose_root_on_debian_installs_it_and_others_go_on(monkeypatch, tmp_path):
    program(tmp_path / "apt-get", f'echo "$@" >> {tmp_path}/said')
    monkeypatch.setattr(check.compose, "find", lambda: None)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(check.os, "geteuid", lambda: 1000)
    check.want_compose()
    assert not (tmp_path / "said").exists()
    monkeypatch.setattr(check.os, "geteuid", lambda: 0)
    check.want_compose()
    assert (tmp_path / "said").read_text() == "update -q\ninstall -q -y --no-install-recommends docker-compose\n"


@pytest.mark.parametrize(
    ("counts", "returncode", "expected"),
    [
        ('tests="10" failures="0" errors="0" skipped="3"', 0, (7, 0, 3)),
        ('tests="10" failures="2" errors="1" skipped="3"', 1, (4, 3, 3)),
        ('tests="10" failures="0" errors="0" skipped="0"', 2, (9, 1, 0)),  # the run ended badly all the same
    ],
)
def test_the_closing_line_counts_honestly(tmp_path, counts, returncode, expected):
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite {counts}/></testsuites>")
    assert check.tally(report, returncode) == expected


def test_a_run_without_report_is_a_failure(tmp_path):
    assert check.tally(tmp_path / "missing.xml", 0) == (0, 1, 0)


def test_a_failing_linter_is_shown_and_counted(capfd):
    assert check.passes("good", ["true"], {})
    assert not check.passes("bad", ["sh", "-c", "echo $WHY; exit 1"], {"WHY": "wrong indent"})
    said = capfd.readouterr().out
    assert "good: ok" in said
    assert "bad: FAILED" in said
    assert "wrong indent" in said
