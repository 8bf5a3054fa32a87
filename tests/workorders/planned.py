"""Plans for tests: a job plan with steps, and plans that use it."""

from datetime import UTC, date, datetime, time, timedelta

from django.utils import timezone

from assets.models import Asset
from core.models import Site
from workorders import planning
from workorders.models import JobPlan, JobPlanStep, PlanOccurrence, PreventivePlan

MONDAY = datetime(2026, 6, 1, 4, tzinfo=UTC)  # 06:00 in Berlin


def job_plan(site: Site, code: str = "lubricate", *, steps: int = 2, **fields) -> JobPlan:
    """A job plan with that many check steps."""
    row = JobPlan.objects.create(site=site, code=code, title=code.capitalize(), **{"estimate_minutes": 30, **fields})
    JobPlanStep.objects.bulk_create(
        JobPlanStep(job_plan=row, position=number, text=f"Step {number}") for number in range(1, steps + 1)
    )
    return row


def weekly(site: Site, assets: list[Asset], *, now: datetime, by=None, **fields) -> PreventivePlan:
    """Every Monday at 06:00 from 1 June 2026 on, without lead time unless told otherwise."""
    values = {
        "name": "Lubricate",
        "start": date(2026, 6, 1),
        "due_time": time(6),
        "every": 1,
        "unit": "week",
        "lead_days": 0,
        "horizon_days": 28,
        **fields,
    }
    values.setdefault("job_plan", JobPlan.objects.filter(site=site).first() or job_plan(site))
    return planning.create_plan(site, by=by, assets=assets, now=now, **values)


def upcoming(site: Site, assets: list[Asset], **fields) -> PreventivePlan:
    """Every week from tomorrow at 06:00 on, so that nothing is due today, whatever day today is."""
    now = timezone.now()
    return weekly(site, assets, now=now, **{"start": site.local(now).date() + timedelta(days=1), **fields})


def story(plan: PreventivePlan, asset: Asset | None = None) -> list[tuple[int, str, str]]:
    """(sequence, local day, state) of the plan's occurrences."""
    rows = PlanOccurrence.objects.filter(plan=plan).order_by("asset_id", "due")
    if asset is not None:
        rows = rows.filter(asset=asset)
    return [(row.sequence, f"{plan.site.local(row.due):%m-%d}", row.state) for row in rows]
