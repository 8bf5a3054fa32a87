"""Weekly reports as they were sent: kept when they go out, and read again beside what is known now."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F
from django.utils.translation import get_language

from assets.models import Asset
from core.models import Site
from kpis.counting import Counted
from kpis.definitions import DEFINITIONS
from kpis.models import Counts, KeptReport
from kpis.report import Loss, Report, Row, Stated, addresses
from kpis.report_records import Broken, Found, Stop
from kpis.versions import in_force, versions_of
from kpis.weeks import Week

PARTS = {"losses": Loss, "stops": Stop, "open": Broken, "findings": Found}  # lists, and what is in them
TEXTS = ("whose", "answer", "doubts", "open_in_all", "findings_in_all")


def keep(report: Report) -> None:
    """Keep the report, in the active language, as sent to one more; safe when two send it at once."""
    contents = {name: getattr(report, name) for name in TEXTS}
    contents["losses_of"] = report.losses_of
    contents["counted"] = report.counted and {"words": report.counted.words, "of_oee": report.counted.of_oee}
    contents |= {name: [asdict(each) for each in getattr(report, name)] for name in ("rows", *PARTS)}
    key = {
        "site": report.site,
        "asset": report.asset,
        "scope": report.scope,
        "monday": report.week.monday,
        "language": get_language() or settings.LANGUAGE_CODE,
        "made": report.made,
    }
    KeptReport.objects.bulk_create([KeptReport(**key, contents=contents)], ignore_conflicts=True)
    KeptReport.objects.filter(**key).update(copies=F("copies") + 1)


def kept(site: Site, asset: Asset | None, week: Week, scope: str) -> list[KeptReport]:
    """The reports of the week that were sent of the site, or of the asset by what counts for it, the newest first,
    those in the active language before others."""
    found = KeptReport.objects.filter(site=site, asset=asset, scope=scope, monday=week.monday)
    return sorted(found, key=lambda row: row.language != get_language())


def opened(row: KeptReport, week: Week) -> Report:
    """The report as it was sent."""
    contents: dict[str, Any] = row.contents
    own = row.scope == Counts.ASSET
    return Report(
        site=week.site,
        asset=row.asset,
        week=week,
        rows=[Row(**each | {"stated": Stated(**each["stated"])}) for each in contents["rows"]],
        **{name: [kind(**each) for each in contents[name]] for name, kind in PARTS.items()},
        **{name: contents[name] for name in TEXTS},
        losses_of=contents.get("losses_of", ""),
        made=row.made,
        counted=Counted(**contents["counted"], own=own) if contents.get("counted") else None,
        urls=addresses(week.site, row.asset, week, **({"scope": row.scope} if own else {}), sent=row.pk),
    )


# --- Beside what is known now --------------------------------------------------------------------


@dataclass(frozen=True)
class Redefined:
    """A definition that has another version than it had in the report, or when the report was due."""

    name: str
    before: int
    now: int
    since: date | None
    changed: str
    url: str  # of the figure as the version before has it


def redefined(rows: Iterable[Row], week: Week, *, sent: Iterable[Row] = ()) -> list[Redefined]:
    """Which of these figures are defined otherwise now than in the rows as `sent`; where none were, than on the day on
    which the week was due."""
    due = week.site.local(week.due).date()
    then = {row.stated.definition: row.stated.version for row in sent}
    found = []
    for row in rows:
        if (key := row.stated.definition) not in DEFINITIONS:
            continue
        now = versions_of(key)[0]
        before = then.get(key) or in_force(key, due).number
        if before < now.number:
            url = f"{row.url}&{urlencode({'definition_version': before})}"
            found.append(Redefined(str(now.definition.name), before, now.number, now.since, str(now.changed), url))
    return found


def known_now(rows: Iterable[Row], now: Report) -> list[tuple[Row, str, bool]]:
    """Rows as they were sent, each with what is known now, and whether that is something else."""
    later = {row.stated.definition: row for row in now.rows}
    found = []
    for row in rows:
        other = later.get(row.stated.definition)
        found.append((row, other.value if other else "", bool(other) and differs(row.stated, other.stated)))
    return found


def differs(sent: Stated, now: Stated) -> bool:
    return (sent.value, sent.status, sent.reason, sent.unit) != (now.value, now.status, now.reason, now.unit)
