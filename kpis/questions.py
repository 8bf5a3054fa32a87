"""What an address asks for: the same parameters for pages and for the REST API, with errors that name them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.http import QueryDict
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_datetime

from assets.models import Asset, AssetKind
from core.errors import Refused
from core.models import Site
from core.querysets import id_of
from kpis.cutting import BY
from kpis.definitions import DEFINITIONS
from kpis.figures import SCOPES, named

PARAMETERS = {"asset", "site", "from", "to", "by", "scope", "definition", "definition_version"}
MOST_ASSETS = 500


@dataclass(frozen=True)
class Question:
    """`assets=None` asks for the site as a whole; without a `version` definitions are meant as they hold."""

    site: Site
    assets: list[Asset] | None
    start: datetime
    end: datetime
    by: str
    scope: str
    definitions: list[str]
    version: int | None = None


def asked(query: QueryDict, user) -> Question:
    """Read the question; rows of other sites do not exist (404), anything else that is wrong is refused."""
    if unknown := sorted(set(query) - PARAMETERS - {"format"}):
        raise Refused(
            f"Unknown parameter; known are {', '.join(sorted(PARAMETERS))}.", code="unknown", field=unknown[0]
        )
    site = _site(query, user)
    words = _words(query, "asset")
    if len(words) > MOST_ASSETS:
        raise Refused(f"At most {MOST_ASSETS} assets at once.", code="too_many", field="asset")
    assets = [_asset(text, user, site) for text in words]
    if site is None:
        if not assets:
            raise Refused("Name assets or a site.", code="required", field="asset")
        site = assets[0].site
    if any(asset.site_id != site.pk for asset in assets):
        raise Refused("All assets of one question must belong to one site.", code="several_sites", field="asset")
    start, end = _moment(query, "from", site), _moment(query, "to", site)
    by, scope = _one_of(BY, query, "by", "total"), _one_of(SCOPES, query, "scope", "asset")
    definitions = [named(key).key for key in _words(query, "definition")] or list(DEFINITIONS)
    return Question(site, assets or None, start, end, by, scope, definitions, _version(query, definitions))


def _one_of(known: Sequence[str], query: QueryDict, name: str, default: str) -> str:
    word = query.get(name) or default
    if word not in known:
        raise Refused(f"{name} must be one of {', '.join(known)}.", code="invalid", field=name)
    return word


def _version(query: QueryDict, definitions: list[str]) -> int | None:
    text = (query.get("definition_version") or "").strip()
    if not text:
        return None
    if len(definitions) != 1:
        raise Refused("A version is one of one definition; name it.", code="one_only", field="definition_version")
    if not (number := id_of(text)):
        raise Refused("Give the number of a version, such as 1.", code="invalid", field="definition_version")
    return number


def _words(query: QueryDict, name: str) -> list[str]:
    return [word.strip() for text in query.getlist(name) for word in text.split(",") if word.strip()]


def _key(text: str) -> dict:
    if pk := id_of(text):
        return {"pk": pk}
    return {"code__iexact": text.replace("\0", "\ufffd")}  # PostgreSQL takes no NUL; no code has this instead


def _site(query: QueryDict, user) -> Site | None:
    """The site that is named."""
    text = query.get("site", "").strip()
    return get_object_or_404(Site.objects.visible_to(user), **_key(text)) if text else None


def _asset(text: str, user, site: Site | None) -> Asset:
    """By id or code; of several with this code the one of the site, where one is named."""
    rows = Asset.objects.visible_to(user).select_related("site")
    found = list(rows.filter(**_key(text)).order_by("pk"))  # each of another site
    here = [asset for asset in found if asset.site == site]
    if site is None and len(found) > 1:
        raise Refused("Several sites have this code; name the site, or give the id.", code="ambiguous", field="asset")
    return next(iter(here or found), None) or get_object_or_404(rows.none())


def _moment(query: QueryDict, name: str, site: Site) -> datetime:
    """An instant with its offset, or a date: the start of that production day at the site."""
    text = (query.get(name) or "").strip().replace(" ", "+")  # a "+" that was not encoded arrives as a space
    if not text:
        raise Refused("Give an instant (2026-03-01T06:00:00+01:00) or a date.", code="required", field=name)
    try:
        if len(text) == 10:
            return site.day_begins(date.fromisoformat(text))
        moment = parse_datetime(text)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        raise Refused("Neither an instant nor a date.", code="invalid", field=name)
    if moment.tzinfo is None:
        raise Refused("An instant needs its offset from UTC, such as +01:00 or Z.", code="naive", field=name)
    try:
        moment.astimezone(site.zone) - timedelta(days=2)
        moment.astimezone(site.zone) + timedelta(days=2)
    except OverflowError:
        raise Refused("This instant is out of range.", code="invalid", field=name) from None
    return moment


@dataclass(frozen=True)
class Subject:
    """An asset, all assets of a kind at a site, or (with neither) the site."""

    site: Site
    asset: Asset | None = None
    kind: AssetKind | None = None


def subject(query: QueryDict, user, *, site: Site | None = None) -> Subject:
    """Whom `asset`, `kind` and `site` name; `site` is the one chosen on a page, for an address without one."""
    if query.get("asset") and query.get("kind"):
        raise Refused("Name an asset or a kind, not both.", code="one_only", field="kind")
    named_site = _site(query, user)
    if query.get("asset"):
        asset = _asset(query["asset"].strip(), user, named_site)
        if named_site and asset.site != named_site:
            raise Refused("The asset stands at another site.", code="several_sites", field="asset")
        return Subject(asset.site, asset=asset)
    site = named_site or site
    if site is None:
        raise Refused("Name an asset, or a site.", code="required", field="site")
    kind = None
    if query.get("kind"):
        kind = get_object_or_404(AssetKind.objects.visible_to(user), **_key(query["kind"].strip()))
    return Subject(site, kind=kind)
