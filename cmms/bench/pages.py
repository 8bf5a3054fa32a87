"""HTML pages: p50 and p95, number of queries, and whether they stay flat while the orders grow tenfold."""

from django.conf import settings
from django.test import Client
from django.urls import reverse

from assets.models import Asset
from cmms.bench.measure import Report, quantiles, queries
from cmms.bench.web import load, port_of
from people.models import User

MOST_MS = 100  # what UX asks of the demo plant


def addresses() -> dict[str, str]:
    """The pages that people open most."""
    machine = Asset.objects.filter(level="machine").order_by("pk").first()
    return {
        "work orders": reverse("work-orders"),
        "asset": reverse("asset", args=[machine.pk]),
        "my work": reverse("my-work"),
        "performance": reverse("performance"),
    }


def snapshot(server: str, *, seconds: float) -> dict[str, dict]:
    """p50 and p95 (ms) and queries of each page, for the planner."""
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username="bench-planner"))
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    cookie = {"Cookie": f"tandem_session_{port_of(server)}={session}"}
    found = {}
    for name, path in addresses().items():
        client.get(path)  # the first call fills caches of translations and templates
        asked = queries(lambda path=path: client.get(path))
        load(server + path, clients=1, seconds=min(seconds, 1), headers=cookie)
        p50, p95 = quantiles(load(server + path, clients=1, seconds=seconds, headers=cookie)["took"])
        found[name] = {"p50": p50 * 1000, "p95": p95 * 1000, "queries": asked}
    return found


def compare(report: Report, small: dict[str, dict], large: dict[str, dict], *, orders: tuple[int, int]) -> None:
    """Each page at a tenth of the orders and at all of them."""
    for name, page in large.items():
        before = small[name]
        report.add(
            f"page {name}: p50 at {orders[1]:,} orders beside {orders[0]:,}", product=page["p50"], reference=before["p50"],
            most=1.5, unit="ms", detail=f"p95 {page['p95']:.0f} ms",
        )  # fmt: skip
        report.add(
            f"page {name}: queries", product=page["queries"], reference=before["queries"], bar="equal",
            ok=page["queries"] == before["queries"], unit="queries",
        )  # fmt: skip
