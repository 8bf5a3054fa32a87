"""The wall board: how each machine is doing now, figures of today and of this shift, stops, and open work."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assets.models import Downtime
from kpis import boarding, targets
from kpis.boarding import NO_DATA, NOT_SCHEDULED, RUNNING, machines_now
from people.models import Membership
from production.models import OperatingCalendar
from tests.plant import asset
from tests.workorders.orders import order

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def now():
    return timezone.now().replace(microsecond=0)


def board(plant, now, below=None):
    return boarding.board(plant.berlin, below, plant.manager, now=now)


def states(found) -> dict[str, tuple[str, str, str]]:
    return {each.asset.code: (str(each.badge), each.since, each.reason) for _line, rows in found.lines for each in rows}


def stop(of, start, end=None, **fields) -> Downtime:
    return Downtime.objects.create(asset=of, start=start, end=end, **fields)


def closed_always(site) -> None:
    OperatingCalendar.objects.create(site=site, name="Closed", valid_from=date(2020, 1, 1))


def test_each_machine_says_how_it_is_doing(plant, now):
    since = now - 5 * MINUTE
    stop(plant.filler, since, reason=plant.breakdown)
    stop(plant.labeller, now - 3 * HOUR, now - 2 * HOUR)
    found = board(plant, now)
    assert states(found) == {
        "M1": ("Down", boarding.clock(since, plant.berlin, now), "Breakdown"),
        "M2": ("Running", "", ""),
        "M3": ("No data", "", ""),
    }
    assert found.answer == "1 machine of 3 is down."


def test_a_planned_stop_is_called_so_until_it_overruns(plant, now):
    planned = {"planned": True, "reason": plant.lunch}
    stop(plant.filler, now - HOUR, planned_end=now + HOUR, **planned)
    stop(plant.labeller, now - HOUR, planned_end=now - MINUTE, **planned)
    stop(plant.palletiser, now - HOUR, planned=True, reason=plant.setup)
    found = {code: state for code, (state, *_rest) in states(board(plant, now)).items()}
    assert found == {"M1": "Planned stop", "M2": "Down", "M3": "Planned stop"}
    plant.berlin.overrun_is_unplanned = False
    assert states(board(plant, now))["M2"][0] == "Planned stop"


def test_outside_its_calendar_a_machine_is_not_scheduled_but_a_stop_is_still_said(plant, now):
    closed_always(plant.berlin)
    stop(plant.filler, now - HOUR)
    stop(plant.labeller, now - 3 * HOUR, now - 2 * HOUR)
    found = states(board(plant, now))
    assert found["M1"][::2] == ("Down", "no reason yet")
    assert found["M2"][0] == "Not scheduled"


def test_a_machine_is_down_with_the_component_that_stops_it(plant, now):
    valve = asset(plant.berlin, "M1-V", parent=plant.filler, stops_parent=True, level="component")
    stop(plant.filler, now - 9 * HOUR, now - 8 * HOUR)
    stop(valve, now - HOUR, reason=plant.breakdown)
    (filler,) = machines_now(plant.berlin, [plant.filler], now=now)
    assert (str(filler.badge), filler.reason) == ("Down", "Breakdown")


def test_a_line_shows_only_its_own(plant, now):
    other = asset(plant.berlin, "L2", level="line")
    asset(plant.berlin, "N1", parent=other)
    assert list(states(board(plant, now, other))) == ["N1"]
    assert set(states(board(plant, now, plant.line))) == {"M1", "M2", "M3"}
    assert set(states(board(plant, now))) == {"M1", "M2", "M3", "N1"}
    assert [line.code for line, _machines in board(plant, now).lines] == ["L1", "L2"]


def test_retired_and_archived_machines_are_not_shown(plant, now):
    plant.labeller.retired = now - HOUR
    plant.labeller.save()
    plant.palletiser.archived_at = now
    plant.palletiser.save()
    assert list(states(board(plant, now))) == ["M1"]


def test_of_too_many_machines_those_that_stand_still_are_shown(plant, now, monkeypatch):
    monkeypatch.setattr(boarding, "MOST_MACHINES", 1)
    stop(plant.palletiser, now - HOUR)
    found = board(plant, now)
    assert (list(states(found)), found.more_machines) == (["M3"], 2)
    assert found.answer == "1 machine of 3 is down."


def test_figures_of_today_and_of_the_shift_stand_beside_their_target(plant, now):
    calendar = OperatingCalendar.objects.create(site=plant.berlin, name="Always", valid_from=date(2020, 1, 1))
    for weekday in range(7):
        calendar.weekly.create(weekday=weekday, start=time(0), end=time(0))
    values = {"definition": "availability", "value": 0.9, "owner": plant.manager, "valid_from": date(2026, 1, 1)}
    targets.set_target(plant.berlin, plant.filler, values, by=plant.manager)
    start = plant.berlin.day_begins(plant.berlin.production_day(now))
    stop(plant.filler, start - HOUR, now)
    found = board(plant, now, plant.filler)
    today, shift = found.today[0], found.shift[0]
    assert (today.value, today.tone, shift.value, shift.tone) == (0, "stop", 0, "stop")
    assert "before" not in today.note
    assert found.today[1].missing == "no data"
    assert found.shift_words == boarding.clock(start, plant.berlin, now)


def test_without_a_calendar_no_shift_is_made_up(plant, now):
    found = board(plant, now)
    assert (found.shift, found.shift_words) == ([], "No operating calendar says when shifts begin.")


def test_stops_of_the_last_hours_are_the_newest_first(plant, now):
    old = stop(plant.filler, now - 12 * HOUR, now - 9 * HOUR)
    reaching = stop(plant.filler, now - 9 * HOUR, now - 7 * HOUR)
    latest = stop(plant.labeller, now - HOUR)
    foreign = stop(plant.foreign, now - HOUR)
    found = board(plant, now)
    assert found.stops == [latest, reaching]
    assert {old, foreign}.isdisjoint(found.stops)


def test_open_stops_come_before_all_others_and_the_rest_is_counted(plant, now, monkeypatch):
    monkeypatch.setattr(boarding, "MOST_STOPS", 6)
    early, late = stop(plant.filler, now - 20 * HOUR), stop(plant.labeller, now - 2 * HOUR)
    over = [stop(plant.palletiser, now - number * MINUTE, now - (number - 1) * MINUTE) for number in range(20, 26)]
    found = board(plant, now)
    assert (found.stops, found.more_stops) == ([late, early, *over[:4]], 2)


def test_open_orders_are_counted_by_urgency(plant, now):
    for priority, due in ((1, None), (3, -1), (3, 1)):
        row = order(plant, "approved")
        row.priority, row.due_to = priority, due and now + due * HOUR
        row.created = now - (2 + (due or 0)) * HOUR
        row.save()
    urgent, medium = board(plant, now, plant.line).work
    assert (str(urgent.badge), urgent.orders, urgent.overdue) == ("Emergency", 1, 0)
    assert (medium.orders, medium.overdue, medium.oldest) == (2, 1, now - 3 * HOUR)
    assert f"ancestor={plant.line.pk}" in medium.url
    assert board(plant, now, asset(plant.berlin, "N1")).work == []


# --- The page --------------------------------------------------------------------------------------------


@pytest.fixture
def manager(client, plant):
    client.force_login(plant.manager)
    return client


def test_the_page_is_dark_unless_the_browser_was_told_otherwise(manager, plant):
    page = manager.get(reverse("performance-board"))
    assert 'data-theme="dark" data-bs-theme="dark"' in page.content.decode()
    assert 'class="sidebar' not in page.content.decode()
    manager.cookies["tandem_theme"] = "light"
    assert 'data-theme="light"' in manager.get(reverse("performance-board")).content.decode()
    manager.cookies["tandem_theme"] = "auto"
    assert 'data-theme="auto"' in manager.get(reverse("performance")).content.decode()


def test_performance_leads_to_the_board_and_back(manager, plant):
    url = f"{reverse('performance-board')}?asset={plant.line.pk}"
    assert url in manager.get(reverse("performance"), {"asset": plant.line.pk}).content.decode()
    page = manager.get(url).content.decode()
    assert f'href="{reverse("performance")}?asset={plant.line.pk}"' in page
    assert "L1 · Line 1" in page


def test_a_board_of_another_site_leaves_the_chosen_site_alone(manager, plant):
    Membership.objects.create(user=plant.manager, site=plant.chicago, role="manager")
    manager.get(reverse("performance"), {"site": "berlin"})
    for query in ({"of": "chicago"}, {"asset": plant.foreign.pk}):
        page = manager.get(reverse("performance-board"), query)
        assert (page.status_code, page.context["site"]) == (200, plant.chicago)
        assert manager.session["site"] == "berlin"
    assert manager.get(reverse("performance-board")).context["site"] == plant.berlin
    assert f"{reverse('performance-board')}?of=berlin" in manager.get(reverse("performance")).content.decode()


def test_a_site_that_one_may_not_see_has_no_board(manager, plant):
    assert manager.get(reverse("performance-board"), {"of": "chicago"}).status_code == 404
    assert manager.get(reverse("performance-board"), {"of": "zz"}).status_code == 404


def test_an_asset_of_another_site_has_no_board(manager, plant):
    assert manager.get(reverse("performance-board"), {"asset": plant.foreign.pk}).status_code == 404
    assert manager.get(reverse("performance-board"), {"asset": "zz"}).status_code == 404


def test_it_costs_the_same_number_of_queries_however_many_machines(manager, plant, now):
    order(plant, "approved")
    stop(plant.filler, now - HOUR, reason=plant.breakdown)

    def asked_for() -> int:
        manager.get(reverse("performance-board"))
        with CaptureQueriesContext(connection) as queries:
            assert manager.get(reverse("performance-board")).status_code == 200
        return len(queries)

    few = asked_for()
    for number in range(20):
        machine = asset(plant.berlin, f"N{number}", parent=plant.line)
        stop(machine, now - HOUR, reason=plant.breakdown)
        order(plant, "approved")
    assert asked_for() == few


def test_badges_differ_in_word_and_icon():
    shown = [RUNNING, NOT_SCHEDULED, NO_DATA]
    assert len({each.icon for each in shown}) == len({str(each.label) for each in shown}) == 3


def test_the_more_machines_the_closer_they_stand(plant, now, monkeypatch):
    assert board(plant, now).density == ""
    monkeypatch.setattr(boarding, "ROOMY", 2)
    assert board(plant, now).density == "dense"
    monkeypatch.setattr(boarding, "DENSE", 2)
    assert board(plant, now).density == "tight"
