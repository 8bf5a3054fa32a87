"""docs/how-to/api.md does what it says: its commands run, one after the other, against a real server."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from assets.models import Failure
from people.models import User
from production.models import Count
from workorders.models import WorkOrder

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "api.md"


def commands() -> str:
    """The shell blocks of the page, also those inside of lists, in order."""
    blocks = re.findall(r"^( *)```sh\n(.*?)^ *```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    return "\n".join(re.sub(rf"^{indent}", "", block, flags=re.MULTILINE) for indent, block in blocks)


def figures_in(output: str) -> list[dict]:
    """The rows that kpis/ answered: the first list in the output that holds figures."""
    start = output.index('[{"asset"')
    return json.JSONDecoder().raw_decode(output[start:])[0]


def database_url() -> str:
    database = connection.settings_dict
    return "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)


@pytest.mark.django_db(transaction=True)
def test_every_command_of_the_quick_start_works(transactional_db, live_server, tmp_path):
    User.objects.create_superuser("admin", password="correct horse battery")
    script = commands().replace("http://127.0.0.1:8000", live_server.url).replace(".venv/bin/python", sys.executable)
    if not shutil.which("curl"):
        stand_in = tmp_path / "curl"
        stand_in.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).with_name("curl.py")}" "$@"\n')
        stand_in.chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url(), "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert '"unchanged":2' in done.stdout
    assert Count.objects.count() == 2
    # 16 h scheduled, 1 h stopped by the one failure.
    figures = {row["definition"]: row for row in figures_in(done.stdout)}
    found = {name: (figures[name]["value"], figures[name]["unit"]) for name in ("mtbf", "mttr")}
    assert found == {"mtbf": (15.0, "h"), "mttr": (1.0, "h")}
    assert figures["availability"]["value"] == 0.9375
    order, failure = WorkOrder.objects.get(), Failure.objects.get()
    assert (order.state, order.failure, failure.downtime) == ("in_progress", failure, order.downtime)
