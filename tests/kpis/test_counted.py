"""What counts for a line on the Performance page: its machines, each by itself, or the line with what stops it."""

import io
from datetime import date

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from assets.models import Downtime
from core.models import Site
from kpis import figures
from kpis.definitions import DEFINITIONS
from kpis.effectiveness import factors
from kpis.kept import keep, opened
from kpis.models import KeptReport, Target
from kpis.report import compose
from kpis.report_pdf import pdf
from kpis.weeks import Week
from people.models import Membership
from people.roles import Role
from production.models import Count
from tests.kpis.test_figures import BEGIN, HOUR
from tests.kpis.test_figures import history as history  # the fixture

WEEK = {"from": "2026-03-02", "to": "2026-03-08"}


@pytest.fixture
def page(client, plant, history):
    client.force_login(plant.manager)
    return lambda **query: client.get(reverse("performance"), WEEK | {"part": "more"} | query)


@pytest.fixture
def stops(plant, history):
    """Five hours of the line's own, and seven of a machine that does not stop it."""
    Downtime.objects.create(asset=plant.line, start=BEGIN, end=BEGIN + 5 * HOUR, reason=plant.setup)
    Downtime.objects.create(asset=plant.labeller, start=BEGIN, end=BEGIN + 7 * HOUR, reason=plant.breakdown)


def lost(answer) -> dict[str, float]:
    """Hours by reason, from the chart."""
    (chart,) = (each for each in answer.context["charts"] if each.key == "stops")
    return {row[0]: row[1] for row in chart.rows}


def test_a_line_counts_its_machines_and_offers_itself(page, plant, stops):
    answer = page(asset=plant.line.pk)
    assert "Counts the 3 machines of L1, each by itself." in answer.content.decode()
    assert "scope=asset" in answer.context["counted"].other
    assert lost(answer) == {"Breakdown": 10}
    assert "scope=leaves" in answer.context["tiles"][0].url


def test_the_line_itself_is_stopped_by_its_own_stops_and_by_what_stops_it(page, plant, stops):
    answer = page(asset=plant.line.pk, scope="asset")
    assert "Counts L1 itself" in answer.content.decode()
    assert "work-title" not in answer.content.decode(), "Work is done on its machines"
    assert lost(answer) == {"Setup": 5, "Breakdown": 3}
    availability = answer.context["tiles"][0]
    assert "scope=asset" in availability.url, "The explanation is of the same figure"
    assert "scope=" not in answer.context["counted"].other


def test_the_choice_is_kept_from_window_to_window_and_not_for_another_asset(page, plant, stops):
    answer = page(asset=plant.line.pk, scope="asset")
    assert "scope=asset" in answer.context["earlier"]
    assert '<input type="hidden" name="scope" value="asset">' in answer.content.decode()
    assert all("scope=" not in row["url"] for row in answer.context["below"])


def test_a_target_is_held_beside_what_it_was_set_for(page, plant, stops):
    Target.objects.create(
        site=plant.berlin, asset=plant.line, definition="availability", value=0.9, valid_from=WEEK["from"],
        owner=plant.manager,
    )  # fmt: skip
    assert page(asset=plant.line.pk).context["tiles"][0].goal
    assert not page(asset=plant.line.pk, scope="asset").context["tiles"][0].goal


def test_a_machine_has_but_itself_and_a_site_but_its_machines(page, plant, stops):
    for whose in ({"asset": plant.filler.pk}, {}):
        answer = page(**whose, scope="asset")
        assert "scope=asset" not in answer.context["tiles"][0].url
        assert ("counted" in answer.content.decode()) is not bool(whose)
    assert "Counts the 3 machines of Bottling Berlin, each by itself." in answer.content.decode()
    assert answer.context["counted"].other == ""


def test_addresses_of_a_site_name_it(client, page, plant):
    """Whoever is sent one may have looked at another site."""
    Membership.objects.create(user=plant.manager, site=plant.chicago, role=Role.MANAGER)
    earlier = page().context["earlier"]
    client.get(reverse("performance"), {"site": "chicago"})
    assert client.get(earlier).context["site"] == plant.berlin


def test_a_link_stays_with_the_dates_whenever_it_is_opened(client, page, plant, history):
    exact = client.get(reverse("performance"), {"window": "week"}).context["exact"]
    assert "site=berlin" in exact
    assert "window=" not in exact
    window = client.get(reverse("performance"), {"window": "week"}).context["window"]
    again = client.get(exact).context
    assert (again["window"].start, again["window"].first) == (window.start, window.first)
    assert again["exact"] == "", "It is that already"


def test_addresses_of_an_asset_need_no_site(page, plant):
    assert "site=" not in page(asset=plant.line.pk).context["counted"].other


