"""Pages of operating calendars and counts."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from core.models import Event
from production import agreeing, counting
from production.agreeing import Agreement
from production.counting import CountEntry
from production.models import Count, OperatingCalendar
from production.slot_text import read_slots, write_slots
from production.timetable import Pattern, Slot
from production.week import week_of

NIGHT, EARLY = Slot(time(22), time(6)), Slot(time(6), time(14))
NINE = datetime(2026, 3, 2, 8, tzinfo=UTC)
TYPED = {
    "name": "Shifts", "valid_from": "2026-01-01", "valid_to": "", "day_0": "06:00-14:00, 22-6", "day_5": "0-24",
    "exceptions-TOTAL_FORMS": "2", "exceptions-INITIAL_FORMS": "0",
    "exceptions-0-date": "2026-12-24", "exceptions-0-name": "Christmas", "exceptions-0-slots": "",
    "exceptions-1-date": "", "exceptions-1-name": "", "exceptions-1-slots": "",
}  # fmt: skip


@pytest.fixture
def enter(client, plant):
    """`enter("planner")` logs somebody in and answers the client."""

    def log_in(who: str):
        client.force_login(getattr(plant, who))
        return client

    return log_in


@pytest.fixture
def calendar(plant) -> OperatingCalendar:
    pattern = Pattern(date(2026, 1, 1), None, {0: (EARLY, NIGHT), 5: (NIGHT,)}, {date(2026, 12, 24): ()})
    return agreeing.agree(
        plant.berlin, plant.line, Agreement("Shifts", pattern, {date(2026, 12, 24): "Christmas"}), by=plant.planner
    )


@pytest.fixture
def count(plant) -> Count:
    entry = CountEntry(plant.filler, NINE, NINE + timedelta(hours=1), good=Decimal(3400), ideal_cycle=Decimal(1))
    return counting.record_count(entry, by=plant.technician).row


PAGES = [
    ("operating-calendars", None), ("operating-calendar-new", None), ("operating-calendar", "calendar"),
    ("operating-calendar-edit", "calendar"), ("operating-calendar-remove", "calendar"), ("counts", None),
    ("count-new", None), ("count-edit", "count"), ("count-remove", "count"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "about"), PAGES)
def test_every_page_opens_for_those_who_may_and_not_from_another_site(enter, plant, calendar, count, name, about):
    row = {"calendar": calendar, "count": count}.get(about)
    address = reverse(name, args=[row.pk] if row else [])
    assert enter("planner").get(address).status_code == 200
    if row:
        assert enter("stranger").get(address).status_code == 404
        assert enter("stranger").post(address, TYPED).status_code in (404, 405)
    assert Event.objects.filter(actor=plant.stranger).count() == 0


def test_exports_leave_out_other_sites(enter, calendar, count):
    for address in ("/calendars/?format=csv", "/production/?format=csv"):
        assert len(b"".join(enter("planner").get(address).streaming_content).splitlines()) == 2
        assert len(b"".join(enter("stranger").get(address).streaming_content).splitlines()) == 1


@pytest.mark.parametrize("tab", ["week", "followers", "history"])
def test_every_tab_of_a_calendar_opens(enter, calendar, tab):
    assert enter("requester").get(f"/calendars/{calendar.pk}/?tab={tab}").status_code == 200


@pytest.mark.parametrize("tab", ["counts", "calendar"])
def test_every_tab_of_an_asset_opens(enter, plant, calendar, count, tab):
    assert enter("requester").get(f"/assets/{plant.filler.pk}/?tab={tab}").status_code == 200


def test_a_calendar_is_agreed_changed_and_removed_through_its_pages(enter, plant):
    client = enter("planner")
    response = client.post("/calendars/new/", {**TYPED, "asset": plant.line.pk})
    calendar = OperatingCalendar.objects.get()
    assert response.status_code == 302
    agreement = agreeing.agreement_of(calendar)
    assert agreement.pattern.weekly == {0: (EARLY, NIGHT), 5: (Slot(time(0), time(0)),)}
    assert (agreement.pattern.exceptions, agreement.exception_names) == (
        {date(2026, 12, 24): ()}, {date(2026, 12, 24): "Christmas"},
    )  # fmt: skip
    edited = client.get(f"/calendars/{calendar.pk}/edit/").context
    assert edited["form"]["day_0"].value() == "06:00–14:00, 22:00–06:00"
    assert edited["exceptions"].forms[0]["name"].value() == "Christmas"
    client.post(f"/calendars/{calendar.pk}/edit/", {**TYPED, "day_5": "", "version": calendar.version})
    calendar.refresh_from_db()
    assert (calendar.asset, calendar.version, calendar.weekly.count()) == (plant.line, 2, 2)
    stale = client.post(f"/calendars/{calendar.pk}/edit/", {**TYPED, "version": 1})
    assert stale.status_code == 409
    client.post(f"/calendars/{calendar.pk}/remove/")
    assert not OperatingCalendar.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"day_0": "6 to 14"}, "day_0"),
        ({"day_0": "25:00-26:00"}, "day_0"),
        ({"valid_to": "2025-01-01"}, "valid_to"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_typed_wrongly_is_refused_at_its_line(enter, plant, wrong, field):
    response = enter("planner").post("/calendars/new/", {**TYPED, **wrong})
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not OperatingCalendar.objects.exists()


def test_slots_that_share_time_and_dates_given_twice_are_refused(enter, plant):
    client = enter("planner")
    clash = client.post("/calendars/new/", {**TYPED, "day_1": "05:00-14:00"})
    assert "share time" in clash.content.decode()
    twice = client.post("/calendars/new/", {**TYPED, "exceptions-1-date": "2026-12-24"})
    assert "given twice" in twice.content.decode()
    nameless = client.post("/calendars/new/", {**TYPED, "exceptions-1-slots": "6-14"})
    assert "On which date?" in nameless.content.decode()
    assert not OperatingCalendar.objects.exists()


@pytest.mark.parametrize("who", ["requester", "technician", "manager"])
def test_only_those_who_may_edit_agree_on_calendars(enter, plant, who):
    assert enter(who).post("/calendars/new/", TYPED).status_code == 403
    assert not OperatingCalendar.objects.exists()


def test_the_asset_says_which_calendar_holds_and_why(enter, plant, calendar):
    client = enter("requester")

    def words(asset) -> str:
        return client.get(f"/assets/{asset.pk}/?tab=calendar").content.decode()

    assert "its own calendar" in words(plant.line)
    assert "the calendar of L1, in which it stands" in words(plant.filler)
    agreeing.remove(calendar, by=plant.planner)
    assert "Around the clock" in words(plant.filler)


def test_a_clock_change_is_noted_on_the_calendar(enter, plant):
    pattern = Pattern(date(2020, 1, 1), None, {6: (Slot(time(2, 30), time(10)),)})
    calendar = agreeing.agree(plant.berlin, None, Agreement("Early Sunday", pattern, {}), by=plant.planner)
    page = enter("planner").get(f"/calendars/{calendar.pk}/").content.decode()
    assert "When the clock changes" in page
    assert "02:30 does not exist on that day; 03:30 is taken." in page


def test_a_week_is_drawn_with_nights_that_go_on_the_next_day():
    lines = week_of(Pattern(date(2026, 1, 1), None, {0: (EARLY,), 6: (NIGHT,)}))
    assert [(bar.x, bar.width) for bar in lines[0].bars] == [(360, 480), (0, 360)]
    assert [(bar.x, bar.width) for bar in lines[6].bars] == [(1320, 120)]
    assert (lines[0].words, lines[6].words, lines[1].words) == ("06:00–14:00", "22:00–06:00", "")


@pytest.mark.parametrize("text", ["06:00–14:00", "6-14", "6:00 - 14:00", "0600—1400"])
def test_slots_are_read_as_people_type_them(text):
    assert read_slots(text) == [EARLY]


def test_written_slots_are_read_again():
    slots = [EARLY, NIGHT, Slot(time(14), time(0))]
    assert sorted(read_slots(write_slots(slots))) == sorted(slots)
    assert read_slots("") == []
    with pytest.raises(ValidationError):
        read_slots("06:00")


def test_a_count_is_recorded_corrected_and_removed_through_its_pages(enter, plant):
    client = enter("technician")
    typed = {"asset": plant.filler.pk, "product": "Cola", "start": "2026-03-02T09:00", "end": "2026-03-02T10:00",
             "good": "3400", "scrap": "12", "rework": "0", "ideal_cycle": "1.05"}  # fmt: skip
    client.post("/production/new/", typed)
    count = Count.objects.get()
    assert (count.good, count.start) == (3400, NINE)
    following = client.get(f"/production/new/?asset={plant.filler.pk}").content.decode()
    assert 'name="start" value="2026-03-02T10:00"' in following
    client.post(f"/production/{count.pk}/", {**typed, "scrap": "20", "why": "Recount", "version": count.version})
    count.refresh_from_db()
    assert count.scrap == 20
    wrong = client.post(f"/production/{count.pk}/", {**typed, "end": "2026-03-02T08:00", "version": count.version})
    assert wrong.status_code == 422
    client.post(f"/production/{count.pk}/remove/", {"reason": "Counter was reset"})
    assert not Count.objects.exists()
    assert Event.objects.get(verb="count.removed").data["why"] == "Counter was reset"


def test_lists_cost_a_constant_number_of_queries(enter, plant, django_assert_max_num_queries):
    for number in range(12):
        year = date(2010 + number, 1, 1)
        pattern = Pattern(year, date(2011 + number, 1, 1), {0: (EARLY,)}, {year: ()})
        agreeing.agree(plant.berlin, None, Agreement(f"C{number}", pattern, {}), by=plant.planner)
        at = NINE + timedelta(hours=number)
        entry = CountEntry(plant.filler, at, at + timedelta(hours=1), ideal_cycle=Decimal(1))
        counting.record_count(entry, by=plant.planner)
    client = enter("planner")
    for address, queries in (("/calendars/", 11), ("/production/", 9)):
        with django_assert_max_num_queries(queries):
            assert client.get(address).status_code == 200
