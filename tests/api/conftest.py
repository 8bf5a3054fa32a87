"""The REST API is tested with an empty cache of its own, which counts wrong tokens.

Emptying the one that tests beside these share would throw away their sessions.
"""

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def own_cache(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "api"}}
    cache.clear()
