"""Windows of the pages of figures: calendar units, shifts, clock changes, and what each is compared with."""

from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from core.models import Site
from kpis import windows
from kpis.windows import FORMER, NOTHING, YEAR, Window
from production.models import OperatingCalendar

BERLIN = ZoneInfo("Europe/Berlin")


def site(**fields) -> Site:
    return Site(code="berlin", time_zone="Europe/Berlin", **{"day_start": time(0), **fields})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def asked(text: str, now: str = "2026-11-29T10:23", *, of: Site | None = None, below=None) -> Window:
    return windows.asked(of or site(), QueryDict(text), now=at(now), asset=below)


def days(window: Window | None) -> tuple[date, date]:
    """First and last day."""
    assert window is not None
    assert window.whole
    return window.first, window.last


def d(text: str) -> tuple[date, date]:
    first, _, last = text.partition(" ")
    return date.fromisoformat(first), date.fromisoformat(last or first)


def hours(window: Window | None) -> tuple[str, str]:
    """Start and end on the site's clock."""
    assert window is not None
    start, end = (window.site.local(edge) for edge in (window.start, window.end))
    return f"{start:%Y-%m-%d %H:%M}", f"{end:%Y-%m-%d %H:%M}"


# --- Days and calendar units -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("today", "2026-11-29"),
        ("day", "2026-11-28"),
        ("week", "2026-11-23 2026-11-29"),
        ("last-week", "2026-11-16 2026-11-22"),
        ("month", "2026-11-01 2026-11-29"),
        ("last-month", "2026-10-01 2026-10-31"),
        ("quarter", "2026-10-01 2026-11-29"),
        ("last-quarter", "2026-07-01 2026-09-30"),
        ("year", "2026-01-01 2026-11-29"),
        ("last-year", "2025-01-01 2025-12-31"),
        ("7d", "2026-11-22 2026-11-28"),
    ],
)
def test_a_window_by_name_and_its_dates_are_the_same_window(name, expected):
    window = asked(f"window={name}")
    assert (window.name, days(window)) == (name, d(expected))
    again = asked(urlencode(window.query))
    assert days(again) == d(expected)
    assert again.name == name


def test_the_default_window_is_thirty_whole_days():
    assert (asked("").name, days(asked(""))) == ("30d", d("2026-10-30 2026-11-28"))
    assert asked("window=zz").name == "30d"


@pytest.mark.parametrize(
    ("start", "before", "after"),
    [
        ("from=2027-03-01&to=2027-03-31", "2027-02-01 2027-02-28", "2027-04-01 2027-04-30"),
        ("from=2028-03-01&to=2028-03-31", "2028-02-01 2028-02-29", "2028-04-01 2028-04-30"),
        ("from=2027-01-01&to=2027-03-31", "2026-10-01 2026-12-31", "2027-04-01 2027-06-30"),
        ("from=2024-01-01&to=2024-12-31", "2023-01-01 2023-12-31", "2025-01-01 2025-12-31"),
        ("from=2027-01-04&to=2027-01-10", "2026-12-28 2027-01-03", "2027-01-11 2027-01-17"),
        ("from=2027-03-02&to=2027-03-31", "2027-01-31 2027-03-01", "2027-04-01 2027-04-30"),
        ("from=2027-02-01&to=2027-04-30", "2026-11-04 2027-01-31", "2027-05-01 2027-07-28"),
        ("from=2027-03-28&to=2027-03-28", "2027-03-27", "2027-03-29"),
    ],
)
def test_a_step_goes_by_the_calendar_where_the_window_is_a_calendar_unit(start, before, after):
    window = asked(start)
    assert days(window.moved(-1)) == d(before)
    assert days(window.moved(1)) == d(after)


def test_a_running_unit_steps_to_the_whole_one_before():
    assert days(asked("window=month").moved(-1)) == d("2026-10-01 2026-10-31")
    assert days(asked("window=month").moved(-1).moved(-1)) == d("2026-09-01 2026-09-30")
    assert days(asked("window=week").moved(-1)) == d("2026-11-16 2026-11-22")


