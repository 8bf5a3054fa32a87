"""Weekly reports by e-mail: asked for, sent once when due, to nobody who has lost the site, and ended again."""

import io
import re
import threading
from datetime import UTC, date, datetime, timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.urls import reverse
from pypdf import PdfReader

from core.errors import NotAllowed, Refused
from core.models import Event, JobRun
from kpis import reporting, tasks
from kpis.models import ReportSubscription, SentReport
from people.models import Membership, User
from tests.contracts.api import ApiContract, assert_problem, client_of
from tests.kpis.test_work_database import broken as broken  # the fixture
from tests.together import together

DUE = datetime(2026, 3, 30, 4, tzinfo=UTC)  # Monday at six in Berlin; the clock went forward the day before
WEEK = timedelta(days=7)
FAR = DUE - 30 * WEEK


@pytest.fixture
def wanted(plant):
    """The manager has long since asked for the report of the site."""
    return asked(plant)


def asked(plant, asset=None, user=None, since=FAR) -> ReportSubscription:
    row = reporting.subscribe(plant.berlin, asset, by=user or plant.manager)
    ReportSubscription.objects.filter(pk=row.pk).update(created=since)
    return row


def sent() -> list[tuple[str, str]]:
    return [(each.to[0], each.subject) for each in mail.outbox]


# --- Sending ---------------------------------------------------------------------------------------


def test_nothing_is_sent_before_monday_at_six_and_then_once(plant, broken, wanted):
    assert reporting.send_due(now=DUE - timedelta(seconds=1)) == 1  # the week before, which is due since long
    mail.outbox.clear()
    assert reporting.send_due(now=DUE - timedelta(seconds=1)) == 0
    assert reporting.send_due(now=DUE) == 1
    assert sent() == [("manager@example.com", "Weekly report: Week 13 of 2026: Bottling Berlin")]
    for hours in (0, 1, 24, 167):
        assert reporting.send_due(now=DUE + timedelta(hours=hours)) == 0
    assert reporting.send_due(now=DUE + WEEK) == 1
    assert set(SentReport.objects.values_list("monday", flat=True)) == {
        date(2026, 3, 16), date(2026, 3, 23), date(2026, 3, 30),
    }  # fmt: skip


def test_each_site_has_its_own_monday(plant, broken, wanted):
    chicago = reporting.subscribe(plant.chicago, None, by=plant.stranger)
    ReportSubscription.objects.filter(pk=chicago.pk).update(created=FAR)
    SentReport.objects.create(subscription=chicago, monday=date(2026, 3, 16), sent=FAR)
    assert reporting.send_due(now=DUE) == 1
    assert reporting.send_due(now=datetime(2026, 3, 30, 10, 59, tzinfo=UTC)) == 0
    assert reporting.send_due(now=datetime(2026, 3, 30, 11, tzinfo=UTC)) == 1  # six o'clock there
    assert sent()[-1] == ("stranger@example.com", "Weekly report: Week 13 of 2026: Bottling Chicago")


def test_after_missed_mondays_only_the_newest_week_is_made_up_for(plant, broken, wanted):
    assert reporting.send_due(now=DUE + 5 * WEEK + timedelta(days=2)) == 1
    assert reporting.send_due(now=DUE + 5 * WEEK + timedelta(days=2)) == 0
    assert SentReport.objects.get().monday == date(2026, 4, 27)


def test_who_asks_on_a_wednesday_gets_the_first_one_on_monday(plant, broken):
    asked(plant, since=DUE + timedelta(days=2))
    assert reporting.send_due(now=DUE + timedelta(days=3)) == 0
    assert reporting.send_due(now=DUE + WEEK) == 1


