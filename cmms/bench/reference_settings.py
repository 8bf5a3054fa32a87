"""Settings of the reference server: no middleware at all, only the two views to compare with."""

from cmms.settings import *  # noqa: F403 - a settings module extends another by star

MIDDLEWARE = []
ROOT_URLCONF = "cmms.bench.reference_views"
