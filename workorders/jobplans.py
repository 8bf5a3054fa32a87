"""Job plans: work described once, with its steps. Orders copy the steps, so a change concerns only later orders."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from assets.checks import check_row
from core.changes import apply, plain
from core.errors import Conflict, Refused
from core.events import record
from core.models import Site
from people.permissions import require
from workorders.models import JobPlan, JobPlanStep, StepKind
from workorders.models.plan import StepTemplate

MOST_STEPS = 200
FIELDS = ("code", "title", "description", "estimate_minutes")
STEP_FIELDS = tuple(field.name for field in StepTemplate._meta.fields if field.name != "position")


@transaction.atomic
def create(site: Site, *, by, steps: Sequence[Mapping[str, Any]] = (), **fields: Any) -> JobPlan:
    """A job plan with its steps, given as fields of StepTemplate in the order of work."""
    require(by, "edit", site)
    job_plan = JobPlan(site=site, **fields)
    check_row(job_plan)
    job_plan.save()
    _write_steps(job_plan, steps)
    record("job_plan.created", job_plan, by=by, site=site, summary=_("Job plan %s created") % job_plan)
    return job_plan


@transaction.atomic
def change(job_plan: JobPlan, *, by, steps: Sequence[Mapping[str, Any]] | None = None, **fields: Any) -> JobPlan:
    """Change a job plan; `steps` replaces all of them. Each change is a new revision; orders keep what they copied."""
    require(by, "edit", job_plan.site_id)
    job_plan = JobPlan.objects.select_for_update(of=("self",)).select_related("site").get(pk=job_plan.pk)
    changed: dict[str, Any] = apply(job_plan, fields)
    if steps is not None:
        before = [_said(step.template()) for step in job_plan.steps.all()]
        job_plan.steps.all().delete()
        after = [_said(step.template()) for step in _write_steps(job_plan, steps)]
        if before != after:
            changed["steps"] = [before, after]
    if not changed:
        return job_plan
    check_row(job_plan)
    job_plan.revision, job_plan.version = F("revision") + 1, F("version") + 1
    job_plan.save()
    job_plan.refresh_from_db()
    summary = _("Job plan %(plan)s changed, revision %(revision)d") % {
        "plan": job_plan,
        "revision": job_plan.revision,
    }
    record("job_plan.changed", job_plan, by=by, site=job_plan.site, summary=summary, changes=changed)
    return job_plan


@transaction.atomic
def archive(job_plan: JobPlan, *, by) -> JobPlan:
    """Take it out of the lists to choose from; refused while a preventive plan that is in force uses it."""
    require(by, "edit", job_plan.site_id)
    job_plan = JobPlan.objects.select_for_update(of=("self",)).select_related("site").get(pk=job_plan.pk)
    if job_plan.archived_at:
        raise Conflict(_("This job plan is archived already."), code="already_archived")
    if plan := job_plan.preventive_plans.filter(active=True).first():
        message = _("“%(plan)s” still uses it; pause that plan or give it another job plan first.")
        raise Refused(message % {"plan": plan.name}, code="in_use")
    job_plan.archived_at, job_plan.version = timezone.now(), job_plan.version + 1
    job_plan.save(update_fields=["archived_at", "version"])
    record("job_plan.archived", job_plan, by=by, site=job_plan.site, summary=_("Job plan %s archived") % job_plan)
    return job_plan


@transaction.atomic
def restore(job_plan: JobPlan, *, by) -> JobPlan:
    require(by, "edit", job_plan.site_id)
    job_plan = JobPlan.objects.select_for_update(of=("self",)).select_related("site").get(pk=job_plan.pk)
    if not job_plan.archived_at:
        raise Conflict(_("This job plan is not archived."), code="not_archived")
    job_plan.archived_at, job_plan.version = None, job_plan.version + 1
    job_plan.save(update_fields=["archived_at", "version"])
    record("job_plan.restored", job_plan, by=by, site=job_plan.site, summary=_("Job plan %s restored") % job_plan)
    return job_plan


def check_step(position: int, step: StepTemplate) -> dict[str, str]:
    """What is wrong with a step at this position, by field; conditions are checked between steps elsewhere."""
    errors: dict[str, str] = {}
    if not step.text.strip():
        errors["text"] = _("Say what is to be done.")
    numeric = step.kind == StepKind.NUMBER
    if not numeric and (step.low is not None or step.high is not None or step.unit):
        errors["low" if step.low is not None else "high" if step.high is not None else "unit"] = _(
            "Only a number has a unit and limits."
        )
    elif step.low is not None and step.high is not None and step.low > step.high:
        errors["high"] = _("The upper limit lies below the lower one.")
    if step.kind == StepKind.CHOICE and len(set(step.choices)) < 2:
        errors["choices"] = _("Give at least two choices.")
    elif step.kind != StepKind.CHOICE and step.choices:
        errors["choices"] = _("Only a choice has choices.")
    if step.depends_on is not None and not 1 <= step.depends_on < position:
        errors["depends_on"] = _("A step can depend on an earlier step only.")
    elif (step.depends_on is None) != (not step.depends_outcome):
        errors["depends_outcome" if step.depends_on else "depends_on"] = _("Name the step and its outcome.")
    return errors


def _write_steps(job_plan: JobPlan, steps: Sequence[Mapping[str, Any]]) -> list[JobPlanStep]:
    if len(steps) > MOST_STEPS:
        raise Refused(_("A job plan has at most %d steps.") % MOST_STEPS, code="too_many_steps", field="steps")
    rows = []
    for position, fields in enumerate(steps, start=1):
        row = JobPlanStep(job_plan=job_plan, position=position, **{"depends_outcome": "", **fields})
        errors = check_step(position, row)
        try:
            row.clean_fields(exclude={"job_plan"})
        except ValidationError as error:
            errors = {field: " ".join(messages) for field, messages in error.message_dict.items()} | errors
        if errors:
            problem = next(iter(errors.values()))
            message = _("Step %(position)d: %(problem)s") % {"position": position, "problem": problem}
            raise Refused(message, code="step", field="steps")
        rows.append(row)
    return JobPlanStep.objects.bulk_create(rows)


def _said(template: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in template.items()}
