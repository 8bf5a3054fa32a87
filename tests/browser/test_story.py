"""The whole main job, on a phone and on a desk, through the front door: pages and REST API of one server, and a real
Celery worker for the background parts.

Counts, stops and work orders go in; the worker computes the figures and generates preventive orders; a planner
schedules one, a technician closes it; a manager sees a figure change and asks why; a script does the same.
"""

import json
from datetime import datetime
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from django.utils.formats import date_format

from cmms.local.process import until
from cmms.schedule import JOBS
from core.kit.present import duration_text
from core.models import JobRun, Site
from kpis import computing
from kpis.facts import changes
from kpis.facts.clock import Clock
from people import tokens
from tests import plant as world
from tests.browser.conftest import DESK, PHONE
from tests.browser.people import (
    approve,
    do_all_checks,
    figures_of_yesterday,
    follow,
    give_to,
    import_counts,
    my_work,
    plain,
    raise_order,
    record_a_failure,
    why,
)
from tests.browser.yesterday import Yesterday
from tests.workers import Workshop, wait, workshop
from tests.workorders.planned import upcoming
from workorders import generation

pytestmark = [pytest.mark.browser, pytest.mark.worker, pytest.mark.django_db(transaction=True)]

SIZES = pytest.mark.parametrize("size", [PHONE, DESK], ids=["390 px", "1440 px"])
SCHEDULED = {job.task.rpartition(".")[2]: job.task for job in JOBS}
UNITS = {"share": "%", "h": "h"}


class Script:
    """Somebody's program: it knows an address and a token, and nothing more of Tandem."""

    def __init__(self, base: str, token: str):
        self.base = f"{base}/api/v1/"
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def get(self, path: str, **query):
        return self._ask(Request(f"{self.base}{path}?{urlencode(query)}", headers=self.headers))

    def post(self, path: str, **body) -> dict:
        return self._ask(Request(f"{self.base}{path}", json.dumps(body).encode(), headers=self.headers))

    @staticmethod
    def _ask(request: Request):
        with urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def kpis(self, day: Yesterday) -> list[dict]:
        return self.get("kpis/", site="berlin", definition="availability,mtbf,mttr,oee", **day.window)

    def computed_at(self, day: Yesterday) -> datetime:
        return max(datetime.fromisoformat(row["computed_at"]) for row in self.kpis(day))

    def figures(self, day: Yesterday) -> dict[str, str]:
        """The site's figures, written as the page writes them."""
        return {
            name: row["status"] if row["value"] is None else
            f"{row['value'] * (100 if row['unit'] == 'share' else 1):.1f} {UNITS[row['unit']]}"
            for name, row in zip(("Availability", "MTBF", "MTTR", "OEE"), self.kpis(day), strict=True)
        }  # fmt: skip


@pytest.fixture
def plant(settings, tmp_path, transactional_db) -> world.Plant:
    """The shared plant, with work that is due tomorrow and may be generated since a week ago."""
    settings.MEDIA_ROOT = tmp_path / "media"
    made = world.build()
    upcoming(made.berlin, [made.palletiser], lead_days=7)
    return made


@pytest.fixture
def worker(plant, tmp_path):
    """A Celery worker on this test's database, which does what the pages queue as well."""
    with workshop(tmp_path) as shop, shop.takes_what_pages_queue():
        shop.worker()
        yield shop


@pytest.fixture
def script(plant, live_server) -> Script:
    _token, secret = tokens.issue(plant.planner, by=None, scope="write")
    return Script(live_server.url, secret)


@pytest.fixture
def day(plant) -> Yesterday:
    return Yesterday.at(plant.berlin)


@SIZES
@pytest.mark.timeout(600)  # for a machine that may be busy; it takes a tenth of that
def test_what_happens_in_the_plant_becomes_work_and_figures_that_say_why(plant, worker, script, day, visit, size):
    planner, technician, manager = (visit(name, size=size) for name in ("planner", "technician", "manager"))

    assert import_counts(planner, day.counted("M1", "M2", "M3")).startswith("3 rows imported")
    compute_figures(worker, plant.berlin)
    before = figures_of_yesterday(manager)
    stop = record_a_failure(technician, plant.filler, day)
    compute_figures(worker, plant.berlin)
    after = figures_of_yesterday(manager)
    assert before == {"Availability": "100.0 %", "MTBF": "undefined", "MTTR": "undefined", "OEE": "50.0 %"}
    assert after == figures(availability=90, mtbf=day.hours * 2.7, mttr=day.hours * 0.3, oee=50)
    assert script.figures(day) == after
    assert script.computed_at(day) < JobRun.objects.latest("finished").finished

    calculation, stops = why(manager, "Availability")
    lost = plain(duration_text(day.stopped))
    assert calculation == f"{day.hours * 2.7:.2f} h ÷ {day.hours * 3:.2f} h"
    assert stops == [("M1", date_format(day.down, "SHORT_DATETIME_FORMAT"), "Breakdown", lost, lost, stop)]
    assert follow(manager, stop) == (
        f"Stop of M1: Down from yesterday {day.down:%H:%M} to yesterday {day.back:%H:%M}, for {lost}."
    )

    raise_order(technician, plant.filler, "Replace the seal")
    approve(planner, "Replace the seal")
    order = generated_once(worker, script)
    assert my_work(technician) == {"Free to take": ["Lubricate", "Replace the seal"]}
    give_to(planner, "Technician", "Lubricate")
    assert my_work(technician) == {"Today": ["Lubricate"], "Free to take": ["Replace the seal"]}
    do_all_checks(technician, "Lubricate", checks=2)
    assert my_work(technician) == {"Free to take": ["Replace the seal"]}
    done = script.get(f"work-orders/{order['id']}/")
    assert (done["state"], [step["outcome"] for step in done["steps"]]) == ("completed", ["ok", "ok"])
    assert [labour["person"]["code"] for labour in done["labour"]] == ["technician"]


