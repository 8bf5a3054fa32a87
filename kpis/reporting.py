"""Weekly reports by e-mail: who wants which, and sending each once.

Events: report.subscribed, report.unsubscribed. A report is sent once its week is due (`kpis.weeks`); of missed weeks
only the newest. Who has lost the site, the account or the address gets none, and gets them again when it is back.
"""

from collections.abc import Iterable
from datetime import datetime
from smtplib import SMTPConnectError, SMTPServerDisconnected
from socket import gaierror

from django.conf import settings
from django.core import mail, signing
from django.db import IntegrityError, transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from assets.models import Asset
from core.errors import Refused
from core.events import record
from core.models import Site
from core.runs import job_run
from kpis import weeks
from kpis.kept import keep
from kpis.models import Counts, ReportSubscription, SentReport
from kpis.report import Report, compose
from kpis.report_pdf import pdf
from kpis.targets import check_scope
from kpis.weeks import Week
from people.permissions import require

JOB = "kpis.send_reports"
SALT = "kpis.report"
# The mail server itself does not answer, so that trying the next person would only wait again.
LOST = (ConnectionError, TimeoutError, gaierror, SMTPConnectError, SMTPServerDisconnected)


class NotSent(Exception):
    """Reports that could not be handed to the mail server; the next run tries again."""


# --- Who wants which -------------------------------------------------------------------------------


def subscribe(site: Site, asset: Asset | None, *, by, scope: str = Counts.LEAVES) -> ReportSubscription:
    """From the next week on, by what counts for the asset; asking twice changes nothing."""
    require(by, "manage", site)
    if asset is not None and asset.site_id != site.pk:
        raise Refused(_("This site has no such asset."), code="unknown_asset", field="asset")
    check_scope(asset, scope)
    if not by.email:
        raise Refused(_("Your profile has no e-mail address; enter one first."), code="no_address")
    try:
        with transaction.atomic():
            row = ReportSubscription.objects.create(user=by, site=site, asset=asset, scope=scope)
            record("report.subscribed", row, by=by, site=site, summary=f"Weekly report by e-mail: {row}")
    except IntegrityError:
        row = ReportSubscription.objects.get(user=by, site=site, asset=asset, scope=scope)
    return row


@transaction.atomic
def unsubscribe(row: ReportSubscription, *, by) -> None:
    """No more of these; `by` is the subscriber, also when the link in a mail was used."""
    record("report.unsubscribed", row, by=by, site=row.site, summary=f"No weekly report any more: {row}")
    row.delete()


def token_of(row: ReportSubscription) -> str:
    """What lets whoever has the mail end it without a log-in."""
    return signing.dumps(row.pk, salt=SALT)


def of_token(token: str) -> ReportSubscription | None:
    """The subscription of a link; None when it has ended. BadSignature for a link that is not ours."""
    rows = ReportSubscription.objects.select_related("user", "site", "asset")
    return rows.filter(pk=signing.loads(token, salt=SALT)).first()


# --- Sending ---------------------------------------------------------------------------------------


def send_due(*, now: datetime | None = None, by=None) -> int:
    """Send every site's reports that are due and not sent yet; how many. NotSent names what failed, after the rest.

    Safe at any time, twice at once and after a kill: a report is sent under the lock of its row. A site with nothing
    to send leaves no run behind.
    """
    now = now or timezone.now()
    sent, failed = 0, []
    for site in Site.objects.all():
        week = weeks.newest_due(site, now)
        if due(week).exists():
            try:
                sent += send_site(week, now=now, by=by)
            except NotSent as error:
                failed.append(f"{site.code}: {error}")
    if failed:
        raise NotSent("; ".join(failed))
    return sent


def due(week: Week):
    """Subscriptions that wait for the report of the week: from before it was due, and not served yet."""
    served = SentReport.objects.filter(monday=week.monday, sent__isnull=False)
    rows = ReportSubscription.objects.deliverable().filter(site=week.site, created__lte=week.due)
    return rows.exclude(pk__in=served.values("subscription"))


def send_site(week: Week, *, now: datetime, by=None) -> int:
    with job_run(JOB, site=week.site, by=by) as run:
        reports = Made(week, now)
        failed = []
        for row in due(week).select_related("user", "asset", "site").order_by("pk"):
            try:
                run.rows += send(row, reports)
            except Exception as error:  # one mail that fails holds up no other; the run names it
                _note(row, week, error)
                failed.append(f"{row.user.username}: {type(error).__name__}: {error}")
                if isinstance(error, LOST):
                    break
        run.fact = f"{week}: {run.rows} reports sent"
        if failed:
            raise NotSent(f"{len(failed)} not sent, such as to {failed[0]}")
    return run.rows


class Made:
    """The reports of one week; each is composed once for all who get it in the same language."""

    def __init__(self, week: Week, now: datetime):
        self.week, self.now = week, now
        self._found: dict[tuple, tuple[Report, bytes]] = {}

    def of(self, row: ReportSubscription) -> tuple[Report, bytes]:
        """The report and its PDF, in the active language."""
        key = (row.asset_id, row.scope, translation.get_language())
        if key not in self._found:
            report = compose(row.site, row.asset, self.week, now=self.now, scope=row.scope)
            self._found[key] = (report, pdf(report))
        return self._found[key]


def send(row: ReportSubscription, reports: Made) -> int:
    """Send it unless that has happened or is happening elsewhere; 1 if it was sent."""
    SentReport.objects.bulk_create(
        [SentReport(subscription=row, monday=reports.week.monday)], ignore_conflicts=True
    )  # fmt: skip
    with transaction.atomic():
        mine = SentReport.objects.select_for_update(skip_locked=True).filter(
            subscription=row.pk, monday=reports.week.monday, sent=None
        )
        sent = mine.first()
        if sent is None or not ReportSubscription.objects.deliverable().filter(pk=row.pk).exists():
            return 0
        with translation.override(row.user.language or settings.LANGUAGE_CODE), timezone.override(row.site.zone):
            report, file = reports.of(row)
            message(row, report, file).send()
            keep(report)
        sent.sent, sent.error = timezone.now(), ""
        sent.save(update_fields=["sent", "error"])
    return 1


def message(row: ReportSubscription, report: Report, file: bytes) -> mail.EmailMultiAlternatives:
    """Text and HTML with the PDF; mail programs offer to end it by the header."""
    stop = f"{settings.PUBLIC_URL}{reverse('report-stop', args=[token_of(row)])}"
    context = {"report": report, "base": settings.PUBLIC_URL, "stop": stop}
    host = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    found = mail.EmailMultiAlternatives(
        subject=" ".join((_("Weekly report: %(report)s") % {"report": report.title}).split()),  # one line
        body=render_to_string("kpis/mail/report.txt", context),
        to=[row.user.email],
        headers={
            "Message-ID": f"<report-{row.pk}-{report.week}@{host}>",  # the same if it is ever sent again
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )
    found.attach_alternative(render_to_string("kpis/mail/report.html", context), "text/html")
    found.attach(f"{report.file_name}.pdf", file, "application/pdf")
    return found


def _note(row: ReportSubscription, week: Week, error: Exception) -> None:
    words = f"{type(error).__name__}: {error}"[:500]
    SentReport.objects.filter(subscription=row.pk, monday=week.monday).update(error=words)


def own(user, site: Site) -> Iterable[ReportSubscription]:
    """The user's own at the site."""
    rows = ReportSubscription.objects.visible_to(user).filter(site=site)
    return rows.select_related("asset", "site").order_by("asset__code", "pk")