def test_the_mail_has_text_pages_and_the_pdf_with_the_same_figures(plant, broken, settings):
    settings.PUBLIC_URL = "https://tandem.example"
    asked(plant, plant.filler)
    reporting.send_due(now=datetime(2026, 3, 9, 5, tzinfo=UTC))
    (message,) = mail.outbox
    ((html, kind),) = message.alternatives
    ((name, file, file_kind),) = message.attachments
    text = message.body
    assert (kind, name, file_kind) == ("text/html", "m1-2026-w10.pdf", "application/pdf")
    assert "- Availability: 91.7\u202f%; −8.3 points, worse" in text
    assert "- OEE: no data (No production counts were reported.)" in text
    assert "- M1 · Filler, 2 Mar 2026, 10:00: 10\u00a0h, Breakdown" in text
    for body in (text, html):
        for words in ("91.7\u202f%", "Breakdown", "https://tandem.example/performance/report/?week=2026-W10"):
            assert words in body.replace("&amp;", "&")
    assert not re.search(r'href="/', html)
    pages = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(file)).pages)
    assert "Breakdown" in pages
    assert message.extra_headers["Message-ID"].startswith("<report-")
    assert message.message().as_bytes()


def test_each_is_written_in_the_language_of_its_reader(plant, broken, wanted):
    User.objects.filter(pk=plant.administrator.pk).update(language="de")
    asked(plant, user=User.objects.get(pk=plant.administrator.pk))
    reporting.send_due(now=datetime(2026, 3, 9, 5, tzinfo=UTC))
    bodies = {each.to[0]: each.body for each in mail.outbox}
    assert "91.7\u202f%" in bodies["manager@example.com"]
    assert "91,7\u202f%" in bodies["administrator@example.com"]


def test_a_name_cannot_write_markup_or_headers(plant, broken):
    type(plant.filler).objects.filter(pk=plant.filler.pk).update(name="<b>Filler</b>\nBcc: all@example.com")
    plant.filler.refresh_from_db()
    asked(plant, plant.filler)
    reporting.send_due(now=DUE)
    assert len(mail.outbox) == 1
    assert "<b>Filler" not in mail.outbox[0].alternatives[0][0]
    assert "\nBcc:" not in mail.outbox[0].message().as_string()[:600]


# --- Who gets it -----------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["role", "account", "address"])
def test_who_may_not_see_the_site_any_more_gets_none_until_it_is_back(plant, broken, wanted, lost):
    if lost == "role":
        Membership.objects.filter(user=plant.manager).delete()
        Membership.objects.create(user=plant.manager, site=plant.chicago, role="manager")
    else:
        change = {"account": {"is_active": False}, "address": {"email": ""}}[lost]
        User.objects.filter(pk=plant.manager.pk).update(**change)
    assert reporting.send_due(now=DUE) == 0
    assert (mail.outbox, JobRun.objects.count()) == ([], 0)
    Membership.objects.get_or_create(user=plant.manager, site=plant.berlin, role="technician")
    User.objects.filter(pk=plant.manager.pk).update(is_active=True, email="manager@example.com")
    assert reporting.send_due(now=DUE) == 1


def test_who_loses_the_site_while_the_mails_go_out_gets_none(plant, broken, wanted):
    row = ReportSubscription.objects.select_related("user", "asset", "site").get()
    Membership.objects.filter(user=plant.manager).delete()
    week = reporting.weeks.newest_due(plant.berlin, DUE)
    assert reporting.send(row, reporting.Made(week, DUE)) == 0
    assert mail.outbox == []


# --- When the mail server fails --------------------------------------------------------------------


class Refusing(EmailBackend):
    """Takes mails for everybody but the manager."""

    def send_messages(self, messages):
        if messages[0].to == ["manager@example.com"]:
            raise SMTPRecipientsRefused({"manager@example.com": (550, b"no such box")})
        return super().send_messages(messages)


class Gone(EmailBackend):
    tried = 0

    def send_messages(self, messages):
        type(self).tried += 1
        raise ConnectionRefusedError("nobody listens")


def test_a_mail_that_fails_is_tried_again_holds_up_no_other_and_shows(plant, broken, wanted, settings):
    asked(plant, user=plant.administrator)
    settings.EMAIL_BACKEND = f"{__name__}.Refusing"
    with pytest.raises(reporting.NotSent):
        reporting.send_due(now=DUE)
    assert sent() == [("administrator@example.com", "Weekly report: Week 13 of 2026: Bottling Berlin")]
    run = JobRun.objects.get()
    assert (run.name, run.site, run.rows) == ("kpis.send_reports", plant.berlin, 1)
    assert "1 not sent, such as to manager: SMTPRecipientsRefused" in run.error
    row = SentReport.objects.get(subscription=wanted)
    assert (row.sent, "no such box" in row.error) == (None, True)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert reporting.send_due(now=DUE + timedelta(hours=1)) == 1
    assert len(mail.outbox) == 2
    row.refresh_from_db()
    assert (row.sent is not None, row.error) == (True, "")


