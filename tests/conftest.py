"""Fixtures that every test may use."""

import pytest

from tests import plant as world


@pytest.fixture(autouse=True)
def cheap_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def plant(db) -> world.Plant:
    return world.build()
