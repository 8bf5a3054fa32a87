"""What counts for a line on report, wall board, its own page and explanations: its machines, or the line itself."""

import io
from datetime import date, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from assets.models import Downtime
from kpis import boarding, reporting, targets, weeks
from kpis.report import compose
from kpis.report_pdf import pdf
from kpis.weeks import Week
from people.models import User
from tests.kpis.test_figures import BEGIN, HOUR, NOW
from tests.kpis.test_figures import history as history  # the fixture

MACHINES = "Counts the 3 machines of L1, each by itself."
ITSELF = "Counts L1 itself: its own stops and those of what stops it."
W10 = date(2026, 3, 2)


@pytest.fixture
def manager(client, plant):
    client.force_login(plant.manager)
    return client


@pytest.fixture
def stops(plant, history):
    """Five hours of the line's own, three of the filler, which stops it, and seven of one that does not."""
    Downtime.objects.create(asset=plant.line, start=BEGIN, end=BEGIN + 5 * HOUR, reason=plant.setup)
    Downtime.objects.create(asset=plant.labeller, start=BEGIN, end=BEGIN + 7 * HOUR, reason=plant.breakdown)


def agree(plant, scope: str, value: float):
    fields = {"definition": "availability", "value": value, "owner": plant.manager, "valid_from": date(2020, 1, 1)}
    return targets.set_target(plant.berlin, plant.line, fields | {"scope": scope}, by=plant.manager)


# --- The weekly report -----------------------------------------------------------------------------------


def made(plant, asset, **query):
    return compose(plant.berlin, asset, Week(plant.berlin, W10), now=NOW, **query)


def test_the_report_of_a_line_is_of_its_machines_and_says_so(plant, stops):
    agree(plant, "leaves", 0.95)
    found = made(plant, plant.line)
    assert (
        str(found.counted) == f"{MACHINES} OEE is of the 1 of 3 machines with counts; its availability is 98.2\u202f%."
    )
    availability, oee = (next(row for row in found.rows if row.name == name) for name in ("Availability", "OEE"))
    assert availability.target == "95.0\u202f%"
    assert "scope=leaves" in availability.url
    assert oee.remark.startswith("A 98.2\u202f% × P 10.8\u202f% × Q 94.3\u202f%")
    assert {row.asset for row in found.stops} == {"L1 · Line 1", "M1 · Filler", "M2 · Labeller"}, "All that stood here"
    assert "scope=" not in found.urls["report"]
    assert "scope=asset" in found.counted.other


def test_the_report_of_the_line_itself_has_its_own_figures_stops_and_targets(plant, stops):
    agree(plant, "leaves", 0.95)
    agree(plant, "asset", 0.9)
    found = made(plant, plant.line, scope="asset")
    assert str(found.counted) == ITSELF
    (availability,) = (row for row in found.rows if row.name == "Availability")
    assert (availability.value, availability.target) == (f"{(168 - 8) / 168 * 100:.1f}\u202f%", "90.0\u202f%")
    assert "scope=asset" in availability.url
    assert {row.name for row in found.rows}.isdisjoint({"Planned work", "Backlog"}), "Work is done on its machines"
    assert [row.asset for row in found.stops] == ["L1 · Line 1", "M1 · Filler"], "What stops it, the longest first"
    assert {each.name: each.hours for each in found.losses} == {"Setup": "5.0\u202fh", "Breakdown": "3.0\u202fh"}
    assert found.title == "Week 10 of 2026: L1 · Line 1, itself"
    assert all("scope=asset" in found.urls[name] for name in ("report", "pdf", "performance"))
    assert "scope=" not in found.counted.other


def test_page_and_pdf_say_it_and_lead_from_one_to_the_other(manager, plant, stops):
    query = {"week": "2026-W10", "asset": "L1"}
    page = manager.get(reverse("report"), query)
    assert MACHINES in page.content.decode()
    itself = manager.get(page.context["report"].counted.other)
    assert ITSELF in itself.content.decode()
    assert all("scope=asset" in itself.context[name] for name in ("earlier", "later"))
    assert ITSELF in manager.get(itself.context["crumbs"][0][1]).content.decode(), "Performance in the same scope"
    file = manager.get(itself.context["report"].urls["pdf"])
    assert file["Content-Disposition"] == 'attachment; filename="l1-itself-2026-w10.pdf"'
    text = " ".join(each.extract_text() for each in PdfReader(io.BytesIO(file.content)).pages)
    assert ITSELF in " ".join(text.split())
    assert MACHINES in " ".join(PdfReader(io.BytesIO(pdf(made(plant, plant.line)))).pages[0].extract_text().split())


def test_a_machine_is_itself_either_way(plant, stops):
    found = made(plant, plant.filler, scope="asset")
    assert found.counted is None
    assert found.title == "Week 10 of 2026: M1 · Filler"
    assert any(row.name == "Backlog" for row in found.rows)