@pytest.mark.parametrize(("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)])
def test_a_day_of_a_clock_change_is_as_long_as_it_is(day, length):
    window = asked(f"from={day}&to={day}", of=site(day_start=time(0)))
    assert window.whole
    assert window.end - window.start == timedelta(hours=length)


def test_days_begin_at_the_hour_of_the_site():
    early = asked("window=today", "2026-11-29T05:59", of=site(day_start=time(6)))
    late = asked("window=today", "2026-11-29T06:00", of=site(day_start=time(6)))
    assert (days(early), days(late)) == (d("2026-11-28"), d("2026-11-29"))
    assert hours(late) == ("2026-11-29 06:00", "2026-11-30 06:00")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from=soon&to=", "Give both dates"),
        ("from=2026-01-31&to=2026-01-01", "The last day lies before the first."),
        ("from=2000-01-01&to=2026-01-01", "ten years"),
        ("from=0001-01-01&to=0001-01-02", "Give both dates"),
        ("from=9999-12-31&to=9999-12-31", "Give both dates"),
        ("from=2026-01-01T06:00:00&to=2026-01-01T14:00:00", "Give both dates"),  # without an offset
        ("from_time=06:00&to=2026-01-01", "Give both dates"),
        ("from=2026-01-01T06:00:00Z&from_time=06:00&to=2026-01-02", "Give both dates"),
        ("from=2026-01-01&from_time=six&to=2026-01-02", "Give times as hour and minute, such as 06:00."),
        ("from=2026-01-01&to=2026-01-02&to_time=24:00", "Give times as hour and minute, such as 06:00."),
        ("from=2026-01-01&to=2026-01-02&to_time=06:00Z", "Give times as hour and minute, such as 06:00."),
        ("from=2026-01-02&from_time=14:00&to=2026-01-02&to_time=06:00", "The window ends before it begins."),
        ("from=2026-03-29&from_time=02:30&to=2026-03-29", "There was no 02:30 at the site on 29 Mar 2026"),
        ("from=2026-03-28&to=2026-03-29&to_time=02:00", "There was no 02:00 at the site on 29 Mar 2026"),
    ],
)
def test_what_is_wrong_with_dates_is_said_and_the_default_shown(text, said):
    window = asked(text)
    assert said in window.error
    assert window.name == "30d"


@pytest.mark.django_db  # a window of hours may be a shift
@pytest.mark.parametrize(
    ("text", "expected", "length", "said"),
    [
        ("from=2026-01-30&from_time=06:00&to=2026-01-30&to_time=14:15", "2026-01-30 06:00 2026-01-30 14:15", 8.25,
         "30 Jan 2026, 06:00 – 14:15"),
        ("from=2026-01-30&from_time=06:00&to=2026-01-31", "2026-01-30 06:00 2026-02-01 00:00", 42,
         "30 Jan 2026, 06:00 – 1 Feb 2026, 00:00"),
        ("from=2026-01-30&to=2026-01-31&to_time=06:00", "2026-01-30 00:00 2026-01-31 06:00", 30,
         "30 Jan 2026, 00:00 – 31 Jan 2026, 06:00"),
        ("from=2026-03-28&from_time=22:00&to=2026-03-29&to_time=06:00", "2026-03-28 22:00 2026-03-29 06:00", 7,
         "28 Mar 2026, 22:00 – 29 Mar 2026, 06:00 (7 h, the clock changes)"),
        ("from=2026-10-24&from_time=22:00&to=2026-10-25&to_time=06:00", "2026-10-24 22:00 2026-10-25 06:00", 9,
         "24 Oct 2026, 22:00 – 25 Oct 2026, 06:00 (9 h, the clock changes)"),
        ("from=2026-10-25&from_time=02:00&to=2026-10-25&to_time=02:30", "2026-10-25 02:00 2026-10-25 02:30", 1.5,
         "25 Oct 2026, 02:00 (UTC+2) – 02:30 (UTC+1) (1.5 h, the clock changes)"),
        ("from=2026-10-25T02:00:00%2B01:00&to=2026-10-25T02:30:00%2B01:00", "2026-10-25 02:00 2026-10-25 02:30", 0.5,
         "25 Oct 2026, 02:00 (UTC+1) – 02:30 (UTC+1)"),
    ],
)  # fmt: skip
def test_a_free_window_has_times_on_the_clock_of_the_site(text, expected, length, said):
    berlin = site()
    window = asked(text, of=berlin)
    assert window.error == ""
    assert " ".join(hours(window)) == expected
    assert window.end - window.start == timedelta(hours=length)
    assert str(window) == said
    assert asked(urlencode(window.query), of=berlin) == window, "Its own address is of the same instants"


