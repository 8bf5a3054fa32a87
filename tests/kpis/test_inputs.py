"""The inputs of a figure as CSV: the file alone, summed as a spreadsheet would, gives the figure."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from assets.models import Downtime, Failure
from core.models import OeeProfile
from kpis import explaining, inputs
from kpis.computing import compute_site
from kpis.definitions import DEFINITIONS
from kpis.figures import SCOPES, periods
from production.models import Count, OperatingCalendar, WeeklySlot
from tests import plant as world
from tests.contracts.api import assert_problem, client_of
from tests.kpis.plants import GRID, STEPS, in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write

HOUR = timedelta(hours=1)
KEYS = (
    "availability", "achieved_availability", "mtbf", "mtbf_by_items", "mttr", "oee", "oee_availability", "performance",
    "quality", "quality_by_pieces", "teep",
)  # fmt: skip


def spreadsheet(text: str) -> dict[str, float | None]:
    """The figures, by nothing but sums over the file."""
    rows = list(csv.DictReader(io.StringIO(text)))

    def total(*kinds: str, column: str = "seconds") -> float:
        return sum(float(row[column] or 0) for row in rows if row["kind"] in kinds)

    def ideal(*columns: str) -> float:
        made = [row for row in rows if row["kind"] == "count"]
        return sum(
            float(row[column]) * float(row["ideal_cycle"]) * float(row["share"]) for row in made for column in columns
        )

    def pieces(*columns: str) -> float:
        made = [row for row in rows if row["kind"] == "count"]
        return sum(float(row[column]) * float(row["share"]) for row in made for column in columns)

    def ratio(one: float, other: float) -> float | None:
        return one / other if other else None

    failures = [row for row in rows if row["kind"] == "failure"]
    restored = [row for row in failures if row["to"]]
    operating, down, planned = total("operating"), total("down"), total("planned stop")
    in_performance = sum(float(row["seconds"]) for row in rows if row["loss_of"] == "performance")
    calendar = operating + down + planned + total("not scheduled", "unknown")
    everything = ("good", "scrap", "rework")
    return {
        "availability": ratio(operating, operating + down),
        "achieved_availability": ratio(operating, operating + down + planned),
        "mtbf": ratio(operating / 3600, len(failures)),
        "mtbf_by_items": ratio(operating / 3600, sum(int(row["items"]) for row in failures)),
        "mttr": ratio(sum(float(row["seconds"]) for row in restored) / 3600, len(restored)),
        "oee": ratio(ideal("good"), operating + down),
        "oee_availability": ratio(operating + in_performance, operating + down),
        "performance": ratio(ideal(*everything), operating + in_performance),
        "quality": ratio(ideal("good"), ideal(*everything)),
        "quality_by_pieces": ratio(pieces("good"), pieces(*everything)),
        "teep": ratio(ideal("good"), calendar),
    }


def text_of(site, asset, definition: str, start, end, scope: str, now) -> str:
    columns, found = explaining.inputs(
        asset, site=site, definition=definition, start=start, end=end, scope=scope, now=now
    )
    return b"".join(inputs.as_csv(site, found, columns)).decode()


@in_database(20)
@given(
    data=st.data(), records=plants(), scope=st.sampled_from(SCOPES), first=st.integers(0, STEPS // 2),
    length=st.integers(1, STEPS), day_start=st.sampled_from([time(0), time(6)]),
    profile=st.sampled_from(OeeProfile.values),
)  # fmt: skip
def test_the_file_alone_gives_every_figure(db, data, records, scope, first, length, day_start, profile):
    with pytest.raises(Undone), transaction.atomic():
        plant = write(records, day_start=day_start, oee_profile=profile)
        compute_site(plant.site, now=records.now)
        start = datetime.fromtimestamp(first_instant(records), UTC) + first * GRID
        end = start + length * GRID
        asset = data.draw(st.sampled_from([None, *plant.assets.values()]))
        subjects = [asset] if asset else None
        (found,) = periods(subjects, site=plant.site, start=start, end=end, scope=scope, now=records.now)
        for key in KEYS:
            figure = found.figure(DEFINITIONS[key])
            if figure.value is not None:
                text = text_of(plant.site, asset, key, start, end, scope, records.now)
                assert spreadsheet(text)[key] == pytest.approx(figure.value, abs=1e-9), (key, text)
        raise Undone


def test_a_failure_event_has_its_items_of_after_the_window_too(plant):
    site, begin = plant.berlin, datetime(2026, 3, 10, 8, tzinfo=UTC)
    line = world.asset(site, "L7", level="line")
    one, other = (world.asset(site, code, parent=line, stops_parent=True) for code in ("L7-A", "L7-B"))
    for asset, first, last in ((one, 0, 4), (other, 2, 3)):
        stop = Downtime.objects.create(asset=asset, start=begin + first * HOUR, end=begin + last * HOUR)
        Failure.objects.create(asset=asset, occurred=stop.start, restored=stop.end, downtime=stop)
    for start, end in ((begin - HOUR, begin + HOUR), (begin - HOUR, begin + 9 * HOUR)):
        (found,) = periods([line], site=site, start=start, end=end, scope="asset", now=begin + 99 * HOUR)
        text = text_of(site, line, "mtbf_by_items", start, end, "asset", begin + 99 * HOUR)
        assert found.answer.all.items == 2
        assert spreadsheet(text)["mtbf_by_items"] == found.figure(DEFINITIONS["mtbf_by_items"]).value


@pytest.mark.parametrize(
    ("stopped", "counted"),
    [
        ((-2, -1), (-2, 2)),  # before the day, in a count that reaches into it
        ((25, 26), (22, 26)),  # after the day, in a count that reaches out of it
    ],
)
def test_a_count_is_split_by_the_stops_of_all_of_it(plant, stopped, counted):
    site, asset = plant.berlin, plant.filler
    site.day_start = time(6)
    site.save()
    begin = site.day_begins(date(2026, 10, 30))
    end, now = begin + 24 * HOUR, begin + 99 * HOUR
    first, last = (begin + hours * HOUR for hours in stopped)
    Downtime.objects.create(asset=asset, start=first, end=last)
    first, last = (begin + hours * HOUR for hours in counted)
    Count.objects.create(asset=asset, start=first, end=last, good=300, ideal_cycle=12)
    compute_site(site, now=now)

    (found,) = periods([asset], site=site, start=begin, end=end, scope="asset", now=now)
    (count,) = [
        row
        for row in csv.DictReader(io.StringIO(text_of(site, asset, "oee", begin, end, "asset", now)))
        if row["kind"] == "count"
    ]

    assert found.answer.all.good == pytest.approx(200)
    assert float(count["good"]) * float(count["share"]) == pytest.approx(200)


def test_time_of_a_silent_machine_is_unknown_and_counts_to_calendar_time(plant):
    site, asset = plant.berlin, plant.filler
    site.count_silence_days = 2
    site.save()
    begin = site.day_begins(date(2026, 3, 9))
    end = begin + 7 * 24 * HOUR
    Count.objects.create(asset=asset, start=begin, end=begin + 24 * HOUR, good=6048, ideal_cycle=10)
    compute_site(site, now=end)

    (found,) = periods([asset], site=site, start=begin, end=end, scope="asset", now=end)
    text = text_of(site, asset, "teep", begin, end, "asset", end)

    kinds = {row["kind"] for row in csv.DictReader(io.StringIO(text))}
    assert kinds == {"operating", "unknown", "count"}
    assert spreadsheet(text)["teep"] == found.figure(DEFINITIONS["teep"]).value == pytest.approx(0.1)  # of 168 h


@pytest.fixture
def shift(plant):
    """Two shifts of the filler with a stop, a lunch, a failure and a count over the end of the window."""
    site, asset = plant.berlin, plant.filler
    monday = site.day_begins(site.production_day(timezone.now()) - timedelta(days=14))
    calendar = OperatingCalendar.objects.create(site=site, name="Shifts", valid_from="2026-01-01")
    WeeklySlot.objects.bulk_create(
        WeeklySlot(calendar=calendar, weekday=day, start=time(6), end=time(22)) for day in range(7)
    )
    reasons = {row.code: row for row in site.downtime_reasons.all()}
    Downtime.objects.create(asset=asset, start=monday + 5 * HOUR, end=monday + 8 * HOUR, reason=reasons["breakdown"])
    Downtime.objects.create(
        asset=asset, start=monday + 12 * HOUR, end=monday + 13 * HOUR, reason=reasons["lunch"], planned=True
    )
    Failure.objects.create(asset=asset, occurred=monday + 5 * HOUR, restored=monday + 8 * HOUR)
    Count.objects.create(
        asset=asset, start=monday + 20 * HOUR, end=monday + 32 * HOUR, good=400, scrap=20, rework=0, ideal_cycle=12
    )
    compute_site(site)
    return plant, monday


def test_the_file_of_a_day_names_states_stops_and_shares(shift, client):
    plant, monday = shift
    client.force_login(plant.manager)
    question = {
        "asset": plant.filler.pk, "definition": "oee", "from": monday.isoformat(),
        "to": (monday + timedelta(days=1)).isoformat(),
    }  # fmt: skip

    answer = client.get("/performance/figure/inputs.csv", question)

    assert answer["Content-Type"].startswith("text/csv")
    assert "oee-m1-" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["kind"], int(row["seconds"]) // 3600, row["reason"]) for row in rows] == [
        ("not scheduled", 6, ""),
        ("down", 2, "breakdown"),
        ("operating", 4, ""),
        ("planned stop", 1, "lunch"),
        ("operating", 9, ""),
        ("not scheduled", 2, ""),
        ("down off schedule", 1, "breakdown"),
        ("failure", 3, ""),
        ("count", 4, ""),
    ]
    assert float(rows[-1]["share"]) == pytest.approx(2 / 4)
    assert rows[0]["from"].endswith(("+01:00", "+02:00"))


def test_the_page_of_the_figure_offers_the_file(shift, client):
    plant, monday = shift
    client.force_login(plant.manager)
    question = (
        f"asset={plant.filler.pk}&definition=mtbf&from={monday:%Y-%m-%d}&to={monday + timedelta(days=3):%Y-%m-%d}"
    )

    page = client.get(f"/performance/figure/?{question}").content.decode()

    assert f'href="/performance/figure/inputs.csv?{question.replace("&", "&amp;")}"' in page


# --- The same over the REST API ---------------------------------------------------------------------


def asked_by_program(plant, monday, **question):
    days = {"from": f"{monday:%Y-%m-%d}", "to": f"{monday + timedelta(days=1):%Y-%m-%d}"}
    return client_of(plant.manager, scope="read").get("/api/v1/kpis/inputs/", days | question)


def test_a_program_gets_the_file_that_the_page_offers(shift, client):
    plant, monday = shift
    monday = monday.astimezone(plant.berlin.zone)
    client.force_login(plant.manager)
    question = {"asset": plant.filler.pk, "definition": "oee"}
    of_page = client.get(
        "/performance/figure/inputs.csv",
        question | {"from": f"{monday:%Y-%m-%d}", "to": f"{monday + timedelta(days=1):%Y-%m-%d}"},
    )

    answer = asked_by_program(plant, monday, **question)

    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="oee-m1-{monday:%Y-%m-%d}.csv"'
    assert answer.getvalue() == of_page.getvalue()


def test_the_file_of_a_site_gives_the_figure_of_its_machines(shift):
    plant, monday = shift
    monday = monday.astimezone(plant.berlin.zone)

    text = asked_by_program(plant, monday, site="berlin", definition="availability").getvalue().decode()

    figure = figures_of_day(plant, monday, "availability")
    assert spreadsheet(text)["availability"] == pytest.approx(figure["value"], abs=1e-12)


def figures_of_day(plant, monday, definition: str) -> dict:
    days = {"from": f"{monday:%Y-%m-%d}", "to": f"{monday + timedelta(days=1):%Y-%m-%d}"}
    question = {"site": "berlin", "definition": definition} | days
    (figure,) = client_of(plant.manager).get("/api/v1/kpis/", question).json()
    return figure


def test_too_many_inputs_are_a_problem_that_names_the_parameter(shift, monkeypatch):
    plant, monday = shift
    monkeypatch.setattr(inputs, "MOST", 0)

    body = assert_problem(asked_by_program(plant, monday, asset="M1", definition="mtbf"), 422, "too_many", "from")

    assert "ask for a shorter window" in body["errors"][0]["message"]


def test_another_sites_inputs_do_not_exist(shift, client):
    plant, _ = shift
    client.force_login(plant.manager)
    question = {"asset": plant.foreign.pk, "definition": "mtbf", "from": "2026-01-01", "to": "2026-01-02"}

    assert client.get("/performance/figure/inputs.csv", question).status_code == 404


def test_too_much_for_one_file_is_refused(shift, client, monkeypatch):
    plant, _ = shift
    monkeypatch.setattr(inputs, "MOST", 2)
    client.force_login(plant.manager)
    question = {"site": "berlin", "definition": "mtbf", "from": "2026-01-01", "to": "2026-02-01"}

    answer = client.get("/performance/figure/inputs.csv", question, follow=True)

    assert answer.redirect_chain[0][0].startswith("/performance/figure/?site=berlin")
    assert "ask for a shorter window" in answer.content.decode()