def test_the_mail_is_of_the_scope_in_which_it_was_asked_for(manager, plant, stops):
    User.objects.filter(pk=plant.manager.pk).update(email="manager@example.org")
    page = manager.get(reverse("report"), {"week": "2026-W10", "asset": "L1", "scope": "asset"})
    (action,) = (each for each in page.context["actions"] if each.post)
    assert action.fields == (("asset", str(plant.line.pk)), ("scope", "asset"))
    manager.post(action.url, dict(action.fields))
    week = weeks.newest_due(plant.berlin, timezone.now() + timedelta(days=8))
    assert reporting.send_due(now=week.due + HOUR) == 1
    (sent,) = mail.outbox
    assert sent.subject.endswith(": L1 · Line 1, itself")
    assert ITSELF in sent.body
    assert ITSELF in sent.alternatives[0].content
    again = manager.get(reverse("report"), {"week": "2026-W10", "asset": "L1", "scope": "asset"})
    assert "No more weekly e-mail" in [str(each.label) for each in again.context["actions"]]
    other = manager.get(reverse("report"), {"week": "2026-W10", "asset": "L1"})
    assert "No more weekly e-mail" not in [str(each.label) for each in other.context["actions"]]


# --- The wall board --------------------------------------------------------------------------------------


def test_the_board_of_a_line_says_what_its_figures_count(manager, plant):
    now = timezone.now()
    Downtime.objects.create(asset=plant.line, start=now - HOUR, reason=plant.setup)
    Downtime.objects.create(asset=plant.filler, start=now - HOUR, reason=plant.breakdown)
    agree(plant, "asset", 0.9)
    page = manager.get(reverse("performance-board"), {"asset": plant.line.pk})
    assert MACHINES in page.content.decode()
    assert not page.context["board"].today[0].goal

    itself = manager.get(page.context["board"].counted.other)
    assert ITSELF in itself.content.decode()
    assert itself.context["board"].today[0].goal.startswith("Target 90.0")
    assert "scope=asset" in itself.context["board"].today[0].url
    assert "scope=asset" in itself.context["performance_url"]
    assert "scope=" not in itself.context["board"].counted.other
    for board in (page.context["board"], itself.context["board"]):
        assert [(each.asset.code, str(each.badge)) for _line, rows in board.lines for each in rows] == [
            ("M1", "Down"), ("M2", "No data"), ("M3", "No data"),
        ]  # fmt: skip


def test_the_board_of_a_site_counts_its_machines(manager, plant):
    page = manager.get(reverse("performance-board"), {"scope": "asset"}).content.decode()
    assert "Counts the 3 machines of Bottling Berlin, each by itself." in page
    assert boarding.board(plant.berlin, plant.filler, plant.manager, now=timezone.now()).counted is None


# --- The asset's page and explanations -------------------------------------------------------------------


def test_the_tab_of_a_line_says_what_counts_and_offers_the_other(manager, plant):
    now = timezone.now()
    Downtime.objects.create(asset=plant.line, start=now - 50 * HOUR, end=now - 40 * HOUR, reason=plant.setup)
    agree(plant, "asset", 0.9)
    tab = manager.get(plant.line.get_absolute_url(), {"tab": "performance"}).content.decode()
    assert MACHINES in tab
    assert "Target 90.0" not in tab
    other = f"{plant.line.get_absolute_url()}?tab=performance&scope=asset"
    assert other.replace("&", "&amp;") in tab
    itself = manager.get(other).content.decode()
    assert ITSELF in itself
    assert "Target 90.0" in itself
    assert f"{reverse('performance')}?asset={plant.line.pk}&amp;scope=asset" in itself
    assert (
        'class="counted"' not in manager.get(plant.filler.get_absolute_url(), {"tab": "performance"}).content.decode()
    )


def test_performance_leads_to_report_and_board_of_the_same_scope(manager, plant):
    for query in ({"asset": plant.line.pk}, {"asset": plant.line.pk, "scope": "asset"}):
        urls = {str(each.label): each.url for each in manager.get(reverse("performance"), query).context["actions"]}
        for name in ("Weekly report", "Wall board"):
            assert ("scope=asset" in urls[name]) is ("scope" in query)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"asset": "L1", "scope": "leaves"}, f"{MACHINES} The figure is of the 1 of 3 with counts."),
        ({"asset": "L1", "scope": "asset"}, ITSELF),
        ({"asset": "L1", "scope": "subtree"}, "Counts L1 and everything below it: 4 assets, each by itself."),
        ({"site": "berlin"}, "Counts the 3 machines of Bottling Berlin, each by itself."),
        ({"asset": "M1", "scope": "leaves"}, ""),
        ({"asset": "M1"}, ""),
    ],
)
def test_an_explanation_says_what_counts_and_leads_back_to_it(manager, plant, stops, query, words):
    window = {"from": "2026-03-02", "to": "2026-03-09", "definition": "oee"}
    page = manager.get(reverse("figure"), window | query)
    text = page.content.decode()
    assert (words in text) if words else not page.context["counted"]
    assert ("scope=asset" in page.context["crumbs"][0][1]) is (
        query.get("scope", "asset") == "asset" and "asset" in query
    )


def test_an_explanation_of_oee_shows_its_factors(manager, plant, stops):
    window = {"from": "2026-03-02", "to": "2026-03-09", "definition": "oee", "asset": "M1"}
    assert (
        manager.get(reverse("figure"), window)
        .context["sentence"]
        .endswith("h = A 98.2\u202f% × P 10.8\u202f% × Q 94.3\u202f%")
    )
    answer = manager.get("/api/v1/kpis/explanation/", window).json()
    assert "= A 98.2\u202f% ×" in answer["calculation"]
