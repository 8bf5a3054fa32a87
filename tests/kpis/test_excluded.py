"""Which records do not count and why: told by name, and for any history the same as the inputs of the figure tell."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from assets import tree
from assets.models import Asset, Downtime, Failure, Placement, RedundancyGroup
from kpis import excluded, explaining
from kpis.computing import compute_site
from kpis.definitions import DEFINITIONS
from kpis.excluded import left_out
from kpis.excluding import Why
from kpis.facts.evidence import reaching
from kpis.figures import SCOPES, periods
from production.models import Count, OperatingCalendar
from tests import plant as world
from tests.kpis.plants import GRID, STEPS, in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write


@in_database(30)
@given(
    data=st.data(), records=plants(), scope=st.sampled_from(SCOPES), first=st.integers(0, STEPS // 2),
    length=st.integers(1, STEPS), day_start=st.sampled_from([time(0), time(6)]), stored=st.booleans(),
)  # fmt: skip
def test_the_stops_that_do_not_count_are_those_that_have_no_time_in_the_inputs(
    db, data, records, scope, first, length, day_start, stored
):
    with pytest.raises(Undone), transaction.atomic():
        plant = write(records, day_start=day_start)
        if stored:
            compute_site(plant.site, now=records.now)
        start = datetime.fromtimestamp(first_instant(records), UTC) + first * GRID
        end = start + length * GRID
        asset = data.draw(st.sampled_from([None, *plant.assets.values()]))
        question = {"site": plant.site, "start": start, "end": end, "scope": scope, "now": records.now}
        (found,) = periods([asset] if asset else None, **question)
        members = found.counting(DEFINITIONS["mtbf"])
        told = left_out(found, members, reaching(found.assets), of_failures=True)
        of_stops = {each.row.pk: each for each in told.rows if isinstance(each.row, Downtime)}
        _columns, rows = explaining.inputs(asset, definition="mtbf", **question)
        rows = list(rows)

        lost = {row["record"] for row in rows if row["kind"] == "down"}
        planned = {row["record"] for row in rows if row["kind"] == "planned stop"}
        touching = Downtime.objects.touching(start, min(end, records.now)).filter(asset__site=plant.site)
        everything = set(touching.values_list("pk", flat=True))
        assert not lost & of_stops.keys()
        if asset is None and start < records.now:  # of a window that has not begun nothing is told
            assert of_stops.keys() == everything - lost
        assert sum(told.stops.values()) == len(of_stops)
        for pk, each in of_stops.items():
            if each.why is Why.OVERLAPPED:
                assert each.by.pk in lost | planned | of_stops.keys()
                assert each.by.pk != pk
            if pk in planned:
                assert each.why in (Why.EXCLUDED, Why.OVERLAPPED)
        if len(members) == 1:
            failures = [each for each in told.rows if not isinstance(each.row, Downtime)]
            inputs = found.figure(DEFINITIONS["mtbf"]).inputs
            further = inputs["failed_items"] - inputs["failures"]
            told_further = sum(each.why is Why.FURTHER_ITEM for each in failures)
            assert told_further >= further
            assert (Why.FOUND in told.failures) == (inputs["found_in_maintenance"] > 0)
        raise Undone


HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
END = BEGIN + timedelta(days=7)
NOW = BEGIN + timedelta(days=30)
WEEK = {"from": "2026-03-02", "to": "2026-03-09"}


def stop(asset, first: float, last: float | None, **fields) -> Downtime:
    end = None if last is None else BEGIN + last * HOUR
    return Downtime.objects.create(asset=asset, start=BEGIN + first * HOUR, end=end, **fields)


def failure(asset, at: float, **fields) -> Failure:
    return Failure.objects.create(asset=asset, occurred=BEGIN + at * HOUR, **fields)


def why(plant, asset, definition="availability", scope="asset"):
    """What does not count, by record: the reason, and the stop that has the time instead."""
    found = explaining.explain(
        asset, site=plant.berlin, definition=definition, start=BEGIN, end=END, scope=scope, now=NOW
    ).not_counted
    return {each.row: (each.why, each.by) if each.by else each.why for each in found.rows}


def test_a_stop_that_counts_is_not_among_those_that_do_not(plant):
    stop(plant.filler, 10, 12)
    assert why(plant, plant.filler) == {}


def test_stops_off_schedule_excluded_overlapped_and_without_length_are_named(plant):
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Early", valid_from=date(2026, 1, 1))
    for weekday in range(7):
        calendar.weekly.create(weekday=weekday, start=time(6), end=time(14))
    night, lunch = stop(plant.filler, 1, 5), stop(plant.filler, 12, 13, planned=True, reason=plant.lunch)
    counts = stop(plant.filler, 7, 9)
    inside, reaching_into_the_night = stop(plant.filler, 8, 9), stop(plant.filler, 8.5, 9)
    at_once = stop(plant.filler, 11, 11)
    setup = stop(plant.filler, 12.25, 12.5, planned=True, reason=plant.setup)

    assert why(plant, plant.filler) == {
        night: Why.OFF_SCHEDULE, lunch: Why.EXCLUDED, inside: (Why.OVERLAPPED, counts),
        reaching_into_the_night: (Why.OVERLAPPED, counts), at_once: Why.NO_LENGTH, setup: (Why.OVERLAPPED, lunch),
    }  # fmt: skip


def test_stops_before_service_and_of_a_former_place_are_named(plant):
    Asset.objects.filter(pk=plant.filler.pk).update(commissioned=BEGIN + 20 * HOUR)
    early, counts = stop(plant.filler, 3, 4), stop(plant.filler, 30, 31)
    assert why(plant, plant.filler) == {early: Why.NOT_IN_SERVICE}
    tree.move(plant.labeller, None, by=plant.planner, at=BEGIN + 50 * HOUR)
    there, gone = stop(plant.labeller, 40, 41), stop(plant.labeller, 60, 61)
    assert why(plant, plant.line, scope="leaves") == {early: Why.NOT_IN_SERVICE, gone: Why.ELSEWHERE}
    assert {counts, there} & why(plant, plant.line, scope="leaves").keys() == set()


def test_children_that_do_not_stop_the_line_and_the_line_itself_are_named(plant):
    filler, labeller, line = (stop(asset, 10, 12) for asset in (plant.filler, plant.labeller, plant.line))
    assert why(plant, plant.line) == {labeller: Why.DOES_NOT_STOP, filler: (Why.OVERLAPPED, line)}
    assert why(plant, plant.line, scope="leaves") == {line: Why.OF_A_LINE}


def test_a_member_counts_only_while_too_few_of_its_group_are_up(plant):
    group = RedundancyGroup.objects.create(parent=plant.line, name="Labellers", needed=1)
    Placement.objects.filter(asset__in=[plant.labeller, plant.palletiser]).update(
        redundancy_group=group, stops_parent=False
    )
    alone = stop(plant.labeller, 10, 12)
    first = stop(plant.labeller, 20, 25)
    both = stop(plant.palletiser, 22, 24)
    assert why(plant, plant.line) == {alone: Why.GROUP_UP, both: (Why.OVERLAPPED, first)}


def test_assets_without_counts_are_named_for_figures_about_counts(plant):
    Count.objects.create(asset=plant.filler, start=BEGIN, end=BEGIN + 9 * HOUR, good=9, ideal_cycle=1)
    other = stop(plant.labeller, 10, 12)
    found = explaining.explain(
        plant.line, site=plant.berlin, definition="oee", start=BEGIN, end=END, scope="leaves", now=NOW
    )
    assert [(each.row, each.why) for each in found.not_counted.rows] == [(other, Why.NO_COUNTS)]
    assert found.uncounted == [plant.labeller]


def test_failures_that_do_not_count_are_named_by_figure(plant):
    held = stop(plant.filler, 10, 20)
    first = failure(plant.filler, 10, downtime=held, restored=held.end)
    further = failure(plant.filler, 12, component="seal", restored=held.end)
    seen = failure(plant.filler, 40, detection="maintenance")
    open_ended = failure(plant.filler, 50)
    assert why(plant, plant.filler, "mtbf") == {further: Why.FURTHER_ITEM, seen: Why.FOUND}
    assert why(plant, plant.filler, "mtbf_by_items") == {seen: Why.FOUND}
    assert why(plant, plant.filler, "mttr") == {
        further: Why.FURTHER_ITEM, seen: Why.FOUND, open_ended: Why.NO_RESTORATION,
    }  # fmt: skip
    assert why(plant, plant.filler, "availability") == {}
    lasting = stop(plant.filler, 60, None)
    down = failure(plant.filler, 60, downtime=lasting)
    assert why(plant, plant.filler, "mttr")[down] is Why.STILL_DOWN
    labels = failure(plant.labeller, 70)
    found = why(plant, plant.line, "mtbf")
    assert found[labels] is Why.DOES_NOT_STOP
    assert found[further] is Why.FURTHER_ITEM
    assert not {first, down} & found.keys()


def test_a_failure_below_that_finds_the_line_down_already_is_named(plant):
    stop(plant.line, 8, 12)
    stop(plant.filler, 9, 10)
    found = failure(plant.filler, 9)
    assert why(plant, plant.line, "mtbf")[found] is Why.ALREADY_DOWN
    assert why(plant, plant.line, "mtbf_by_items")[found] is Why.ALREADY_DOWN
    assert found not in why(plant, plant.filler, "mtbf")


def test_page_and_api_tell_totals_and_records_with_links(client, plant, monkeypatch):
    counts = stop(plant.filler, 10, 15)
    inside = [stop(plant.filler, 11 + number / 10, 12) for number in range(4)]
    monkeypatch.setattr(excluded, "SHOWN", 3)
    client.force_login(plant.manager)
    query = {"asset": "M1", "definition": "mtbf"} | WEEK
    told = client.get("/api/v1/kpis/explanation/", query).json()["not_counted"]
    assert told["judged"]
    assert told["totals"] == [
        {"type": "stop", "why": "overlapped", "words": "inside another stop, which has its time already", "records": 4}
    ]
    assert [(row["id"], row["by"], row["asset"]) for row in told["records"]] == [
        (each.pk, counts.pk, "M1") for each in reversed(inside[1:])
    ]
    page = client.get(reverse("figure"), query).content.decode()
    assert "Stops: inside another stop, which has its time already</dt><dd>" in page
    assert page.count("inside another stop, which has its time already: <a") == 3
    assert f'href="{inside[3].get_absolute_url()}?next=' in page


def test_of_too_many_records_it_is_said_that_they_were_not_looked_at(client, plant, monkeypatch):
    for number in range(3):
        stop(plant.filler, number, number + 2)
    monkeypatch.setattr(excluded, "JUDGED", 2)
    client.force_login(plant.manager)
    query = {"asset": "M1", "definition": "mtbf"} | WEEK
    told = client.get("/api/v1/kpis/explanation/", query).json()["not_counted"]
    assert told == {"judged": False, "totals": [], "records": []}
    assert "too many records to tell of each" in client.get(reverse("figure"), query).content.decode()


# --- How often the database is asked --------------------------------------------------------------


@pytest.mark.parametrize("definition", ["availability", "mtbf", "mtbf_by_items", "mttr", "oee"])
@pytest.mark.parametrize("scope", ["asset", "leaves"])
def test_a_line_of_many_records_is_explained_in_as_many_queries_as_one_of_few(
    client, plant, definition, scope, django_assert_max_num_queries
):
    client.force_login(plant.manager)
    query = {"asset": "L1", "definition": definition, "scope": scope} | WEEK

    def queries() -> int:
        with django_assert_max_num_queries(120) as asked:
            assert client.get("/api/v1/kpis/explanation/", query).status_code == 200
        with django_assert_max_num_queries(130):
            assert client.get(reverse("figure"), query).status_code == 200
        return len(asked)

    machines = [world.asset(plant.berlin, f"Q{number}", parent=plant.line, stops_parent=True) for number in range(9)]
    for longer in (-30, 0):  # so that some stops do not count, and there is a revision
        write_records(plant, [*machines, plant.filler, plant.labeller], 3, longer)
        compute_site(plant.berlin, now=NOW)
    queries()
    few = queries()
    write_records(plant, [*machines, plant.filler, plant.labeller], 150)
    compute_site(plant.berlin, now=NOW)
    assert queries() <= few + 10, "What was reported before asks for each change, not for its records"


def write_records(plant, machines: list[Asset], number: int, longer: int = 0) -> None:
    """Of each machine so many stops that overlap, half of them failures, and so many counts."""
    minutes = timedelta(minutes=1)
    rows = Downtime.objects.bulk_create(
        Downtime(
            asset=machine, start=BEGIN + each * 60 * minutes, end=BEGIN + (each * 60 + 70 + place + longer) * minutes,
            reason=plant.breakdown, source="plc" if each % 2 else "operator",
        )
        for place, machine in enumerate(machines)
        for each in range(number)
    )  # fmt: skip
    Failure.objects.bulk_create(
        Failure(asset=row.asset, occurred=row.start, restored=row.end, downtime=row) for row in rows[::2]
    )
    Count.objects.bulk_create(
        Count(asset=machine, start=BEGIN + each * HOUR, end=BEGIN + (each + 1) * HOUR, good=9, ideal_cycle=60)
        for machine in machines
        for each in range(number)
    )
