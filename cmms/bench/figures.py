"""Figures as people and programs ask for them: the Performance page, `kpis/`, an explanation, and a change until it shows."""

from datetime import datetime, timedelta

from django.conf import settings
from django.test import Client
from django.urls import reverse

from assets.models import Asset, Downtime
from cmms.bench import load
from cmms.bench.measure import Report, quantiles, queries, seconds
from cmms.bench.web import load as under_load
from cmms.bench.web import port_of
from core.models import Site
from kpis import computing
from people.models import User

KPIS = "/api/v1/kpis/"
JUDGED = 10_000  # assets; of a larger plant these times are stated
PAGE = "page performance"
FOLLOWS = "page performance, what follows"  # trends and what is below, which the page fetches by itself
MOST_MS = {PAGE: 150, FOLLOWS: 150, "kpis/": 150, "explanation": 300}
AS_PART = {"HX-Request": "true"}
ASIDE = 10  # queries that compute parts of a day from records, and are left out where nothing happened on it
SAMPLES = 3
ON_DEMAND = 2  # s
BY_SCHEDULE = 60  # s


def addresses(size: load.Size, now: datetime) -> dict[str, str]:
    """A site with its month, and one MTBF of a line with all its machines and all their stops."""
    site = Site.objects.order_by("pk").first()
    line = Asset.objects.filter(site=site, parent=None).order_by("pk").first()
    today = site.production_day(now)
    month = f"from={today - timedelta(days=30)}&to={today}"
    return {
        PAGE: f"{reverse('performance')}?window=30d",
        FOLLOWS: f"{reverse('performance')}?window=30d&part=more",
        "kpis/": f"{KPIS}?site={site.code}&{month}",
        "explanation": f"{KPIS}explanation/?asset={line.pk}&scope=subtree&definition=mtbf"
        f"&from={today - timedelta(days=size.days)}&to={today}",
    }


def inputs(size: load.Size) -> int:
    """How many stops the explained figure has."""
    line = Asset.objects.filter(site=Site.objects.order_by("pk").first(), parent=None).order_by("pk").first()
    return Downtime.objects.filter(asset__path__startswith=line.path).count()


def planner() -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(username="bench-planner"))
    return client


def snapshot(server: str, *, size: load.Size, now: datetime, length: float) -> dict[str, dict]:
    """p50 and p95 (ms) and queries of each address, for the planner; of several samples that of the quietest."""
    client = planner()
    cookie = {"Cookie": f"tandem_session_{port_of(server)}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}
    found = {}
    for name, path in addresses(size, now).items():
        headers = AS_PART if name == FOLLOWS else {}
        client.get(path, headers=headers)  # the first call fills caches of translations and templates
        asked = queries(lambda path=path, headers=headers: client.get(path, headers=headers))
        under_load(server + path, clients=1, seconds=min(length, 1), headers=cookie | headers)
        samples = [
            quantiles(under_load(server + path, clients=1, seconds=length, headers=cookie | headers)["took"])
            for _ in range(SAMPLES)
        ]
        p50, p95 = min(samples, key=lambda sample: sample[1])
        found[name] = {"p50": p50 * 1000, "p95": p95 * 1000, "queries": asked}
    return found


def compare(report: Report, short: dict[str, dict], long: dict[str, dict], *, size: load.Size) -> None:
    """Each address at half the history and at all of it."""
    for name, at in long.items():
        before, most = short[name], MOST_MS[name]
        judged = size.assets <= JUDGED
        of = f"{inputs(size):,} stops" if name == "explanation" else f"a site of {size.assets // 5:,} assets, 30 days"
        report.add(f"{name}: p95, {of}", product=at["p95"], bar=f"< {most} ms" if judged else None,
                   ok=at["p95"] < most if judged else None, unit="ms",
                   detail=f"p50 {at['p50']:.0f} ms")  # fmt: skip
        report.add(f"{name}: queries at {size.days} beside {size.days // 2} days of history", product=at["queries"],
                   reference=before["queries"], bar=f"within {ASIDE}", unit="queries",
                   ok=abs(at["queries"] - before["queries"]) <= ASIDE)  # fmt: skip
        if name != "explanation":  # that of a whole history grows with it
            report.add(f"{name}: p50 at {size.days} beside {size.days // 2} days of history", product=at["p50"],
                       reference=before["p50"], most=1.3, unit="ms")  # fmt: skip


def compare_busy(report: Report, few: dict[str, dict], many: dict[str, dict], *, orders: int) -> None:
    """Each address of a site that counts and works as well: at half of the orders and at all."""
    for name, at in many.items():
        before = few[name]
        report.add(f"{name}: p95, with orders, labour, costs and counts", product=at["p95"], unit="ms",
                   detail=f"p50 {at['p50']:.0f} ms, {at['queries']} queries")  # fmt: skip
        report.add(f"{name}: p50 at {orders:,} beside {orders // 2:,} orders", product=at["p50"],
                   reference=before["p50"], most=1.3, unit="ms")  # fmt: skip


def change(report: Report, *, now: datetime) -> None:
    """A stop that is entered over the REST API, the run for changed days, and the figure that tells of it."""
    site = Site.objects.order_by("pk").first()
    machine = Asset.objects.filter(site=site, stops_parent=False).exclude(parent=None).order_by("pk").first()
    day = site.production_day(now) - timedelta(days=3)
    begin = site.day_begins(day - timedelta(days=day.weekday()))  # a Monday, on which every line works
    client = planner()
    question = {"asset": machine.pk, "definition": "availability", "from": begin.isoformat(),
                "to": (begin + timedelta(days=2)).isoformat()}  # fmt: skip

    def figure() -> dict:
        (found,) = client.get(KPIS, question).json()
        return found["inputs"]

    def enter() -> None:
        stop = {"asset": machine.pk, "start": (begin + timedelta(hours=1)).isoformat(), "reason": "breakdown",
                "end": (begin + timedelta(hours=47)).isoformat()}  # fmt: skip
        answer = client.post("/api/v1/downtimes/", stop, content_type="application/json")
        if answer.status_code != 201:
            raise RuntimeError(f"The stop was refused: {answer.content!r}")

    told = [figure()]
    entered = seconds(enter)
    at_once = entered + seconds(lambda: told.append(figure()))
    on_demand = entered + seconds(lambda: computing.compute_due(now=now)) + seconds(lambda: told.append(figure()))
    before, read, computed = told
    right = read == computed and computed["unplanned_downtime"] > before["unplanned_downtime"]
    report.add("figures that tell of a change, before and after the run", product=2 * right, bar="both", ok=right,
               unit="figures")  # fmt: skip
    report.add("a change until the figure tells of it", product=at_once, bar=f"< {BY_SCHEDULE} s",
               ok=at_once < BY_SCHEDULE, detail="waits for no run: changed days are computed from the records")  # fmt: skip
    report.add("the same with a run on demand, stored", product=on_demand, bar=f"< {ON_DEMAND} s",
               ok=on_demand < ON_DEMAND)  # fmt: skip