@pytest.mark.django_db
def test_the_fields_show_times_only_where_the_window_is_not_of_whole_days():
    assert asked("window=7d").typed == {"from": "2026-11-22", "to": "2026-11-28"}
    by_hours = {"from": "2026-10-24", "from_time": "22:00", "to": "2026-10-25", "to_time": "02:30"}
    berlin = site()
    window = asked(urlencode(by_hours), of=berlin)
    assert window.typed == by_hours
    assert asked(urlencode(window.typed), of=berlin) == window
    days_of_six = asked("from=2026-01-30&from_time=06:00&to=2026-01-31&to_time=06:00", of=site(day_start=time(6)))
    assert days_of_six.typed == {"from": "2026-01-30", "to": "2026-01-30"}


# --- Compared with ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "former", "year"),
    [
        ("window=last-month", "2026-09-01 2026-09-30", "2025-10-01 2025-10-31"),
        ("window=30d", "2026-09-30 2026-10-29", "2025-10-30 2025-11-28"),
        ("window=365d", "2024-11-29 2025-11-28", "2024-11-29 2025-11-28"),
        ("window=day", "2026-11-27", "2025-11-29"),  # Saturdays
    ],
)
def test_what_a_window_is_compared_with(text, former, year):
    window, now = asked(text), at("2026-11-29T10:23")
    assert days(window.compared(FORMER, now=now)) == d(former)
    assert days(window.compared(YEAR, now=now)) == d(year)
    assert window.compared(NOTHING, now=now) is None


@pytest.mark.parametrize(
    ("text", "former", "year"),
    [
        ("window=month", ("2026-10-01", "2026-10-29"), ("2025-11-01", "2025-11-29")),
        ("window=week", ("2026-11-16", "2026-11-22"), ("2025-11-24", "2025-11-30")),
        ("from=2026-11-01&to=2026-11-30", ("2026-10-01", "2026-10-29"), ("2025-11-01", "2025-11-29")),
        ("from=2026-11-10&to=2026-12-09", ("2026-10-11", "2026-10-30"), ("2025-11-10", "2025-11-29")),
    ],
)
def test_a_running_window_is_compared_with_as_much_of_the_other_to_the_hour(text, former, year):
    """A sum of a day and a half beside one of two days would be a change that never happened."""
    window, now = asked(text), at("2026-11-29T10:23")
    for how, (first, last) in ((FORMER, former), (YEAR, year)):
        assert hours(window.compared(how, now=now)) == (f"{first} 00:00", f"{last} 10:23")
        if window.trend is window:  # it goes day by day
            assert days(window.compared_trend(how, now=now)) == d(f"{first} {last}")


def test_a_running_week_is_compared_on_the_clock_of_the_day_that_is_running():
    window, now = asked("window=week", "2026-10-27T06:00"), at("2026-10-27T06:00")  # the clock changed on Sunday
    assert hours(window.compared(FORMER, now=now)) == ("2026-10-19 00:00", "2026-10-20 06:00")


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("from=2028-02-01&to=2028-02-29", "2027-02-01 2027-02-28"),  # a month is a month
        ("from=2029-02-01&to=2029-02-28", "2028-02-01 2028-02-29"),
        ("from=2028-02-20&to=2028-02-29", "2027-02-20 2027-02-28"),  # dates go by date
        ("from=2029-02-20&to=2029-03-05", "2028-02-20 2028-03-05"),
        ("from=2028-02-29&to=2028-02-29", "2027-03-02"),  # a day keeps its weekday
        ("from=2028-01-01&to=2028-12-31", "2027-01-01 2027-12-31"),
    ],
)
def test_a_year_back_over_a_leap_day(text, year):
    assert days(asked(text).compared(YEAR, now=at("2030-01-01T00:00"))) == d(year)


