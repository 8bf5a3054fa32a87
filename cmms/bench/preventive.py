"""Preventive generation: due orders with their steps, plans moved on, beside one INSERT … SELECT of the same rows."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from cmms.bench.measure import Report, peak_mib, seconds
from core.models import Site
from workorders import generation
from workorders.models import JobPlan, JobPlanStep, NumberSeries, PreventivePlan

PLANS_PER_SITE = 10
# One statement that writes the rows of a run: occurrences, orders, steps and events, and moves the pairs on.
REFERENCE = """
WITH due AS (
    INSERT INTO workorders_planoccurrence (plan_id, asset_id, sequence, due, interval_days, state, reason)
    SELECT pair.plan_id, pair.asset_id, 1, %(due)s, 31, 'generated', '' FROM workorders_planasset pair
    RETURNING id, plan_id, asset_id, due
), ahead AS (
    INSERT INTO workorders_planoccurrence (plan_id, asset_id, sequence, due, interval_days, state, reason)
    SELECT pair.plan_id, pair.asset_id, 2, %(due)s + interval '1 month', 31, 'forecast', '' FROM workorders_planasset pair
    RETURNING 1
), raised AS (
    INSERT INTO workorders_workorder (site_id, number, kind, asset_id, summary, description, state, consequence, likelihood,
        priority, priority_reason, due_from, due_to, estimate_minutes, job_plan_id, occurrence_id, reported_at, created,
        state_since, hold_reason, state_note, completion_note, source, external_id, version)
    SELECT plan.site_id, %(last)s + row_number() OVER (ORDER BY due.id), 'preventive', due.asset_id, job_plan.title, '',
        'approved', 2, 2, 3, '', due.due - interval '7 days', due.due, job_plan.estimate_minutes, job_plan.id, due.id,
        %(now)s, %(now)s, %(now)s, '', '', '', 'operator', '', 1
    FROM due JOIN workorders_preventiveplan plan ON plan.id = due.plan_id
    JOIN workorders_jobplan job_plan ON job_plan.id = plan.job_plan_id
    RETURNING id, site_id, job_plan_id, asset_id
), stepped AS (
    INSERT INTO workorders_step (order_id, position, kind, text, required, unit, choices, outcome, answer)
    SELECT raised.id, step.position, step.kind, step.text, step.required, '', '{}', '', ''
    FROM raised JOIN workorders_jobplanstep step ON step.job_plan_id = raised.job_plan_id
    RETURNING 1
), told AS (
    INSERT INTO core_event (site_id, verb, object_type, object_id, summary, data, at)
    SELECT site_id, 'work_order.raised', 'workorders.workorder', id, 'Raised by the plan',
        jsonb_build_object('to', 'approved', 'kind', 'preventive', 'asset', asset_id), %(now)s FROM raised
    RETURNING 1
), moved AS (
    UPDATE workorders_planasset SET next_due = %(due)s + interval '1 month', planned_to = %(due)s + interval '1 month',
        ready_at = %(due)s + interval '24 days', next_sequence = 3
    RETURNING 1
)
SELECT (SELECT count(*) FROM raised), (SELECT count(*) FROM stepped), (SELECT count(*) FROM told),
    (SELECT count(*) FROM moved), (SELECT count(*) FROM ahead)
"""


def prepare(pairs: int, *, now: datetime) -> None:
    """Monthly plans at every site whose first due moment was yesterday, one pair of plan and asset for each order."""
    due = (now - timedelta(days=1)).date()
    sites = list(Site.objects.order_by("pk"))
    for site in sites:
        job = JobPlan.objects.create(site=site, code="bench", title="Lubricate and inspect", estimate_minutes=30)
        JobPlanStep.objects.bulk_create(
            JobPlanStep(job_plan=job, position=position, text=f"Step {position}") for position in range(1, 6)
        )
        PreventivePlan.objects.bulk_create(
            PreventivePlan(site=site, name=f"Plan {n}", job_plan=job, start=due, unit="month", horizon_days=20)
            for n in range(PLANS_PER_SITE)
        )
        NumberSeries.objects.get_or_create(site=site)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO workorders_planasset (plan_id, asset_id, next_due, ready_at, planned_to, next_sequence)
               SELECT plan.id, asset.id, %(due)s, %(due)s - interval '7 days', %(due)s - interval '2 days', 1
               FROM workorders_preventiveplan plan
                   JOIN workorders_jobplan job ON job.id = plan.job_plan_id AND job.code = 'bench'
                   JOIN assets_asset asset ON asset.site_id = plan.site_id
               ORDER BY asset.id, plan.id LIMIT %(pairs)s""",
            {"due": now - timedelta(days=1), "pairs": pairs},
        )
        cursor.execute("ANALYZE workorders_planasset, workorders_preventiveplan, workorders_jobplanstep")


def counted() -> dict[str, int]:
    """Rows of the tables that a run writes."""
    tables = ["workorders_workorder", "workorders_step", "workorders_planoccurrence", "core_event"]
    with connection.cursor() as cursor:
        return {table: _one(cursor, f"SELECT count(*) FROM {table}") for table in tables}


def _one(cursor, sql: str, parameters=None) -> int:
    cursor.execute(sql, parameters)
    return cursor.fetchone()[0]


def run_reference(now: datetime) -> dict[str, int]:
    """The statement and its commit; then everything is put back, so that the product starts from the same state."""
    before = counted()
    parameters = {"due": now - timedelta(days=1), "now": now, "last": 10_000_000}

    def statement() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(REFERENCE, parameters)

    took = seconds(statement)
    after = counted()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE core_event DISABLE TRIGGER event_append_only")
        cursor.execute("DELETE FROM core_event WHERE verb = 'work_order.raised'")
        cursor.execute("ALTER TABLE core_event ENABLE TRIGGER event_append_only")
        cursor.execute(
            "DELETE FROM workorders_step WHERE order_id IN (SELECT id FROM workorders_workorder WHERE number > 10000000)"
        )
        cursor.execute("DELETE FROM workorders_workorder WHERE number > 10000000")
        cursor.execute("DELETE FROM workorders_planoccurrence")
        cursor.execute(
            "UPDATE workorders_planasset SET next_due = %(due)s, ready_at = %(due)s - interval '7 days', next_sequence = 1,"
            " planned_to = %(due)s - interval '2 days'",
            parameters,
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "VACUUM ANALYZE workorders_step, workorders_workorder, workorders_planoccurrence, workorders_planasset"
        )
    return {"seconds": took} | {table: after[table] - before[table] for table in after}


def measure(report: Report, *, pairs: int, now: datetime) -> None:
    prepare(pairs, now=now)
    reference = run_reference(now)
    before = counted()
    product = seconds(lambda: generation.generate(now=now))
    written = {table: rows - before[table] for table, rows in counted().items()}
    same = all(written[table] == reference[table] for table in written)
    report.add(
        f"preventive generation, {pairs:,} due orders with 5 steps", product=product, reference=reference["seconds"],
        most=4, detail=f"{written['workorders_workorder']:,} orders, {written['workorders_step']:,} steps, peak {peak_mib():.0f} MiB",
    )  # fmt: skip
    report.add("the same rows as the reference, table by table", product=float(sum(written.values())),
               reference=float(sum(v for k, v in reference.items() if k != "seconds")), bar="equal", ok=same, unit="rows")  # fmt: skip
    idle = seconds(lambda: generation.generate(now=now))
    report.add(f"preventive run over {pairs:,} pairs with nothing due", product=idle, bar="< 1 s", ok=idle < 1)