def test_a_mail_server_that_is_gone_is_asked_once_in_a_run(plant, broken, wanted, settings):
    asked(plant, user=plant.administrator)
    settings.EMAIL_BACKEND, Gone.tried = f"{__name__}.Gone", 0
    with pytest.raises(reporting.NotSent):
        tasks.send_reports()
    assert Gone.tried == 1
    assert not SentReport.objects.exclude(sent=None).exists()


# --- Two at once -----------------------------------------------------------------------------------


class Slow(EmailBackend):
    """Lets the other worker come while a mail is on its way."""

    def send_messages(self, messages):
        threading.Event().wait(0.5)
        return super().send_messages(messages)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_one_mail(plant, settings):
    asked(plant)
    asked(plant, plant.filler)
    settings.EMAIL_BACKEND = f"{__name__}.Slow"
    found = together(*[lambda: reporting.send_due(now=DUE)] * 2)
    assert sum(found) == 2
    assert sorted(subject for _to, subject in sent()) == [
        "Weekly report: Week 13 of 2026: Bottling Berlin", "Weekly report: Week 13 of 2026: M1 · Filler",
    ]  # fmt: skip
    assert SentReport.objects.filter(sent__isnull=False).count() == 2


# --- Asking and ending -----------------------------------------------------------------------------


@pytest.fixture
def manager(client, plant):
    client.force_login(plant.manager)
    return client


def test_a_manager_asks_on_performance_and_ends_it_there(manager, plant):
    page = manager.get(reverse("performance"), {"asset": plant.filler.pk}).content.decode()
    assert "E-mail me this every week" in page
    answer = manager.post(
        reverse("report-subscribe"), {"asset": plant.filler.pk, "next": reverse("performance")}, follow=True
    )
    assert "is sent to manager@example.com every Monday from now on" in answer.content.decode()
    row = ReportSubscription.objects.get()
    assert (row.user, row.site, row.asset) == (plant.manager, plant.berlin, plant.filler)
    assert "No more weekly e-mail" in manager.get(f"{reverse('report')}?asset={plant.filler.pk}").content.decode()
    assert "E-mail me this every week" in manager.get(reverse("report")).content.decode()
    assert "Send no more of M1 · Filler" in manager.get(reverse("report")).content.decode()
    manager.post(reverse("report-unsubscribe", args=[row.pk]))
    assert ReportSubscription.objects.count() == 0
    assert list(Event.objects.order_by("id").values_list("verb", flat=True)) == [
        "report.subscribed", "report.unsubscribed",
    ]  # fmt: skip


def test_asking_twice_is_asking_once(plant):
    assert asked(plant) == asked(plant)
    assert asked(plant, plant.filler) == asked(plant, plant.filler)
    assert ReportSubscription.objects.count() == 2
    assert Event.objects.count() == 2


def test_only_managers_of_the_site_with_an_address_ask(client, plant):
    for by in (plant.technician, plant.planner, plant.stranger):
        with pytest.raises(NotAllowed):
            reporting.subscribe(plant.berlin, None, by=by)
    with pytest.raises(Refused):
        reporting.subscribe(plant.berlin, plant.foreign, by=plant.manager)
    client.force_login(plant.technician)
    assert "E-mail me this" not in client.get(reverse("report")).content.decode()
    assert client.post(reverse("report-subscribe"), {"site": "berlin"}).status_code == 403
    User.objects.filter(pk=plant.manager.pk).update(email="")
    client.force_login(plant.manager)
    page = client.post(reverse("report-subscribe"), {"site": "berlin"}, follow=True).content.decode()
    assert "Your profile has no e-mail address" in page
    for query in ({"asset": plant.foreign.pk}, {"site": "chicago"}):
        assert client.post(reverse("report-subscribe"), query).status_code == 404
    assert ReportSubscription.objects.count() == 0


