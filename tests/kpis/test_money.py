"""Money: the net margin of a site, and what the cost of downtime takes of it."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from assets.models import Asset, Downtime
from core.errors import Conflict, NotAllowed, Refused
from core.events import history
from core.models import Site
from kpis import figures, net_margins
from kpis.backlog import Stood
from kpis.definitions import DEFINITIONS
from kpis.formulas import Reason, Status
from kpis.intervals import span
from kpis.margin import Earned, Lens, Yearly, earned
from kpis.models import NetMargin
from kpis.money import month_of, ranking
from kpis.work import Lack
from tests.contracts.api import ApiContract, assert_problem, client_of
from tests.kpis.test_work_database import BEGIN, DAY, END, HOUR, NOW, read
from tests.kpis.test_work_database import broken as broken  # the fixture

BERLIN = Site(time_zone="Europe/Berlin", day_start=time(0))
EARLY = Site(time_zone="Europe/Berlin", day_start=time(6))
JANUARY = date(2026, 1, 1)
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}


def of(rates, first: date, past: date, site: Site = BERLIN) -> Earned:
    return earned(rates, span(site.day_begins(first), site.day_begins(past)), site.day_begins)


def hourly(plant, **costs) -> None:
    for name, amount in costs.items():
        Asset.objects.filter(pk=getattr(plant, name).pk).update(downtime_cost=amount)


def margin(plant, amount="8760", valid_from=JANUARY) -> NetMargin:
    """By default one euro an hour."""
    return net_margins.VERBS.set(plant.berlin, {"amount": Decimal(amount), "valid_from": valid_from}, by=plant.manager)


# --- The arithmetic ------------------------------------------------------------------------------


@pytest.mark.parametrize("site", [BERLIN, EARLY], ids=["midnight", "six o'clock"])
def test_a_window_has_its_share_of_the_year_by_time(site):
    rates = [Yearly(JANUARY, 365_000)]
    assert of(rates, date(2026, 6, 1), date(2026, 6, 2), site).amount == pytest.approx(1000)
    assert of(rates, date(2026, 3, 1), date(2026, 4, 1), site).amount == pytest.approx(31_000 - 1000 / 24)
    assert of(rates, date(2026, 10, 1), date(2026, 11, 1), site).amount == pytest.approx(31_000 + 1000 / 24)
    for year in (2026, 2028):
        assert of(rates, date(year, 1, 1), date(year + 1, 1, 1), site).amount == pytest.approx(365_000)
    assert of(rates, date(2028, 6, 1), date(2028, 6, 2), site).amount == pytest.approx(365_000 / 366)


def test_each_margin_holds_until_the_next_and_over_the_year():
    rates = [Yearly(date(2026, 7, 1), 730_000), Yearly(JANUARY, 365_000)]
    assert of(rates, date(2026, 6, 30), date(2026, 7, 2)).amount == pytest.approx(1000 + 2000)
    assert of(rates, date(2026, 12, 31), date(2027, 1, 2)).amount == pytest.approx(4000)
    assert of(rates, date(2025, 12, 31), date(2026, 1, 2)) == Earned(
        pytest.approx(1000), known=86_400, whole=2 * 86_400
    )  # fmt: skip
    assert of([], JANUARY, date(2026, 2, 1)).known == 0
    assert of(rates, date(2025, 1, 1), JANUARY).known == 0


def test_the_year_is_that_of_the_site_and_not_of_utc():
    rates = [Yearly(date(2024, 1, 1), 366_000), Yearly(JANUARY, 0)]
    chicago = Site(time_zone="America/Chicago", day_start=time(6))
    hour = timedelta(hours=1)
    first = chicago.day_begins(date(2025, 1, 1))  # noon of 1 January in UTC
    assert earned(rates, span(first - hour, first), chicago.day_begins).amount == pytest.approx(1000 / 24)
    begin = BERLIN.day_begins(date(2025, 1, 1))  # 23 o'clock of 31 December in UTC
    later = earned(rates, span(begin, begin + hour / 2), BERLIN.day_begins)
    assert later.amount == pytest.approx(366_000 / 365 / 48)


STOOD = Stood(amount=1300, assets=2, recorded=2, scheduled=100)


@pytest.mark.parametrize(
    ("lens", "value", "status", "reason"),
    [
        (Lens(STOOD, Earned(6500, 10, 10)), 0.2, Status.OK, Reason.NONE),
        (Lens(Stood(assets=1, recorded=1, scheduled=1), Earned(6500, 10, 10)), 0, Status.OK, Reason.NONE),
        (Lens(STOOD, Earned(650, 10, 10)), 2, Status.OK, Reason.NONE),
        (Lens(Stood(), Earned(6500, 10, 10)), None, Status.NO_DATA, Lack.NO_HOURLY_COST),
        (Lens(Stood(assets=1, calendar=9), Earned(6500, 10, 10)), None, Status.NO_DATA, Reason.NO_RECORDS),
        (Lens(Stood(assets=1), Earned(6500, 10, 10)), None, Status.UNDEFINED, Reason.NOT_IN_SERVICE),
        (Lens(STOOD, Earned(0, 0, 10)), None, Status.NO_DATA, Lack.NO_MARGIN),
        (Lens(STOOD, Earned(5850, 9, 10)), None, Status.NO_DATA, Lack.MARGIN_LATER),
        (Lens(STOOD, Earned(0, 10, 10)), None, Status.UNDEFINED, Lack.NO_PROFIT),
        (Lens(STOOD, Earned(-5, 10, 10)), None, Status.UNDEFINED, Lack.NO_PROFIT),
    ],
)
def test_the_share_of_the_margin_or_the_reason_why_there_is_none(lens, value, status, reason):
    found = lens.share()
    assert (found.value, found.status, found.reason) == (value, status, reason)


def test_a_cost_known_for_a_part_only_is_a_partial_share():
    half = Stood(amount=1300, assets=2, recorded=1, scheduled=100, unobserved=100)
    found = Lens(half, Earned(6500, 10, 10)).share(0.8)
    assert (found.value, found.status, found.coverage) == (0.2, Status.PARTIAL, 0.5)


# --- The figure ----------------------------------------------------------------------------------


def test_the_cost_of_stops_as_share_of_the_net_margin(plant, broken):
    hourly(plant, filler=50)
    (figure,) = read(plant.line, "downtime_cost_of_margin", end=BEGIN + 30 * DAY - HOUR)
    assert (figure.value, figure.status, figure.reason_code) == (None, "no data", "no_margin")
    margin(plant, valid_from=BEGIN.date() + 11 * DAY)
    (figure,) = read(plant.line, "downtime_cost_of_margin", end=BEGIN + 30 * DAY - HOUR)
    assert (figure.value, figure.reason_code) == (None, "margin_later")
    margin(plant)
    for whose in (plant.filler, plant.line, plant.berlin):
        (figure,) = read(whose, "downtime_cost_of_margin", end=BEGIN + 30 * DAY - HOUR)
        assert figure.value == pytest.approx(14 * 50 / 719)  # the clock goes forward in these thirty days
        assert figure.inputs["net_margin"] == pytest.approx(719)
    (figure,) = read(plant.palletiser, "downtime_cost_of_margin")
    assert figure.reason_code == "no_hourly_cost"


def test_a_window_that_is_not_over_has_the_margin_until_now(plant, broken):
    hourly(plant, filler=50)
    margin(plant)
    (figure,) = read(plant.berlin, "downtime_cost_of_margin", start=BEGIN, end=END)
    assert figure.inputs["net_margin"] == pytest.approx(45 * 24 + 9)


def test_the_share_is_cut_by_day(plant, broken):
    hourly(plant, filler=50)
    margin(plant)
    found = read(plant.filler, "downtime_cost_of_margin", by="day", end=BEGIN + 2 * DAY)
    assert [figure.value for figure in found] == [pytest.approx(500 / 24), 0]


def test_its_explanation_names_margins_assets_and_stops_with_numbers(client, plant, broken):
    hourly(plant, filler=50)
    margin(plant, "10000", date(2020, 1, 1))
    row = margin(plant)
    client.force_login(plant.technician)
    query = {"asset": "L1", "definition": "downtime_cost_of_margin", "scope": "leaves", "from": "2026-03-02",
             "to": "2026-04-01"}  # fmt: skip
    why = client.get("/api/v1/kpis/explanation/", query).json()
    page = client.get(reverse("figure"), query).content.decode()
    assert why["calculation"] == "700.00 ÷ 719.00"
    assert [(each["kind"], each["numbers"]["amount"]) for each in why["records"] if each["counts"]] == [
        ("net_margin", 8760), ("asset", 50),
    ]  # fmt: skip
    assert len(why["stops"]) == 2
    for words in ("700.00 ÷ 719.00", row.get_absolute_url(), "Net margin of the site in this window"):
        assert words in page


# --- The margins ---------------------------------------------------------------------------------


def test_a_margin_is_set_changed_and_removed_with_its_history(plant):
    row = margin(plant)
    net_margins.VERBS.change(row, {"amount": Decimal("9000")}, by=plant.manager, version=1)
    assert [event.summary for event in history(row)] == [
        "Net margin changed: 9,000.00 EUR a year from 2026-01-01",
        "Net margin set: 8,760.00 EUR a year from 2026-01-01",
    ]
    with pytest.raises(Conflict):
        net_margins.VERBS.change(row, {"amount": Decimal("1")}, by=plant.manager, version=1)
    with pytest.raises(NotAllowed):
        net_margins.VERBS.remove(row, by=plant.planner)
    net_margins.VERBS.remove(row, by=plant.administrator)
    assert NetMargin.objects.count() == 0


def test_two_margins_never_begin_on_one_day_and_a_day_is_one_of_our_time(plant):
    row = margin(plant)
    with pytest.raises(Conflict):
        margin(plant)
    with pytest.raises(IntegrityError), transaction.atomic():  # PostgreSQL holds it as well
        NetMargin.objects.create(site=plant.berlin, amount=1, valid_from=JANUARY)
    for day in (date(1, 1, 1), date(9999, 12, 31)):
        with pytest.raises(Refused) as refused:
            net_margins.VERBS.change(row, {"valid_from": day}, by=plant.manager)
        assert refused.value.field == "valid_from"


def test_only_managers_enter_a_margin_and_only_at_their_site(client, plant):
    row = margin(plant)
    client.force_login(plant.planner)
    assert "8\u202f760" in client.get(reverse("net-margins")).content.decode()
    assert client.get(reverse("net-margin-new")).status_code == 403
    assert client.post(reverse("net-margin-edit", args=[row.pk]), {"amount": "1"}).status_code == 403
    client.force_login(plant.manager)
    page = client.post(reverse("net-margin-new"), {"amount": "1", "valid_from": "2026-01-01"})
    assert (page.status_code, "begins on this day already" in page.content.decode()) == (409, True)
    typed = {"amount": "120000", "valid_from": "2027-01-01"}
    assert client.post(reverse("net-margin-new"), typed).url == NetMargin.objects.first().get_absolute_url()
    client.force_login(plant.stranger)
    for name in ("net-margin", "net-margin-edit", "net-margin-remove"):
        assert client.get(reverse(name, args=[row.pk])).status_code == 404


class TestNetMargins(ApiContract):
    resource = "net-margins"
    caller = "manager"
    filters = {"until": "2024-06-01"}
    create = {"site": "berlin", "amount": 500, "valid_from": "2031-01-01"}
    change = {"amount": 700}
    may_write = frozenset({"manager", "administrator"})

    def rows(self, plant):
        if not NetMargin.objects.filter(site=plant.berlin).exists():
            for year in (2023, 2024, 2025, 2026):
                margin(plant, valid_from=date(year, 1, 1))
        return list(NetMargin.objects.filter(site=plant.berlin))

    def more(self, plant):
        margin(plant, valid_from=JANUARY - timedelta(days=NetMargin.objects.count()))

    def foreign(self, plant):
        values = {"amount": Decimal(5), "valid_from": JANUARY}
        return net_margins.VERBS.set(plant.chicago, values, by=None)


def test_a_margin_stays_with_its_site(plant):
    row = margin(plant)
    answer = client_of(plant.stranger).patch(f"/api/v1/net-margins/{row.pk}/", {"site": "chicago"})
    assert_problem(answer, 404)
    NetMargin.objects.filter(pk=row.pk).update(site=plant.chicago)
    plant.stranger.memberships.create(site=plant.berlin, role="manager")
    answer = client_of(plant.stranger).patch(f"/api/v1/net-margins/{row.pk}/", {"site": "berlin"})
    assert_problem(answer, 422, "owner_is_fixed", "site")


# --- The page ------------------------------------------------------------------------------------


def test_performance_tells_what_stops_cost_and_what_an_hour_takes_of_the_month(client, plant, broken):
    hourly(plant, filler=50, line=80, palletiser=20)
    margin(plant)
    client.force_login(plant.manager)
    line = client.get(reverse("performance"), MARCH | {"asset": plant.line.pk}).content.decode()
    # The line stops with its filler: 14 h at 80, of a March of 743 h with a euro each.
    assert "Stops cost 1\u202f120\u202fEUR, 150.7\u202f% of the net margin of the site." in line
    assert "One hour of L1 costs 80\u202fEUR: 10.8\u202f% of the net margin of March 2026." in line
    ranking = line[line.index("Where stops cost most") :]
    assert ranking.index("M1 · Filler") < ranking.index("M3 · Palletiser")
    assert "The cost above is that of L1 at its own hourly cost" in ranking
    assert "700\u202fEUR" in ranking
    assert "6.73\u202f%" in ranking
    assert f"{reverse('figure')}?definition=downtime_cost&amp;" in ranking


def test_a_line_that_had_no_hourly_cost_in_the_window_is_what_its_machines_add_up_to(client, plant, broken):
    hourly(plant, filler=50, line=80, palletiser=20)
    plant.line.former_hourly_costs.create(until=date(2026, 4, 1), amount=None)
    client.force_login(plant.manager)
    page = client.get(reverse("performance"), MARCH | {"asset": plant.line.pk}).content.decode()
    assert "Where stops cost most" in page
    assert "do not add up to it" not in page


def test_the_ranking_is_of_the_assets_that_make_up_the_cost(plant, broken):
    hourly(plant, filler=50, labeller=40, palletiser=20)
    Downtime.objects.create(asset=plant.labeller, start=BEGIN, end=BEGIN + 50 * HOUR, reason=plant.breakdown)

    def ranked(asset):
        (whole,) = figures.periods([asset], site=plant.berlin, start=BEGIN, end=BEGIN + 30 * DAY, now=NOW)
        return whole, [(each.asset.code, each.value, each.status) for each in ranking(whole)]

    whole, found = ranked(None)
    assert found == [("M2", 2000, "ok"), ("M1", 700, "ok"), ("M3", None, "no data")]
    assert whole.figure(DEFINITIONS["downtime_cost"]).value == 2700
    hourly(plant, line=80)
    assert ranked(None)[1] == [("L1", 14 * 80, "ok")]
    assert read(plant.berlin, "downtime_cost")[0].inputs["priced_assets"] == 1
    assert ranked(plant.line)[1] == found
    assert ranked(plant.filler)[1] == []


def test_performance_without_margin_or_hourly_cost_says_what_to_enter_and_where(client, plant, broken):
    client.force_login(plant.manager)
    page = client.get(reverse("performance"), MARCH).content.decode()
    assert "No asset has an hourly cost yet; enter it where the asset is edited (cost of one hour down)." in page
    assert "No net margin of the site holds in March 2026" in page
    assert f'href="{reverse("net-margins")}"' in page
    assert "Where stops cost most" not in page
    page = client.get(reverse("performance"), MARCH | {"asset": plant.palletiser.pk}).content.decode()
    assert "Neither M3 nor anything below it has an hourly cost" in page
    hourly(plant, filler=50)
    page = client.get(reverse("performance"), MARCH | {"asset": plant.filler.pk}).content.decode()
    assert "Stops cost 700\u202fEUR. One hour of M1 costs 50\u202fEUR." in page


def test_a_month_without_a_whole_margin_or_with_a_loss_has_no_share(plant):
    margin(plant, valid_from=date(2026, 3, 2))
    assert month_of(plant.berlin, date(2026, 3, 31)).margin is None
    assert month_of(plant.berlin, date(2026, 12, 31)).margin == pytest.approx(31 * 24)
    margin(plant, "-8760", date(2027, 1, 1))
    assert month_of(plant.berlin, date(2027, 1, 31)).share(50) == ""


def test_the_page_asks_as_often_for_many_assets_and_margins(client, plant, broken, django_assert_max_num_queries):
    hourly(plant, filler=50)
    client.force_login(plant.manager)

    def queries() -> int:
        with django_assert_max_num_queries(100) as asked:
            client.get(reverse("performance"), MARCH | {"asset": plant.line.pk})
        return len(asked)

    margin(plant)
    queries()
    few = queries()
    hourly(plant, line=80, labeller=10, palletiser=20)
    margin(plant, valid_from=date(2026, 2, 1))
    margin(plant, valid_from=datetime(2026, 3, 5, tzinfo=UTC).date())
    assert queries() == few
