"""The demo plant: alive, the same each time, apart from real data, and gone without a trace when removed."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db.models import Count as Number
from django.db.models import F, Max, Q

from assets.models import Asset, Downtime, Failure, Placement
from cmms.demo import world
from cmms.demo.load import demo_logins, load
from cmms.demo.remove import remove
from core.models import Event, Site
from kpis import figures, targets
from kpis.models import Finding, NetMargin, Silence, Target
from people.models import Membership, User
from people.roles import Role
from production.models import CalendarException, Count, WeeklySlot
from workorders.models import (
    AgreedWeek,
    Assignment,
    Labour,
    PlanOccurrence,
    Request,
    RequestState,
    State,
    Step,
    WorkOrder,
)

NOW = datetime(2026, 6, 17, 9, 20, tzinfo=UTC)  # a Wednesday in both plants


@pytest.fixture(scope="module")
def demo(django_db_setup, django_db_blocker):
    """A short-lived demo plant of a hundred days, shared by the tests of this module that only read."""
    with django_db_blocker.unblock():
        made = load(NOW, days=100)
        yield made
        remove()


@pytest.fixture
def shown(demo, db):
    return demo


def test_the_plant_has_two_sites_in_two_time_zones_three_lines_and_about_sixty_machines(shown):
    assert set(Site.objects.values_list("time_zone", "demo")) == {("Europe/Berlin", True), ("America/Chicago", True)}
    assert Asset.objects.filter(level="line").count() == 3
    assert Asset.objects.filter(level="machine").count() == 61
    assert Asset.objects.filter(level="component").count() == 34
    assert not Asset.objects.filter(path="").exists()


def test_twelve_people_hold_all_roles_and_log_in_with_the_printed_password(shown, client, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    assert User.objects.count() == 12
    assert set(Membership.objects.values_list("role", flat=True)) == set(Role.values)
    logins = demo_logins()
    assert {login.username for login in logins} == set(User.objects.values_list("username", flat=True))
    assert len(set(User.objects.values_list("password", flat=True))) == 1  # so one log-in tells for all
    assert client.login(username=logins[0].username, password=logins[0].password)


def test_shifts_include_nights_and_holidays(shown):
    assert WeeklySlot.objects.filter(end__lt=F("start"), calendar__asset__code="L1").count() == 5
    assert CalendarException.objects.filter(name="Labour Day", calendar__asset__code="L1").count() == 1


def test_every_asset_stands_somewhere_and_one_machine_was_moved(shown):
    assert not Asset.objects.filter(placements=None).exists()
    moved = Placement.objects.filter(asset__code="L2-SW2").order_by("valid")
    assert [place.parent.code for place in moved] == ["L1", "L2"]
    assert moved[0].valid.upper == moved[1].valid.lower


def test_history_ends_now(shown):
    assert not Downtime.objects.filter(Q(start__gt=NOW) | Q(end__gt=NOW)).exists()
    assert not Failure.objects.filter(Q(occurred__gt=NOW) | Q(restored__gt=NOW)).exists()
    assert not Count.objects.filter(end__gt=NOW).exists()
    assert not Labour.objects.filter(Q(start__gt=NOW) | Q(end__gt=NOW)).exists()
    assert Count.objects.aggregate(last=Max("end"))["last"] > NOW - timedelta(hours=2)


def test_one_machine_never_failed_and_another_has_no_data(shown):
    assert Count.objects.filter(asset__code="L2-CW1").exists()
    assert not Failure.objects.filter(asset__code="L2-CW1").exists()
    for model in (Downtime, Failure, Count, WorkOrder):
        assert not model.objects.filter(asset__code="L2-RB1").exists()


def test_one_machine_has_fallen_silent_and_somebody_is_to_find_out_why(shown):
    (found,) = Finding.objects.filter(kind="silent").select_related("asset")
    assert (found.asset.code, found.numbers["days"]) == ("L2-CW1", 30)
    assert Silence.objects.filter(asset=found.asset, until=None).count() == 1


def test_there_are_late_entries_overlaps_open_stops_and_unclassified_stops(shown):
    assert Downtime.objects.filter(entered_at__gt=F("end") + timedelta(hours=12)).exists()
    assert Downtime.objects.open().count() == 3
    assert Failure.objects.filter(restored=None).count() == 2
    assert Downtime.objects.filter(reason__loss_class="breakdown", failures=None).exists()
    assert Failure.objects.filter(downtime=None).exists()
    doubles = Downtime.objects.filter(source="operator", planned=False).filter(
        asset__downtimes__source="plc", asset__downtimes__start__lt=F("end"), asset__downtimes__end__gt=F("start")
    )
    assert doubles.exists()


def test_orders_stand_in_every_state_and_belong_together(shown):
    assert set(WorkOrder.objects.values_list("state", flat=True)) == set(State.values)
    assert not WorkOrder.objects.filter(state=State.CLOSED, started_at=None).exists()
    assert not WorkOrder.objects.filter(completed_at__lt=F("started_at")).exists()
    assert not WorkOrder.objects.filter(closed_at__lt=F("completed_at")).exists()
    for site in Site.objects.all():
        numbers = list(WorkOrder.objects.at(site).order_by("id").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
    without_event = WorkOrder.objects.exclude(
        pk__in=Event.objects.filter(object_type="workorders.workorder", verb="work_order.raised").values("object_id")
    )
    assert not without_event.exists()


def test_what_people_entered_stands_in_the_history(shown):
    told = Event.objects.filter(object_type="assets.failure", verb="failure.recorded")
    assert told.count() == Failure.objects.count()
    entered = Downtime.objects.exclude(entered_by=None)
    assert Event.objects.filter(object_type="assets.downtime").count() == entered.count()
    assert Event.objects.filter(verb="asset.created").count() == Asset.objects.count()


def test_done_preventive_work_has_its_steps_answered_within_limits(shown):
    done = Step.objects.filter(order__completed_at__isnull=False)
    assert done.exists()
    assert not done.filter(outcome="").exists()
    assert not done.filter(kind="number").exclude(number__gte=F("low"), number__lte=F("high")).exists()
    states = dict(PlanOccurrence.objects.values_list("state").annotate(Number("id")))
    assert states["done"] > 0
    assert states["missed"] > 0


def test_every_technician_has_work_today(shown):
    for site in Site.objects.all():
        start, end = site.day_begins(NOW.date()), site.day_begins(NOW.date()) + timedelta(days=1)
        for person in User.objects.filter(memberships__site=site, memberships__role=Role.TECHNICIAN):
            today = Assignment.objects.filter(person=person, start__gte=start, start__lt=end)
            running = Labour.objects.filter(person=person, end=None)
            assert today.exists() or running.exists(), person


def test_fresh_requests_wait_for_an_answer(shown):
    assert Request.objects.filter(state=RequestState.NEW).count() == 6
    assert Request.objects.filter(state=RequestState.ACCEPTED, work_order=None).count() == 0


def test_figures_are_those_of_a_real_plant(shown):
    for line in world.LINES:
        counts = Count.objects.filter(asset__code=line.code)
        scrap = sum(count.scrap for count in counts) / sum(count.good + count.scrap for count in counts)
        assert 0.005 < scrap < 0.04


def test_figures_of_sites_and_lines_have_targets_and_a_decision(shown):
    assert Target.objects.filter(asset=None).count() == 8
    assert set(Target.objects.exclude(asset=None).values_list("asset__level", "scope")) == {
        ("line", "leaves"), ("line", "asset"),
    }  # fmt: skip
    site = Site.objects.get(code="regensburg")
    agreed = targets.on(site, None, site.production_day(NOW))
    assert set(agreed) == {"availability", "mtbf", "mttr", "oee"}
    assert agreed["oee"][1].author == agreed["oee"][0].owner


def test_weeks_were_agreed_and_most_of_what_was_promised_was_kept(shown):
    for site in Site.objects.all():
        assert AgreedWeek.objects.filter(site=site, monday=date(2026, 6, 15)).exists(), "the current week"
        (figure,) = figures.read(
            None, definitions=["schedule_compliance"], site=site, start=NOW - timedelta(days=35), end=NOW, now=NOW
        )
        assert (figure.status, figure.inputs["agreed_weeks"]) == ("ok", 5)
        assert 0.5 < figure.value < 1
        assert figure.inputs["agreed_orders"] > 15


def test_both_sites_earn_more_than_an_hour_of_their_lines_costs(shown):
    for site in Site.objects.all():
        (margin,) = NetMargin.objects.filter(site=site)
        dearest = Asset.objects.filter(site=site).aggregate(Max("downtime_cost"))["downtime_cost__max"]
        assert margin.valid_from == (NOW - timedelta(days=100)).date()
        assert 0.001 < float(dearest) / (float(margin.amount) / 12) < 0.02
