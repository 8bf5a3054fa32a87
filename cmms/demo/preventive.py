"""Preventive plans of the demo plant and how two years of their occurrences went."""

from datetime import date, datetime, timedelta
from random import Random

from cmms.demo import world
from cmms.demo.chance import around, stream
from cmms.demo.orders import Work, answered
from cmms.demo.plant import Plant, Unit
from core.copying import reserve_ids
from workorders.models import JobPlan, JobPlanStep, Kind, PlanAsset, PlanOccurrence, PreventivePlan, State
from workorders.recurrence import due_after_completion, dues_until, first_due, interval_at

SETTLED = timedelta(days=2)  # what fell due before this is done, missed or skipped; the rest is for the generator
LEAD_DAYS = {"week": 5, "month": 7, "day": 7}


def plans(plant: Plant) -> tuple[list[PreventivePlan], list[Work]]:
    """Job plans, preventive plans and the orders of their past occurrences."""
    made, works = [], []
    occurrences: list[PlanOccurrence] = []
    pairs: list[PlanAsset] = []
    for site in plant.sites.values():
        for position, job in enumerate(world.JOBS):
            units = [
                unit
                for unit in plant.units
                if unit.site is site and unit.spec.kind in job.kinds and unit.until == plant.now
            ]
            if not units:
                continue
            plan, templates = _plan(plant, site, job, plant.first + timedelta(days=position))
            made.append(plan)
            for unit in units:
                happened, pair = _course(plant, plan, unit)
                occurrences += [occurrence for occurrence, _done in happened]
                pairs.append(pair)
                works += [
                    _order(plant, job, templates, unit, occurrence, done)
                    for occurrence, done in happened
                    if occurrence.state in ("done", "skipped")
                ]
    for occurrence, id_ in zip(occurrences, reserve_ids(PlanOccurrence, len(occurrences)), strict=True):
        occurrence.pk = id_
    PlanOccurrence.objects.bulk_create(occurrences, batch_size=2000)
    PlanAsset.objects.bulk_create(pairs)
    return made, works


def _plan(plant: Plant, site, job: world.Job, start: date) -> tuple[PreventivePlan, list[JobPlanStep]]:
    job_plan = JobPlan.objects.create(
        site=site, code=job.code, title=job.title, description=job.description, estimate_minutes=job.minutes
    )
    templates = []
    for position, (kind, text, *more) in enumerate(job.steps, start=1):
        step = JobPlanStep(job_plan=job_plan, position=position, kind=kind, text=text, required=kind != "text")
        if kind == "number":
            step.unit, step.low, step.high = more
        elif kind == "choice":
            step.choices = list(more[0])
        templates.append(step)
    JobPlanStep.objects.bulk_create(templates)
    plan = PreventivePlan.objects.create(
        site=site, name=job.title, job_plan=job_plan, start=start, due_time="14:00", every=job.every, unit=job.unit,
        weekdays=list(job.weekdays), nth=job.nth, last_day_of_month=job.last_day,
        basis="floating" if job.floating else "fixed", lead_days=LEAD_DAYS[job.unit],
    )  # fmt: skip
    plan.refresh_from_db()
    return plan, templates


def _course(
    plant: Plant, plan: PreventivePlan, unit: Unit
) -> tuple[list[tuple[PlanOccurrence, datetime | None]], PlanAsset]:
    """The settled occurrences of a plan for one machine, each with when it was done, and where the plan stands."""
    chance = stream("plan", plan.site.code, plan.name, unit.spec.code)
    trigger, zone = plan.trigger, plan.site.zone
    settled = plant.now - SETTLED
    due = first_due(trigger, zone, max(unit.since, plant.start))
    fixed = [] if trigger.floating else [due, *dues_until(trigger, zone, after=due, until=settled)]
    found: list[tuple[PlanOccurrence, datetime | None]] = []
    last_done = None
    while due and due <= settled:
        occurrence, done = _occurrence(plant, plan, unit, due, len(found) + 1, chance)
        last_done = done or last_done
        found.append((occurrence, done))
        if trigger.floating:
            due = due_after_completion(trigger, zone, done or due)
        else:
            due = fixed[len(found)] if len(found) < len(fixed) else None
    pair = PlanAsset(
        plan=plan, asset=unit.asset, last_done=last_done, next_sequence=len(found) + 1,
        planned_to=found[-1][0].due if found else None,
    )  # fmt: skip
    return found, pair


