"""Weekly reports as they were sent: kept word for word, and read beside what is known now."""

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import translation
from pypdf import PdfReader

from assets.models import Downtime
from kpis import formulas, kept, reporting, versions
from kpis.definitions import DEFINITIONS
from kpis.models import KeptReport, ReportSubscription
from kpis.report import compose
from kpis.versions import HISTORY, Step
from kpis.weeks import Week
from people.models import User
from tests.contracts.api import ApiContract, client_of
from tests.kpis.test_reporting import asked
from tests.kpis.test_work_database import BEGIN, HOUR
from tests.kpis.test_work_database import broken as broken  # the fixture

SENT = datetime(2026, 3, 9, 5, tzinfo=UTC)  # Monday at six in Berlin
WEEK = {"week": "2026-W10"}


@pytest.fixture
def monday(plant, broken):
    """The manager got the report of the filler: it was down for 14 of 168 hours."""
    asked(plant, plant.filler)
    reporting.send_due(now=SENT)
    return KeptReport.objects.get()


def corrected(plant) -> None:
    """On Tuesday somebody enters that it was down for 7 hours more."""
    Downtime.objects.create(asset=plant.filler, start=BEGIN + 60 * HOUR, end=BEGIN + 67 * HOUR, reason=plant.breakdown)


def redefine(monkeypatch, key: str = "availability") -> None:
    """In a second version since 10 March."""
    first = DEFINITIONS[key]
    monkeypatch.setitem(DEFINITIONS, key, replace(first, version=2, compute=formulas.achieved_availability))
    steps = [Step(date(2026, 1, 1), former=first), Step(date(2026, 3, 10), "Planned stops count as well.")]
    monkeypatch.setitem(HISTORY, key, steps)


def test_what_was_sent_is_kept_with_values_statuses_versions_and_texts(plant, monday):
    assert (monday.site, monday.asset, monday.monday) == (plant.berlin, plant.filler, date(2026, 3, 2))
    assert (monday.language, monday.made, monday.copies) == ("en", SENT, 1)
    rows = {each["stated"]["definition"]: each for each in monday.contents["rows"]}
    assert rows["availability"]["stated"] == {
        "definition": "availability", "version": 1, "value": pytest.approx(154 / 168), "unit": "share", "status": "ok",
        "reason": "", "coverage": 1.0,
    }  # fmt: skip
    assert rows["availability"]["value"] == "91.7\u202f%"
    assert rows["downtime_cost"]["stated"]["version"] == 2
    assert (rows["oee"]["stated"]["value"], rows["oee"]["stated"]["reason"]) == (None, "no_counts")
    assert "- Availability: 91.7\u202f%" in mail.outbox[0].body


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_kept_report_is_the_report(plant, broken, language):
    week = Week(plant.berlin, date(2026, 3, 2))
    with translation.override(language):
        found = compose(plant.berlin, plant.filler, week, now=SENT)
        kept.keep(found)
    row = KeptReport.objects.get()
    again = kept.opened(row, week)
    assert replace(again, urls=found.urls) == found
    assert row.language == language
    assert json.loads(json.dumps(row.contents)) == row.contents


def test_each_language_is_kept_once_however_many_got_it(plant, broken):
    for user in (plant.manager, plant.administrator):
        asked(plant, user=user)
    german = User.objects.create(username="karl", email="karl@example.com", language="de")
    german.memberships.create(site=plant.berlin, role="manager")
    asked(plant, user=german)
    assert reporting.send_due(now=SENT) == 3
    assert sorted(KeptReport.objects.values_list("language", "copies")) == [("de", 1), ("en", 2)]
    with translation.override("de"):
        rows = kept.kept(plant.berlin, None, Week(plant.berlin, date(2026, 3, 2)), "leaves")
        assert [row.language for row in rows] == ["de", "en"]


def test_what_was_not_sent_is_not_kept(plant, broken, monkeypatch):
    def refuses(self, *args, **options):
        raise OSError("disk full")

    asked(plant)
    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", refuses)
    with pytest.raises(reporting.NotSent):
        reporting.send_due(now=SENT)
    assert not KeptReport.objects.exists()
    monkeypatch.undo()
    reporting.send_due(now=SENT + timedelta(hours=1))
    assert KeptReport.objects.get().made == SENT + timedelta(hours=1)


def test_it_stays_when_nobody_wants_reports_any_more(plant, monday):
    reporting.unsubscribe(ReportSubscription.objects.get(), by=plant.manager)
    assert KeptReport.objects.get() == monday


# --- The page ------------------------------------------------------------------------------------


@pytest.fixture
def reader(client, plant):
    client.force_login(plant.technician)
    return client


