"""The bench runs and its references still compute the product's own result; how fast it is, no test says."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.timeout(600)  # on a busy machine
def test_the_bench_agrees_with_its_hand_written_references(tmp_path, django_db_setup):
    found = tmp_path / "rows.json"
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/postgres"
    done = subprocess.run(
        [sys.executable, "-m", "cmms.bench", "--small", "--only=kpi,preventive", f"--json={found}"],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
    )
    assert found.exists(), done.stderr
    rows = {row["name"]: row for row in json.loads(found.read_text())["rows"]}
    differing = {name: row["product"] for name, row in rows.items() if "differ" in name}
    assert len(differing) == 8
    assert set(differing.values()) == {0}
    assert rows["the same rows as the reference, table by table"]["ok"]
    assert rows["figures that tell of a change, before and after the run"]["ok"]
    flat = [row["ok"] for name, row in rows.items() if ": queries at" in name]
    assert flat == [True] * 4
    groups = rows["30 days of 10 lines and their sites: lines that differ"]["detail"]
    assert int(groups.split()[0]) > 0, "no line was stopped by its group, so nothing was compared"
    assert rows["memory of a worker that computes, at its peak"]["product"] > 50
