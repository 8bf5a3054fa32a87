"""Rules that several verbs share: when, in which service life, with which reason, one writer at a time."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from assets.models import Asset, DowntimeReason, FailureCode
from core.errors import Conflict, Refused
from core.models import Site

CLOCK_SKEW = timedelta(minutes=1)  # clocks of machines and phones run a little ahead


def said(moment: datetime, site: Site) -> str:
    """The moment on the site's clock, as people read it: "22.11.2026 21:40" in their own format."""
    return date_format(site.local(moment), "SHORT_DATETIME_FORMAT")


def noted(moment: datetime, site: Site) -> str:
    """The moment on the site's clock as the text of an event keeps it, whatever the locale: 2026-11-22 21:40."""
    return f"{site.local(moment):%Y-%m-%d %H:%M}"


def check_moment(moment: datetime, *, field: str, now: datetime | None = None) -> None:
    """An instant that has a time zone and is not in the future."""
    if timezone.is_naive(moment):
        raise Refused(_("Give the time with its offset from UTC."), code="naive_time", field=field)
    if moment > (now or timezone.now()) + CLOCK_SKEW:
        raise Refused(_("This lies in the future; enter what has happened."), code="in_the_future", field=field)


def check_interval(
    asset: Asset,
    start: datetime,
    end: datetime | None,
    *,
    now: datetime | None = None,
    start_field: str = "start",
    end_field: str = "end",
) -> None:
    """[start, end) lies in the past and within the asset's service life, and does not end before it starts."""
    now = now or timezone.now()
    check_moment(start, field=start_field, now=now)
    if end is not None:
        check_moment(end, field=end_field, now=now)
        if end < start:
            raise Refused(
                _("The end lies before the start, %(start)s.") % {"start": said(start, asset.site)},
                code="end_before_start",
                field=end_field,
            )
    if asset.commissioned and start < asset.commissioned:
        raise Refused(
            _("%(code)s was commissioned on %(day)s; this is earlier.")
            % {"code": asset.code, "day": said(asset.commissioned, asset.site)},
            code="before_commissioning",
            field=start_field,
        )
    if asset.retired and (start >= asset.retired or (end or now) > asset.retired):
        raise Refused(
            _("%(code)s was retired on %(day)s; this is later.")
            % {"code": asset.code, "day": said(asset.retired, asset.site)},
            code="after_retirement",
            field=start_field if start >= asset.retired else end_field,
        )


def check_in_use(asset: Asset) -> None:
    """Nothing new is recorded on an archived asset."""
    if asset.archived_at:
        raise Refused(
            _("%(code)s is archived; restore it first.") % {"code": asset.code}, code="asset_archived", field="asset"
        )


def check_reason(reason: DowntimeReason, asset: Asset, *, field: str = "reason", kept: bool = False) -> None:
    """The reason stands in the list of this site and kind; `kept` allows one that is no longer in use."""
    if reason.site_id != asset.site_id:
        raise Refused(_("This site has no such reason."), code="unknown_reason", field=field)
    if reason.kind_id and reason.kind_id != asset.kind_id:
        raise Refused(
            _("“%(reason)s” is not a reason for this kind of asset.") % {"reason": reason.name},
            code="reason_of_other_kind",
            field=field,
        )
    if not reason.active and not kept:
        raise Refused(
            _("“%(reason)s” is no longer in use.") % {"reason": reason.name}, code="reason_not_in_use", field=field
        )


def check_code(code: FailureCode, asset: Asset, *, field: str) -> None:
    """The failure code stands in the list named by `field` (problem, cause, remedy), for this kind of asset."""
    if code.list != field:
        raise Refused(
            _("“%(code)s” is not in this list.") % {"code": code.name}, code="code_of_other_list", field=field
        )
    if code.kind_id and code.kind_id != asset.kind_id:
        raise Refused(
            _("“%(code)s” is not a code for this kind of asset.") % {"code": code.name},
            code="code_of_other_kind",
            field=field,
        )


def check_version(row: models.Model, version: int | None) -> None:
    """Conflict if the caller saw another version of the row; None asks for no check."""
    if version is not None and row.version != version:
        raise Conflict(_("Somebody changed this in the meantime; look at it again first."), code="stale")


def check_row(row: models.Model) -> None:
    """The model's own validation and constraints, as a refusal that names the first field that is wrong."""
    try:
        row.full_clean()
    except ValidationError as error:
        field, problems = next(iter(error.error_dict.items()))
        problem = problems[0]
        raise Refused(
            " ".join(problem.messages),
            code=problem.code or "invalid",
            field=None if field == "__all__" else field,
        ) from error


def locked(ids: Iterable[int]) -> dict[int, Asset]:
    """The assets with their sites, locked in the order of their ids: one writer of an asset's facts at a time."""
    rows = Asset.objects.filter(pk__in=ids).select_related("site").order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=["self"], no_key=True)}