def test_the_end_of_a_long_month_so_far_is_compared_with_the_whole_shorter_one():
    window, now = asked("window=month", "2027-03-31T12:00"), at("2027-03-31T12:00")
    assert days(window.compared(FORMER, now=now)) == d("2027-02-01 2027-02-28")


def test_today_so_far_is_compared_with_as_much_of_yesterday():
    window, now = asked("window=today"), at("2026-11-29T10:23")
    assert hours(window.compared(FORMER, now=now)) == ("2026-11-28 00:00", "2026-11-28 10:23")
    assert hours(window.compared(YEAR, now=now)) == ("2025-11-30 00:00", "2025-11-30 10:23")


def test_a_short_window_has_a_trend_of_two_weeks_and_the_two_before_beside_it():
    window, now = asked("window=day"), at("2026-11-29T10:23")
    assert days(window.trend) == d("2026-11-15 2026-11-28")
    assert days(window.compared_trend(FORMER, now=now)) == d("2026-11-01 2026-11-14")
    assert days(window.compared_trend(YEAR, now=now)) == d("2025-11-16 2025-11-29")
    assert window.compared_trend(NOTHING, now=now) is None
    month = asked("window=last-month")
    assert month.trend is month
    assert days(month.compared_trend(FORMER, now=now)) == d("2026-09-01 2026-09-30")


# --- Shifts ----------------------------------------------------------------------------------------------

THREE = [(time(6), time(14)), (time(14), time(22)), (time(22), time(6))]


def follow(owner, slots, *, whose=None) -> OperatingCalendar:
    calendar = OperatingCalendar.objects.create(site=owner, asset=whose, name="Shifts", valid_from=date(2020, 1, 1))
    for weekday in range(7):
        for start, end in slots:
            calendar.weekly.create(weekday=weekday, start=start, end=end)
    return calendar


def test_this_shift_and_the_last_follow_the_calendar(plant):
    follow(plant.berlin, THREE)
    window = asked("window=shift", of=plant.berlin)
    assert (window.name, window.unit, hours(window)) == ("shift", "shift", ("2026-11-29 06:00", "2026-11-29 14:00"))
    last = asked("window=last-shift", of=plant.berlin)
    assert hours(last) == ("2026-11-28 22:00", "2026-11-29 06:00")  # over midnight
    assert hours(last.moved(-1)) == ("2026-11-28 14:00", "2026-11-28 22:00")
    assert hours(window.moved(1)) == ("2026-11-29 14:00", "2026-11-29 22:00")
    assert hours(asked("window=shift", "2026-11-30T02:00", of=plant.berlin)) == ("2026-11-29 22:00", "2026-11-30 06:00")
    assert hours(asked("window=shift", "2026-11-29T14:00", of=plant.berlin)) == ("2026-11-29 14:00", "2026-11-29 22:00")


def test_an_asset_goes_by_its_own_calendar(plant):
    follow(plant.berlin, THREE)
    follow(plant.berlin, [(time(7), time(19)), (time(19), time(7))], whose=plant.line)
    assert hours(asked("window=shift", of=plant.berlin, below=plant.filler)) == ("2026-11-29 07:00", "2026-11-29 19:00")
    assert hours(asked("window=shift", of=plant.berlin)) == ("2026-11-29 06:00", "2026-11-29 14:00")


@pytest.mark.parametrize(("now", "length"), [("2026-03-29T04:00", 7), ("2026-10-25T04:00", 9), ("2026-10-26T04:00", 8)])
def test_the_night_of_a_clock_change_is_a_shorter_or_longer_shift(plant, now, length):
    follow(plant.berlin, THREE)
    window = asked("window=shift", now, of=plant.berlin)
    assert window.end - window.start == timedelta(hours=length)
    assert hours(window)[1].endswith("06:00")