def test_nobody_sees_or_ends_those_of_others(client, plant, wanted):
    client.force_login(plant.administrator)
    assert "Send no more of" not in client.get(reverse("report")).content.decode()
    assert client.post(reverse("report-unsubscribe", args=[wanted.pk])).status_code == 404
    assert ReportSubscription.objects.count() == 1


def test_the_link_in_the_mail_ends_it_without_a_log_in_but_not_by_looking(client, plant, broken, wanted):
    reporting.send_due(now=DUE)
    link = re.search(r"http://\S+/stop/\S+", mail.outbox[0].body)[0]
    assert mail.outbox[0].extra_headers["List-Unsubscribe"] == f"<{link}>"
    path = "/" + link.split("/", 3)[3]
    page = client.get(path)
    assert (page.status_code, "manager@example.com" in page.content.decode()) == (200, True)
    assert ReportSubscription.objects.count() == 1
    strict = type(client)(enforce_csrf_checks=True)
    answer = strict.post(path, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, ReportSubscription.objects.count()) == (200, 0)
    assert "You get no more of these reports" in client.get(path).content.decode()
    assert client.get(reverse("report-stop", args=["9:forged"])).status_code == 404


# --- REST API ---------------------------------------------------------------------------------------


class TestReportSubscriptions(ApiContract):
    resource = "report-subscriptions"
    caller = "manager"
    filters = {"asset": "M1"}
    create = {"site": "berlin", "asset": "M4"}
    may_write = {"manager", "administrator"}
    roles_see_all = False

    @pytest.fixture(autouse=True)
    def everybody_has_an_address(self, plant):
        User.objects.update(email="somebody@example.org")

    def rows(self, plant):
        return [self.subscribed(plant, asset) for asset in (None, plant.line, plant.filler, plant.labeller)]

    def subscribed(self, plant, asset) -> ReportSubscription:
        return ReportSubscription.objects.create(user=plant.manager, site=plant.berlin, asset=asset)

    def foreign(self, plant):
        return ReportSubscription.objects.create(user=plant.stranger, site=plant.chicago)

    def more(self, plant):
        ReportSubscription.objects.get_or_create(user=plant.manager, site=plant.berlin, asset=plant.palletiser)

    def new(self, plant):
        return {"site": plant.berlin.code, "asset": plant.palletiser.code}

    def test_asking_twice_answers_the_first_and_ending_it_ends_it(self, plant):
        client = client_of(plant.manager)
        first = client.post(self.address, {"site": "berlin"}).json()
        assert first["asset"] is None
        assert client.post(self.address, {"site": "berlin"}).json() == first
        assert client.delete(f"{self.address}{first['id']}/").status_code == 204
        assert not ReportSubscription.objects.exists()

    def test_a_line_is_reported_by_its_machines_or_by_itself(self, plant):
        client = client_of(plant.manager)
        wanted = {"site": "berlin", "asset": "L1", "scope": "asset"}
        first = client.post(self.address, wanted).json()
        assert (first["scope"], client.post(self.address, wanted).json()) == ("asset", first)
        other = client.post(self.address, {"site": "berlin", "asset": "L1"}).json()
        assert (other["scope"], other["id"] == first["id"]) == ("leaves", False)
        assert_problem(client.post(self.address, {"site": "berlin", "scope": "asset"}), 422, "no_asset", "scope")
        found = client.get(self.address, {"scope": "asset"}).json()["results"]
        assert [row["id"] for row in found] == [first["id"]]

    def test_those_of_others_at_the_same_site_do_not_exist(self, plant):
        row = self.rows(plant)[0]
        client = client_of(plant.administrator)
        assert_problem(client.get(self.of(row)), 404, "not_found")
        assert_problem(client.delete(self.of(row)), 404, "not_found")

    def test_without_an_address_there_is_nothing_to_send_to(self, plant):
        User.objects.update(email="")
        assert_problem(client_of(plant.manager).post(self.address, {"site": "berlin"}), 422, "no_address")
