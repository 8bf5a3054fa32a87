"""Copies of Tandem that tests may kill."""

import tempfile
import uuid
from pathlib import Path

import pytest

from tests.local.copies import Copy


@pytest.fixture(scope="package")
def open_folder():
    """A folder that the account which runs PostgreSQL comes to; pytest's own are closed to it."""
    with tempfile.TemporaryDirectory(prefix="tandem-copies-") as made:
        folder = Path(made)
        folder.chmod(0o711)
        yield folder


@pytest.fixture(scope="package")
def kept_copy(open_folder):
    copy = Copy(open_folder / "first")
    yield copy
    copy.end()


@pytest.fixture
def copy(kept_copy) -> Copy:
    """A running copy; whatever the last test did to it, it is healthy again."""
    if not kept_copy.running:
        kept_copy.start().ready()
    kept_copy.wait_until_healthy()
    return kept_copy


@pytest.fixture
def own_cache(settings):
    """Signs of life that no other test's worker or beat writes; tests that run at the same time share one Valkey."""
    settings.CACHES = {"default": {**settings.CACHES["default"], "KEY_PREFIX": uuid.uuid4().hex}}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"
