"""Keeping the facts of all sites complete: by schedule, on demand and by hand."""

from collections.abc import Iterable
from datetime import date, datetime

from django.utils import timezone

from core.models import Site
from core.runs import job_run, site_by_site
from kpis.facts import changes, store
from kpis.facts.clock import Clock

JOB = "kpis.compute_facts"
ALL = changes.Due()


def compute_due(*, now: datetime | None = None, by=None) -> int:
    """Complete every site's facts through its yesterday and compute changed days again; asset-days written.

    Safe at any time and any number of times: a run takes what no other run holds, and a killed one loses only
    its last chunk, which the next takes up. A site with nothing to do leaves no run behind; one that fails does not
    keep the others waiting.
    """
    sites = list(Site.objects.all())
    changes.come(now or timezone.now())
    due = changes.due(Clock.of(site, now) for site in sites)
    return site_by_site(
        lambda site: compute_site(site, now=now, by=by, due=due[site.pk]), [site for site in sites if site.pk in due]
    )


def compute_site(site: Site, *, now: datetime | None = None, by=None, due: changes.Due = ALL) -> int:
    """Complete one site's facts through its yesterday and compute changed days again, as far as that is due."""
    with job_run(JOB, site=site, by=by) as run:
        changes.come(now or timezone.now())
        if due.spread:
            changes.spread(site)
        if due.behind:
            store.enter(site)
            changes.discard(site)
            run.rows = store.catch_up(site, now=now, run=run)
        run.rows += changes.refresh(site, now=now, run=run)
        run.fact = f"{run.rows} asset-days"
    return run.rows


def recompute(
    sites: Iterable[Site], *, start: date | None = None, end: date | None = None, now: datetime | None = None, by=None
) -> int:
    """Compute all facts of the sites again, or those of production days `start` to `end` (inclusive)."""
    total = 0
    for site in sites:
        with job_run(JOB, site=site, by=by) as run:
            run.rows = store.recompute(site, start=start, end=end, now=now, run=run)
            run.fact = f"{run.rows} asset-days computed again"
        total += run.rows
    return total
