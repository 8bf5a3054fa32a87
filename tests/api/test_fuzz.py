"""Whatever the schema allows to be sent, the server never breaks: examples made by schemathesis."""

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from cmms import reference
from cmms.wsgi import application
from core.api import problems
from people import tokens

api = schemathesis.openapi.from_dict(reference.schema())
api.app = application


@pytest.fixture
def secret(plant) -> str:
    type(plant.administrator).objects.update(is_superuser=True)
    return tokens.issue(plant.administrator, by=None, scope="write")[1]


@pytest.fixture(autouse=True)
def one_connection():
    """The application runs inside the test's transaction, so its requests may not close the connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(autouse=True)
def no_traces(monkeypatch):
    """An error that nobody foresaw would be answered as a problem; here it must be seen."""

    def raised(exc, context=None):
        raise exc

    monkeypatch.setattr(problems.log, "error", lambda *words, exc_info=None: raised(exc_info))


@api.parametrize()
@settings(
    max_examples=4,
    phases=[Phase.generate],
    database=None,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.timeout(300)
def test_nothing_that_is_sent_breaks_the_server(case, secret):
    cache.clear()
    answer = case.call(headers={"Authorization": f"Bearer {secret}"})
    case.validate_response(answer, checks=[not_a_server_error])