def test_a_shift_is_compared_with_as_much_of_the_one_before_or_of_the_same_weekday_a_year_ago(plant):
    follow(plant.berlin, THREE)
    window, now = asked("window=shift", of=plant.berlin), at("2026-11-29T10:23")
    assert hours(window.compared(FORMER, now=now)) == ("2026-11-28 22:00", "2026-11-29 02:23")
    assert hours(window.compared(YEAR, now=now)) == ("2025-11-30 06:00", "2025-11-30 10:23")
    whole = asked("window=last-shift", of=plant.berlin)
    assert hours(whole.compared(FORMER, now=now)) == ("2026-11-28 14:00", "2026-11-28 22:00")
    assert hours(whole.trend) == ("2026-11-21 22:00", "2026-11-29 06:00")
    assert hours(whole.compared_trend(FORMER, now=now)) == ("2026-11-14 22:00", "2026-11-22 06:00")
    assert (whole.by, whole.trend.by) == ("shift", "shift")


def test_without_a_calendar_it_is_said_and_the_default_shown(plant):
    window = asked("window=shift", of=plant.berlin)
    assert (window.name, window.error) == ("30d", "No operating calendar says when shifts begin.")


def test_a_calendar_that_is_long_over_has_no_shift_now(plant):
    calendar = follow(plant.berlin, [])
    assert calendar.weekly.count() == 0
    assert asked("window=last-shift", of=plant.berlin).error == "By the operating calendar no shift is near this time."


def test_a_shift_by_its_instants_is_known_as_one(plant):
    follow(plant.berlin, THREE)
    past = asked("from=2026-11-20T22:00:00%2B01:00&to=2026-11-21T06:00:00%2B01:00", of=plant.berlin)
    assert (past.name, past.unit, past.label) == ("free", "shift", "Shift")
    assert hours(past.moved(1)) == ("2026-11-21 06:00", "2026-11-21 14:00")
    running = asked("from=2026-11-29T06:00:00%2B01:00&to=2026-11-29T14:00:00%2B01:00", of=plant.berlin)
    assert running.name == "shift"
    odd = asked("from=2026-11-20T22:30:00 01:00&to=2026-11-21T06:00:00Z", of=plant.berlin)
    assert (odd.unit, hours(odd)) == ("", ("2026-11-20 22:30", "2026-11-21 07:00"))
    assert hours(odd.moved(-1)) == ("2026-11-20 14:00", "2026-11-20 22:30")


def test_a_shift_as_long_as_a_day_stays_a_shift(plant):
    follow(plant.berlin, [(time(0), time(0))])
    last = asked("window=last-shift", of=plant.berlin)
    assert (last.whole, hours(last)) == (True, ("2026-11-28 00:00", "2026-11-29 00:00"))
    again = asked(urlencode(last.query), of=plant.berlin)
    assert (again.unit, hours(again.moved(-1))) == ("shift", ("2026-11-27 00:00", "2026-11-28 00:00"))
    assert str(last) == "28 Nov 2026, 00:00 – 29 Nov 2026, 00:00"


# --- The way back from a figure --------------------------------------------------------------------------


def back(plant, start: str, end: str, now: str) -> Window:
    window = windows.leading_back(plant.berlin, None, at(start), at(end), now=at(now))
    return windows.asked(plant.berlin, QueryDict(urlencode(window.query)), now=at(now))


def test_a_figure_leads_back_to_the_window_in_which_it_stood(plant):
    follow(plant.berlin, THREE)
    now = "2026-11-29T10:25"
    assert back(plant, "2026-11-29T06:00", "2026-11-29T10:23", now).name == "shift"
    assert back(plant, "2026-11-28T22:00", "2026-11-29T06:00", now).unit == "shift"
    assert back(plant, "2026-11-01T00:00", "2026-11-29T10:23", now).name == "month"
    assert back(plant, "2026-11-29T00:00", "2026-11-29T10:23", now).name == "today"
    assert back(plant, "2026-11-28T00:00", "2026-11-29T00:00", now).name == "day"
    # The shift has gone on since: what the figure was about has no name.
    old = back(plant, "2026-11-29T06:00", "2026-11-29T10:23", "2026-11-29T15:00")
    assert (old.name, hours(old)) == ("free", ("2026-11-29 06:00", "2026-11-29 10:23"))