@SIZES
@pytest.mark.timeout(600)
def test_a_script_does_the_same_and_the_pages_show_it(plant, worker, script, day, visit, size):
    manager = visit("manager", size=size)

    for code in ("M1", "M2", "M3"):
        script.post("counts/", asset=code, start=day.window["from"], end=day.window["to"], **day.made)
    compute_figures(worker, plant.berlin)
    before = figures_of_yesterday(manager)
    down, back = day.down.isoformat(), day.back.isoformat()
    stop = script.post("downtimes/", asset="M2", start=down, end=back, reason="breakdown", is_failure=True)
    states = worked_through(script, stop)
    compute_figures(worker, plant.berlin)
    after = figures_of_yesterday(manager)

    assert before == {"Availability": "100.0 %", "MTBF": "undefined", "MTTR": "undefined", "OEE": "50.0 %"}
    assert after == figures(availability=90, mtbf=day.hours * 2.7, mttr=day.hours * 0.3, oee=50)
    assert script.figures(day) == after
    assert states == ["approved", "planned", "scheduled", "in_progress", "in_progress", "completed", "closed"]
    reasons = script.get("kpis/explanation/", site="berlin", definition="availability", **day.window)
    assert reasons["calculation"] == why(manager, "Availability")[0]
    seconds = day.stopped.total_seconds()
    assert [(row["id"], row["asset"], row["seconds"]) for row in reasons["stops"]] == [(stop["id"], "M2", seconds)]


def figures(*, availability: float, mtbf: float, mttr: float, oee: float) -> dict[str, str]:
    shares, times = {"Availability": availability, "OEE": oee}, {"MTBF": mtbf, "MTTR": mttr}
    return {name: f"{value:.1f} %" for name, value in shares.items()} | {
        name: f"{value:.1f} h" for name, value in times.items()
    }


def worked_through(script: Script, stop: dict) -> list[str]:
    """The states of an order for this stop, from raised to closed."""
    order = script.post(
        "work-orders/", asset="M2", summary="Replace the roller", downtime=stop["id"], estimate=1800,
        steps=[{"text": "Lock out"}],
    )  # fmt: skip
    verbs = {
        "plan": {},
        "schedule": {"person": "technician", "start": stop["end"]},
        "start": {"at": stop["start"]},
        f"steps/{order['steps'][0]['id']}/answer": {"outcome": "ok"},
        "completion": {"was_failure": True, "at": stop["end"]},
        "verification": {},
    }
    answers = [script.post(f"work-orders/{order['id']}/{verb}/", **said) for verb, said in verbs.items()]
    return [answer["state"] for answer in (order, *answers)]


# --- The background --------------------------------------------------------------------------------------


def compute_figures(worker: Workshop, site: Site) -> None:
    """What the schedule does every minute, until nothing is left to compute."""
    runs = JobRun.objects.filter(name=computing.JOB, site=site)
    before = runs.count()
    assert changes.due([Clock.of(site)])
    worker.send(SCHEDULED["compute_facts"])
    assert until(lambda: runs.exclude(finished=None).count() > before, 60, wait), worker.processes[-1].tail()
    assert (runs.latest("started").error, changes.due([Clock.of(site)])) == ("", {})


def generated_once(worker: Workshop, script: Script) -> dict:
    """The preventive order that the worker generates, one however often the schedule asks."""
    runs = JobRun.objects.filter(name=generation.JOB).exclude(finished=None)
    for _hour in range(3):
        worker.send(SCHEDULED["generate_preventive"])
    assert until(lambda: runs.count() == 3, 60, wait), worker.processes[-1].tail()
    assert sorted(runs.values_list("fact", flat=True)) == ["1 order generated", *[generation.NOTHING_DUE] * 2]
    [order] = script.get("work-orders/", kind="preventive")["results"]
    assert (order["asset"]["code"], order["summary"], order["state"]) == ("M3", "Lubricate", "approved")
    return order