# --- OEE and the product that it is ----------------------------------------------------------------------


@pytest.fixture
def uncounted(stops):
    Count.objects.all().delete()


@pytest.fixture
def made(plant, uncounted):
    """Counts of one of the three machines: 60 h of good pieces and 20 h of scrap, at a minute each."""
    Count.objects.create(
        asset=plant.labeller, start=BEGIN + 8 * HOUR, end=BEGIN + 158 * HOUR, good=3600, scrap=1200, ideal_cycle=60
    )


def test_oee_shows_the_factors_whose_product_it_is(page, plant, made):
    """168 h planned, 7 h down, 80 h of pieces of which 60 h are good, while all machines stood 10 of 504 h."""
    answer = page(asset=plant.line.pk)
    availability, *_others, oee = answer.context["tiles"]
    assert oee.note.startswith("A 95.8\u202f% × P 49.7\u202f% × Q 75.0\u202f%")
    whole = figures.known(
        [plant.line], [(BEGIN, BEGIN + 168 * HOUR)], site=plant.berlin, now=BEGIN + 400 * HOUR
    )[0]  # fmt: skip
    found = factors(whole.figure(DEFINITIONS["oee"]).facts)
    assert (found.availability, found.performance, found.quality) == pytest.approx((161 / 168, 80 / 161, 60 / 80))
    assert found.availability * found.performance * found.quality == pytest.approx(oee.value / 100)
    assert availability.value != pytest.approx(found.availability * 100), "That is of all machines"
    assert "OEE is of the 1 of 3 machines with counts; its availability is 95.8\u202f%." in answer.content.decode()
    assert whole.machines == len(set(whole.assets)) == 3


def notes(answer) -> dict[str, str]:
    return {each.key: each.note for each in answer.context["charts"]}


def test_each_picture_of_losses_says_of_how_many_machines_it_is_where_they_differ(page, plant, made):
    found = notes(page(asset=plant.line.pk))
    assert found["losses"].startswith("Of the 1 of 3 machines with counts. OEE profile: ")
    assert found["stops"].startswith("Of all 3 machines.")
    alone = notes(page(asset=plant.labeller.pk))
    assert "Of " not in alone["losses"]
    assert alone["stops"] == ""
    assert "Of " not in notes(page(asset=plant.line.pk, scope="asset"))["stops"], "The line itself is one"


def test_the_largest_losses_of_a_report_say_of_how_many_machines_they_are(client, page, plant, made):
    now = BEGIN + 400 * HOUR
    said = "Reduced speed, scrap and rework are of the 1 of 3 machines with counts, stops of all 3."
    found = compose(plant.berlin, plant.line, Week(plant.berlin, date(2026, 3, 2)), now=now)
    assert found.losses_of == said
    with timezone.override(plant.berlin.zone):
        text = " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(pdf(found))).pages)
        assert said in " ".join(text.split())
        for name in ("mail/report.html", "mail/report.txt"):
            context = {"report": found, "base": "", "stop": ""}
            assert said in render_to_string(f"kpis/{name}", context), name
    asked = {"week": "2026-W10", "asset": plant.line.pk}
    assert said in client.get(reverse("report"), asked).content.decode()
    keep(found)
    row = KeptReport.objects.get()
    assert opened(row, found.week).losses_of == said
    row.contents.pop("losses_of")
    assert opened(row, found.week).losses_of == "", "Kept before it was told"
    alone = compose(plant.berlin, plant.labeller, found.week, now=now)
    assert alone.losses_of == ""


def test_what_has_no_factor_says_so_and_what_has_no_oee_shows_none(page, plant, uncounted):
    assert "×" not in page(asset=plant.line.pk).context["tiles"][-1].note
    Count.objects.create(asset=plant.labeller, start=BEGIN + 8 * HOUR, end=BEGIN + 9 * HOUR, good=0, ideal_cycle=60)
    note = page(asset=plant.line.pk).context["tiles"][-1].note
    assert note.startswith("A 95.8\u202f% × P 0.0\u202f% × Q undefined")


def test_where_all_machines_have_counts_nothing_is_set_apart(page, plant, made):
    answer = page(asset=plant.labeller.pk)
    assert "× Q 75.0" in answer.content.decode()
    assert "with counts" not in answer.content.decode()


def test_a_site_without_machines_says_so_and_counts_none(page, plant):
    new = Site.objects.create(code="new", name="New plant")
    Membership.objects.create(user=plant.manager, site=new, role=Role.MANAGER)

    text = page(site="new").content.decode()

    assert "No machine of New plant was in service." in text
    assert "Not in service in this window." in text
    assert "Counts the 0" not in text
