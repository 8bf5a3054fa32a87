"""Versions of definitions: what held when, and a figure as a former version had it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from core.errors import Refused
from kpis import figures, formulas
from kpis.api_definitions import DefinitionSerializer
from kpis.definitions import DEFINITIONS, WorkDefinition
from kpis.formulas import Facts, Result, Status
from kpis.versions import HISTORY, Step, in_force, in_version, since, version_of, versions_of
from tests.contracts.api import assert_problem, client_of
from tests.kpis.test_money import hourly, margin
from tests.kpis.test_prices import before
from tests.kpis.test_work_database import BEGIN, DAY, HOUR, NOW
from tests.kpis.test_work_database import broken as broken  # the fixture

# The filler was down for 10 hours on 2 March, for 4 on 4 March.
MARCH = {"asset": "M1", "definition": "downtime_cost", "scope": "leaves", "from": "2026-03-02", "to": "2026-04-01"}


@pytest.fixture
def dearer(plant, broken):
    """An hour of the filler cost 50 until 3 March, and 100 since."""
    hourly(plant, filler=100)
    before(plant.filler, 50)


def uncapped(facts: Facts, *, threshold: float = 0.0) -> Result:
    """As somebody might have defined availability before: of the calendar, not of planned production."""
    return Result(facts.operating / facts.calendar, Status.OK) if facts.calendar else formulas.availability(facts)


@pytest.fixture
def redefined(monkeypatch):
    """Availability in a second version since 1 May 2027."""
    first = DEFINITIONS["availability"]
    monkeypatch.setitem(DEFINITIONS, "availability", replace(first, version=2))
    former = replace(first, compute=uncapped, formula="operating time ÷ calendar time")
    steps = [Step(date(2026, 11, 22), former=former), Step(date(2027, 5, 1), "Of planned production time.")]
    monkeypatch.setitem(HISTORY, "availability", steps)


# --- What is written down ------------------------------------------------------------------------


@pytest.mark.parametrize("key", DEFINITIONS)
def test_every_definition_says_since_when_it_holds_and_what_each_version_changed(key):
    found = versions_of(key)
    assert [each.number for each in found] == list(range(DEFINITIONS[key].version, 0, -1))
    assert all(each.definition.key == key for each in found)
    assert (found[0].definition, found[0].until) == (DEFINITIONS[key], None)
    days = [each.since for each in found]
    assert days == sorted(set(days), reverse=True)
    assert [each.until for each in found[1:]] == [each.since for each in found[:-1]]
    assert all(each.changed for each in found[:-1])
    assert not found[-1].changed


def test_nothing_is_written_about_figures_that_do_not_exist():
    assert set(HISTORY) <= set(DEFINITIONS)


def test_the_version_in_force_is_the_one_that_held_on_the_day(redefined):
    days = [date(2020, 1, 1), date(2026, 11, 22), date(2027, 4, 30), date(2027, 5, 1), date(2030, 1, 1)]
    assert [in_force("availability", day).number for day in days] == [1, 1, 1, 2, 2]
    assert since(DEFINITIONS["availability"]) == date(2027, 5, 1)
    assert version_of(in_version("availability", 1)).until == date(2027, 5, 1)
    with pytest.raises(Refused) as refused:
        in_version("availability", 3)
    assert (refused.value.field, refused.value.code) == ("definition_version", "unknown_version")
    assert "1, 2" in refused.value.message


# --- The figure ----------------------------------------------------------------------------------


def cost(subject, version=None, definition="downtime_cost") -> float | None:
    assets, site = ([subject], subject.site) if hasattr(subject, "site") else (None, subject)
    (figure,) = figures.read(
        assets, site=site, start=BEGIN, end=BEGIN + 30 * DAY - HOUR, definitions=[definition], version=version, now=NOW
    )
    return figure.value


def test_the_first_version_charges_all_stops_at_the_cost_of_today(plant, dearer):
    for subject in (plant.filler, plant.line, plant.berlin):
        assert cost(subject) == cost(subject, 2) == 10 * 50 + 4 * 100
        assert cost(subject, 1) == 14 * 100
    margin(plant)
    assert cost(plant.filler, definition="downtime_cost_of_margin") == pytest.approx(900 / 719)
    assert cost(plant.filler, 1, "downtime_cost_of_margin") == pytest.approx(1400 / 719)


def test_a_cost_that_ended_is_none_of_the_first_version(plant, broken):
    before(plant.filler, 50)
    assert (cost(plant.filler), cost(plant.filler, 1)) == (500, None)


def test_a_former_version_is_computed_by_its_own_code(plant, broken, redefined):
    def value(version):
        end = datetime(2026, 3, 9, tzinfo=UTC)
        asked = {"start": end - timedelta(days=7), "end": end, "definitions": ["availability"], "version": version}
        (figure,) = figures.read([plant.filler], site=plant.berlin, now=NOW, **asked)
        return figure.value, figure.definition.version

    assert value(2) == value(None)
    assert value(1) == (pytest.approx((7 * 24 - 14) / 168), 1)


# --- Doors ---------------------------------------------------------------------------------------


def test_the_api_answers_the_version_that_is_asked_for(plant, dearer):
    caller = client_of(plant.technician)
    rows = [caller.get("/api/v1/kpis/", MARCH | each).json() for each in ({}, {"definition_version": 1})]
    assert [(row["version"], row["value"]) for (row,) in rows] == [(2, 900), (1, 1400)]
    why = caller.get("/api/v1/kpis/explanation/", MARCH).json()
    assert [(row["version"], row["value"]) for row in (why["figure"], *why["otherwise"])] == [(2, 900), (1, 1400)]
    why = caller.get("/api/v1/kpis/explanation/", MARCH | {"definition_version": 1}).json()
    assert [(row["version"], row["value"]) for row in (why["figure"], *why["otherwise"])] == [(1, 1400), (2, 900)]
    assert [each["numbers"] for each in why["records"]] == [{"amount": 100}]
    assert why["calculation"] == "14.00 h × 100.00 an hour on average"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [({"definition_version": "3"}, "unknown_version"), ({"definition_version": "old"}, "invalid"),
     ({"definition_version": "0"}, "invalid"), ({"definition_version": "1", "definition": "mtbf,mttr"}, "one_only"),
     ({"definition_version": "1", "definition": ""}, "one_only")],
)  # fmt: skip
def test_a_version_that_does_not_exist_is_refused_by_name(plant, wrong, code):
    answer = client_of(plant.manager).get("/api/v1/kpis/", MARCH | wrong)
    assert_problem(answer, 422, code, "definition_version")


def test_the_explanation_tells_since_when_it_holds_and_what_it_would_have_been(client, plant, dearer):
    client.force_login(plant.technician)
    page = client.get(reverse("figure"), MARCH).content.decode()
    for words in (
        "version 2", "holds since 30 Nov 2026", "of years ago too, at the cost that the asset has today",
        "1\u202f400\u202fEUR", "As version 1 defined it", "until 30 Nov 2026", "definition_version=1",
    ):  # fmt: skip
        assert words in page
    page = client.get(reverse("figure"), MARCH | {"definition_version": "1"}).content.decode()
    for words in ("Cost of downtime (version 1) · M1", "held from 26 Nov 2026 until 30 Nov 2026",
                  "14.00 h × 100.00 an hour on average", "As it is defined now", "900\u202fEUR"):  # fmt: skip
        assert words in page
    assert client.get(reverse("figure"), MARCH | {"definition_version": "7"}).status_code == 400


def test_all_definitions_stand_on_one_page_with_their_versions(client, plant):
    assert client.get(reverse("definitions")).status_code == 302
    client.force_login(plant.requester)
    page = client.get(reverse("definitions")).content.decode()
    for key in DEFINITIONS:
        assert f'<li id="{key}">' in page
    changed = sum(each.version > 1 for each in DEFINITIONS.values())
    assert f"{changed} of {len(DEFINITIONS)} figures have changed their meaning." in page
    for words in ("operating time ÷ failure events", "26 Nov 2026 until 30 Nov 2026", "since 22 Nov 2026", "Version 2"):
        assert words in page


def test_the_api_lists_all_definitions_with_their_versions(plant):
    assert_problem(client_of(None).get("/api/v1/kpis/definitions/"), 401)
    rows = client_of(plant.requester, scope="read").get("/api/v1/kpis/definitions/").json()
    assert [row["definition"] for row in rows] == list(DEFINITIONS)
    assert all(row.keys() == DefinitionSerializer().fields.keys() for row in rows)
    row = next(row for row in rows if row["definition"] == "downtime_cost")
    assert (row["version"], row["since"], row["unit"], row["better"]) == (2, "2026-11-30", "money", "lower")
    assert [(each["version"], each["since"], each["until"]) for each in row["versions"]] == [
        (2, "2026-11-30", None), (1, "2026-11-26", "2026-11-30"),
    ]  # fmt: skip
    assert "has today" in row["versions"][1]["doc"]


def test_a_former_definition_of_work_reads_the_records_that_it_did():
    assert {each.former.records for steps in HISTORY.values() for each in steps
            if isinstance(each.former, WorkDefinition)} == {"stood_today", "lens_today"}  # fmt: skip
