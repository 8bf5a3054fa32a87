"""What an MTBF would be if stops and orders of which nobody said what they were had been failures: only what is in the
figure, and only what would be a failure event of its own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from assets import tree
from assets.models import Downtime, Failure, Placement, RedundancyGroup
from kpis import excluded, explaining
from kpis.computing import compute_site
from kpis.definitions import DEFINITIONS
from kpis.excluded import left_out
from kpis.facts.evidence import reaching
from kpis.figures import SCOPES, periods
from kpis.supposing import unclassified
from tests.kpis.cases import at, failure, stop
from tests.kpis.plants import GRID, STEPS, in_database, plants
from tests.kpis.test_sql_equals_oracle import Undone
from tests.kpis.world import first_instant
from tests.kpis.world import store as write
from workorders.models import WorkOrder

HOUR = timedelta(hours=1)
BEGIN = datetime(2026, 3, 1, 23, tzinfo=UTC)  # 2 March, 00:00 in Berlin
END = BEGIN + timedelta(days=10)
NOW = BEGIN + timedelta(days=30)


def stopped(asset, first: float, last: float | None, **fields) -> Downtime:
    end = None if last is None else BEGIN + last * HOUR
    return Downtime.objects.create(asset=asset, start=BEGIN + first * HOUR, end=end, **fields)


def failed(asset, first: float, last: float, **fields) -> Failure:
    return Failure.objects.create(asset=asset, occurred=BEGIN + first * HOUR, restored=BEGIN + last * HOUR, **fields)


def ordered(asset, number: int, reported: float) -> WorkOrder:
    return WorkOrder.objects.create(
        site=asset.site, number=number, asset=asset, kind="corrective", state="approved", summary="Leak",
        reported_at=BEGIN + reported * HOUR,
    )  # fmt: skip


def told(plant, asset, definition="mtbf", scope="asset"):
    found = explaining.explain(
        asset, site=plant.berlin, definition=definition, start=BEGIN, end=END, scope=scope, now=NOW
    )
    scores = {str(each.part): (each.wrong, each.whole) for each in found.trust.scores if each.whole}
    hangs = found.sensitivity
    return scores, hangs and (hangs.unclassified, hangs.orders, round(hangs.value, 3)), found.figure.value


@pytest.fixture
def known(plant):
    """One failure of the line itself, of an hour, in ten days around the clock: 239 h."""
    failed(plant.line, 10, 11, downtime=stopped(plant.line, 10, 11))
    return plant


def test_what_a_machine_did_after_it_moved_away_is_nothing_to_the_line(known):
    tree.move(known.filler, None, by=known.planner, at=BEGIN + 100 * HOUR)
    for hour in (120, 130, 140, 150):
        stopped(known.filler, hour, hour + 1)
    compute_site(known.berlin, now=NOW)
    scores, hangs, value = told(known, known.line)
    assert (hangs, value) == (None, 239)
    assert scores["classification"] == (0, 1)
    assert scores["timeliness"][1] == 1
    stopped(known.filler, 50, 51)
    assert told(known, known.line)[:2] == (scores | {
        "classification": (1, 2), "timeliness": (2, 2), "plausibility": (0, 2),
    }, (1, 0, 119.0))  # fmt: skip


def test_a_member_of_a_group_that_has_enough_does_not_count(known):
    group = RedundancyGroup.objects.create(parent=known.line, name="Labellers", needed=1)
    Placement.objects.filter(asset__in=[known.labeller, known.palletiser]).update(
        redundancy_group=group, stops_parent=False
    )
    for hour in (20, 30, 40):
        stopped(known.labeller, hour, hour + 1)
    assert told(known, known.line)[1] is None
    stopped(known.palletiser, 30.5, 32)
    assert told(known, known.line)[1] == (2, 0, 119.25)  # both are down from 30:30 to 31:00, as one event


def test_a_stop_inside_a_failure_is_a_further_item_of_it(known):
    stopped(known.line, 10.5, 10.75)
    assert told(known, known.line)[1] is None
    assert told(known, known.line, "mtbf_by_items")[1:] == ((1, 0, 119.5), 239)


def test_a_stop_in_the_merge_gap_of_a_failure_is_a_further_item_of_it(known):
    known.berlin.failure_merge_gap = 60
    known.berlin.save()
    compute_site(known.berlin, now=NOW)
    stopped(known.line, 11.5, 12)
    assert told(known, known.line)[1] is None
    stopped(known.line, 13.5, 14)
    assert told(known, known.line)[1] == (2, 0, 119.0)


def test_a_stop_of_no_length_may_have_been_one(known):
    stopped(known.line, 30, 30)
    assert told(known, known.line)[1] == (1, 0, 119.5)


def test_a_stop_that_is_a_failure_without_a_link_is_classified(known):
    stopped(known.line, 20, 21)
    failed(known.line, 20, 21)
    scores, hangs, value = told(known, known.line)
    assert (scores["classification"], hangs, value) == ((0, 2), None, 119)


def test_a_stop_below_while_the_line_is_down_already_is_none(known):
    stopped(known.line, 40, 44, reason=known.breakdown)
    stopped(known.filler, 41, 42)
    assert told(known, known.line)[1] is None


def test_an_order_of_a_machine_below_is_none_of_the_line_and_one_of_the_machine(known):
    stopped(known.filler, 2, 3, reason=known.breakdown)
    ordered(known.filler, 1, 50)
    assert told(known, known.line)[1] is None
    assert told(known, known.filler)[1] == (0, 1, 239.0)
    ordered(known.line, 2, 60)
    ordered(known.line, 3, 10.5)  # while the line had failed
    assert told(known, known.line)[1] == (0, 2, 119.0)


def test_orders_of_a_machine_count_while_it_stood_there(known):
    tree.move(known.filler, None, by=known.planner, at=BEGIN + 100 * HOUR)
    stopped(known.filler, 2, 3, reason=known.breakdown)
    ordered(known.filler, 1, 99)
    ordered(known.filler, 2, 101)
    compute_site(known.berlin, now=NOW)
    scores, hangs, _ = told(known, known.line, scope="leaves")
    assert scores["classification"] == (1, 2)
    assert hangs[:2] == (0, 1)


def test_of_too_many_records_it_is_said_what_it_would_be_at_least(known, client, monkeypatch):
    for hour in (20, 30):
        stopped(known.line, hour, hour + 1)
    monkeypatch.setattr(excluded, "JUDGED", 2)
    client.force_login(known.manager)
    page = client.get(
        "/performance/figure/",
        {"asset": known.line.pk, "definition": "mtbf", "scope": "asset", "from": "2026-03-02", "to": "2026-03-12"},
    ).content.decode()
    assert "If the 2 unclassified stops were failures, MTBF would be at least 79.0 h, not 237.0 h." in page


def test_only_stops_of_which_nothing_is_said_are_supposed():
    stops = [
        stop(1, 1, 2), stop(2, 3, 4, reason=5), stop(3, 5, 6, planned=True), stop(4, 7, 8), stop(5, 9, None),
        stop(6, 11, 12, asset=2),
    ]  # fmt: skip
    failures = [failure(1, 7, stop=4), failure(2, 12, asset=2), failure(3, 11, asset=1)]
    assert [each.id for each in unclassified(stops, failures, at(20))] == [1, 6]
    assert [each.id for each in unclassified(stops, failures, at(11))] == [1, 5, 6]


@in_database(60)
@given(
    data=st.data(), known=plants(), scope=st.sampled_from(SCOPES), first=st.integers(0, STEPS // 2),
    length=st.integers(1, STEPS),
)  # fmt: skip
def test_what_is_supposed_is_what_comes_of_it_once_it_is_recorded(db, data, known, scope, first, length):
    """Random plants: failures and failed items grow as they do when the failures are entered.

    Without a merge gap: after a failure that was over before the window began, one in its gap is supposed to be one.
    """
    known = replace(known, merge_gap=timedelta(0))
    with pytest.raises(Undone), transaction.atomic():
        plant = write(known)
        silent = data.draw(st.sets(st.sampled_from([0, *Downtime.objects.values_list("pk", flat=True)])))
        Downtime.objects.filter(asset__site=plant.site, planned=False, pk__in=silent).update(reason=None)
        start = datetime.fromtimestamp(first_instant(known), UTC) + first * GRID
        asset = data.draw(st.sampled_from([None, *plant.assets.values()]))
        question = {"site": plant.site, "start": start, "end": start + length * GRID, "scope": scope, "now": known.now}

        def asked():
            (found,) = periods([asset] if asset else None, **question)
            return found, found.answer.all.events, found.answer.all.items

        period, events, items = asked()
        members = period.counting(DEFINITIONS["mtbf"])
        supposed = left_out(period, members, reaching(period.assets), of_failures=True).supposed
        nobody_said = Downtime.objects.filter(
            asset__site=plant.site,
            planned=False,
            reason=None,
            start__gte=start,
            start__lt=min(question["end"], known.now),
        )
        for each in nobody_said:
            of = Failure.objects.filter(asset=each.asset)
            during = Q(downtime=None, occurred__gte=each.start, occurred__lt=each.end or known.now)
            if not Failure.objects.filter(downtime=each).exists() and not of.filter(during).exists():
                Failure.objects.create(asset=each.asset, occurred=each.start, restored=each.end, downtime=each)
        _, events_then, items_then = asked()
        assert (supposed.events, supposed.items) == (events_then - events, items_then - items)
        raise Undone