def _occurrence(plant, plan, unit, due, sequence, chance: Random) -> tuple[PlanOccurrence, datetime | None]:
    days = interval_at(plan.trigger, plan.site.zone, due).total_seconds() / 86400
    occurrence = PlanOccurrence(plan=plan, asset=unit.asset, sequence=sequence, due=due, interval_days=days)
    fate = chance.random()
    if fate < 0.03:
        occurrence.state, occurrence.reason = "missed", "The order before it was still open when it fell due."
        return occurrence, None
    if fate < 0.045:
        occurrence.state, occurrence.reason = "skipped", "No production in that week"
        return occurrence, None
    late = fate > 0.87
    done = (
        due + timedelta(days=chance.uniform(0.2, 0.35) * days) if late else due - timedelta(hours=chance.uniform(1, 52))
    )
    done = min(done, plant.now - timedelta(hours=chance.uniform(5, 20)))
    occurrence.state, occurrence.done_at = "done", done
    return occurrence, done


def _order(
    plant: Plant, job: world.Job, templates, unit: Unit, occurrence: PlanOccurrence, done: datetime | None
) -> Work:
    site, plan = unit.site, occurrence.plan
    chance = stream("preventive", site.code, job.code, unit.spec.code, occurrence.sequence)
    technicians, planner = plant.staff(site, "technician"), plant.staff(site, "planner")[0]
    raised = max(occurrence.due - timedelta(days=plan.lead_days), plant.start)
    if done and done < raised:
        raised = done - timedelta(hours=20)
    work = Work(
        unit, Kind.PREVENTIVE, job.title, raised, due_from=occurrence.due - timedelta(days=plan.lead_days),
        due_to=occurrence.due, estimate=job.minutes, job_plan=plan.job_plan, occurrence=occurrence,
        steps=[{"template": template} for template in templates],
    )  # fmt: skip
    work.moved("raised", None, raised, f"Raised by the plan “{plan.name}”")
    if done is None:
        work.state, work.state_note = State.CANCELLED, occurrence.reason
        work.moved("cancelled", planner, occurrence.due - timedelta(hours=5), occurrence.reason)
        return work
    person = chance.choice(technicians)
    started = done - timedelta(minutes=min(around(chance, job.minutes, 0.25), 400))
    scheduled = raised + (started - raised) * 0.3
    work.moved("planned", planner, scheduled - (scheduled - raised) * 0.2, f"{planner} planned it")
    work.assignments.append((person, started.replace(minute=0, second=0, microsecond=0), job.minutes))
    work.moved("scheduled", planner, scheduled, f"{planner} scheduled it for {person}")
    work.started_at, work.completed_at, work.was_failure = started, done, False
    work.moved("started", person, started, f"{person} started the work")
    work.labour.append((person, started, done))
    work.moved("completed", person, done, f"{person} completed the work")
    for index, step in enumerate(work.steps, start=1):
        at = started + (done - started) * index / (len(work.steps) + 1)
        step["answer"] = answered(step["template"], chance, person, at)
    percent, amount = job.parts
    if chance.random() * 100 < percent:
        work.costs.append(("parts", around(chance, amount, 0.2), done, "Service parts"))
    verified = done + timedelta(hours=chance.uniform(1, 40))
    if verified < plant.now:
        work.closed_at = verified
        work.moved("verified", planner, verified, f"{planner} verified the work")
    else:
        work.state, work.owner = State.COMPLETED, planner
    return work
