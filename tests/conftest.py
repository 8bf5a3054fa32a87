"""Fixtures that every test may use."""

import pytest

from tests import plant as world
from tests.core import sample

# Few tests that take long each: they begin first, so that none is left to one process at the end.
LONG = ("tests/cmms/test_bench.py", "tests/browser/", "tests/local/", "tests/demo/")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(autouse=True)
def cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def static_files_as_they_lie(settings):
    """No manifest of hashed names is needed to draw a page; `tests/browser/test_static.py` makes a real one."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def plant(db) -> world.Plant:
    return world.build()


@pytest.fixture
def sample_pages(settings, monkeypatch):
    """The pages of `tests.core.sample`, made with the kit alone, at /sample/."""
    settings.ROOT_URLCONF = "tests.core.sample"
    folders = [*settings.TEMPLATES[0]["DIRS"], settings.BASE_DIR / "tests" / "templates"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": folders}]
    monkeypatch.setattr(sample.SampleDetail, "active", True)
    return sample
