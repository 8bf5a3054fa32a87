"""The bench runs and its references still compute the product's own result; how fast it is, no test says."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection


@pytest.mark.timeout(300)
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
    assert rows["asset-days that differ from the reference"]["product"] == 0
    assert rows["asset-days that differ after the changes"]["product"] == 0
    assert rows["the same rows as the reference, table by table"]["ok"]