def page_of(client, plant, **query) -> str:
    return client.get(reverse("report"), WEEK | {"asset": plant.filler.pk} | query).content.decode()


def test_the_page_of_a_week_offers_it_as_sent_beside_as_known_now(reader, plant, monday):
    corrected(plant)
    now = page_of(reader, plant)
    assert "As sent on 9 Mar 2026, 06:00" in now
    assert '<strong class="num">87.5\u202f%</strong>' in now
    sent = page_of(reader, plant, sent=monday.pk)
    assert "sent on 9 Mar 2026, 06:00 to one person, word for word" in " ".join(sent.split())
    assert '<strong class="num">91.7\u202f%</strong>' in sent
    row = sent[sent.index(">Availability</a>") :].partition("</tr>")[0]
    assert "report-differs" in row
    assert "87.5\u202f%" in row
    row = sent[sent.index(">Planned work</a>") :].partition("</tr>")[0]
    assert "report-differs" not in row


def test_the_file_of_a_sent_report_says_what_was_sent(reader, plant, monday):
    corrected(plant)
    query = WEEK | {"asset": plant.filler.pk}
    texts = [
        "".join(page.extract_text() for page in PdfReader(io.BytesIO(file.content)).pages)
        for file in (reader.get(reverse("report-pdf"), query | more) for more in ({"sent": monday.pk}, {}))
    ]
    assert ["91.7" in text for text in texts] == [True, False]
    assert ["87.5" in text for text in texts] == [False, True]
    assert "made 9 Mar 2026, 06:00" in texts[0]


def test_a_week_that_was_not_sent_offers_nothing(reader, plant, broken):
    assert "As known now" not in page_of(reader, plant)


def test_it_says_which_definitions_have_changed_since(reader, plant, monday, monkeypatch):
    assert "Definitions that have changed" not in page_of(reader, plant)
    redefine(monkeypatch)
    for query in ({}, {"sent": monday.pk}):
        page = page_of(reader, plant, **query)
        assert "Definitions that have changed since this week was reported:" in page
        assert "version 2 since 10 Mar 2026. Planned stops count as well." in " ".join(page.split()).replace(
            "</strong>,", ""
        )
        assert "definition_version=1" in page
        assert "As version 1 defined it" in page


def test_a_week_that_nobody_got_is_held_against_the_day_on_which_it_was_due(plant, broken, monkeypatch):
    redefine(monkeypatch)
    found = {}
    for monday in (date(2026, 3, 2), date(2026, 3, 9)):
        week = Week(plant.berlin, monday)
        rows = compose(plant.berlin, plant.filler, week, now=SENT + timedelta(days=30)).rows
        found[monday] = [each.name for each in kept.redefined(rows, week) if each.name == "Availability"]
    assert list(found.values()) == [["Availability"], []]
    assert versions.in_force("availability", date(2026, 3, 9)).number == 1


@pytest.mark.parametrize("sent", ["0", "x", "999999", "-1"])
def test_a_report_that_was_not_sent_is_not_found(reader, plant, monday, sent):
    assert reader.get(reverse("report"), WEEK | {"asset": plant.filler.pk, "sent": sent}).status_code == 404


def test_one_of_another_week_asset_or_site_is_not_found_here(client, reader, plant, monday):
    for query in ({"week": "2026-W11", "asset": plant.filler.pk}, WEEK, WEEK | {"asset": plant.line.pk}):
        assert reader.get(reverse("report"), query | {"sent": monday.pk}).status_code == 404
    client.force_login(plant.stranger)
    assert client.get(reverse("report"), WEEK | {"asset": plant.filler.pk, "sent": monday.pk}).status_code == 404


# --- REST API ------------------------------------------------------------------------------------


class TestSentReports(ApiContract):
    resource = "sent-reports"
    filters = {"asset": "M1", "monday": "2026-03-02"}

    def rows(self, plant):
        return [self.sent(plant.berlin, asset, week) for week in range(2) for asset in (plant.filler, plant.line, None)]

    def sent(self, site, asset, week: int) -> KeptReport:
        return KeptReport.objects.create(
            site=site, asset=asset, monday=date(2026, 3, 2) + timedelta(weeks=week), language="en",
            made=SENT + timedelta(weeks=week), copies=1, contents={"answer": "All is well.", "rows": []},
        )  # fmt: skip

    def more(self, plant):
        self.sent(plant.berlin, None, 2 + KeptReport.objects.count())

    def foreign(self, plant):
        return self.sent(plant.chicago, None, 0)

    def test_what_was_sent_is_told_with_its_figures(self, plant, monday):
        body = client_of(plant.technician).get(self.of(monday)).json()
        assert body["contents"]["rows"][0]["stated"]["value"] == pytest.approx(154 / 168)
        assert body["asset"]["code"] == "M1"
