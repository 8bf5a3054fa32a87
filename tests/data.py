"""Where the optional reference data lies: a folder `shared/data` beside the project, or TANDEM_DATA_DIR."""

import json
import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent


def reference_file(name: str) -> Path:
    """The path of a reference file. Without the folder the test skips and says why; on CI that is a failure."""
    folder = Path(os.environ.get("TANDEM_DATA_DIR") or PROJECT.parent / "shared" / "data")
    path = folder / name
    if not path.exists():
        message = f"{path} is missing; set TANDEM_DATA_DIR to the folder with the reference data."
        if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
            pytest.fail(message)
        pytest.skip(message)
    return path


def reference_json(name: str):
    return json.loads(reference_file(name).read_text())
