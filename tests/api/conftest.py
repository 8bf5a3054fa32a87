"""The REST API is tested with an empty cache, which counts wrong tokens."""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def clean_cache():
    cache.clear()
