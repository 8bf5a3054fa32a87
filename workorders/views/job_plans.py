"""Pages of job plans: list, one job plan with its steps, and the form that writes both."""

from functools import cached_property

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import Conflict, DomainError, NotAllowed
from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.present import duration_text
from core.kit.views import DetailPage, ListPage
from workorders import jobplans
from workorders.forms.job_plans import JobPlanForm, StepFormSet, shown
from workorders.models import JobPlan, JobPlanStep, PreventivePlan
from workorders.plan_filters import JobPlanFilter
from workorders.plan_tables import JobPlanTable, job_plan_badge

JOB_PLANS = (gettext_lazy("Job plans"), reverse_lazy("job-plans"))


class JobPlans(ListPage):
    model, table, filterset = JobPlan, JobPlanTable, JobPlanFilter
    title = gettext_lazy("Job plans")
    export_name = "job-plans"

    def rows(self):
        rows = super().rows().annotate(step_count=counted(JobPlanStep), plan_count=counted(PreventivePlan))
        return rows if self.request.GET.get("archived") else rows.filter(archived_at=None)

    def answer(self):
        return _("Work described once; orders and preventive plans copy its steps.")

    def actions(self):
        if self.request.site and self.request.user.can("edit", self.request.site):
            return [Action(_("New job plan"), reverse("job-plan-new"), "plus", tone="primary")]
        return []


def counted(model) -> Subquery:
    """How many rows of the model belong to each job plan."""
    rows = model.objects.filter(job_plan=OuterRef("pk")).order_by().values("job_plan")
    return Subquery(rows.annotate(n=Count("pk")).values("n"), output_field=IntegerField())


class JobPlanPage(DetailPage):
    model = JobPlan
    parent = JOB_PLANS

    def rows(self):
        return super().rows().select_related("site")

    def badges(self):
        return [job_plan_badge(self.object)]

    def answer(self):
        return self.object.description

    def facts(self):
        minutes = self.object.estimate_minutes
        estimate = duration_text(minutes * 60) if minutes is not None else _("no estimate")
        return [(_("Working time"), estimate), (_("Revision"), self.object.revision)]

    def actions(self):
        if not self.request.user.can("edit", self.object.site):
            return []
        place = [self.object.pk]
        if self.object.archived_at:
            return [Action(_("Restore"), reverse("job-plan-restore", args=place), "archive-off", post=True)]
        plan = f"{reverse('preventive-plan-new')}?job_plan={self.object.pk}"
        return [
            Action(_("Edit"), reverse("job-plan-edit", args=place), "pencil", tone="primary"),
            Action(_("Plan it"), plan, "repeat"),
            Action(_("Archive"), reverse("job-plan-archive", args=place), "archive"),
        ]


class EditJobPlan(FormPage):
    template_name = "workorders/job_plans/form.html"
    model, form_class = JobPlan, JobPlanForm
    parent = JOB_PLANS

    def may(self, user):
        return self.object is not None or (self.request.site is not None and user.can("edit", self.request.site))

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def rows(self):
        return super().rows().select_related("site")

    @cached_property
    def steps(self) -> StepFormSet:
        typed = self.request.POST if self.request.method == "POST" else None
        return StepFormSet(typed, initial=shown(self.object) if self.object and typed is None else None, prefix="steps")

    def context(self):
        return {"steps": self.steps}

    def save(self, form):
        fields = form.cleaned_data | {"steps": self.steps.wanted}
        if self.object:
            return jobplans.change(self.object, by=self.request.user, **fields)
        return jobplans.create(self.request.site, by=self.request.user, **fields)

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        form = self.form(request.POST)
        status = 422
        if all([form.is_valid(), self.steps.is_valid()]):
            try:
                with transaction.atomic():
                    self.claim()
                    job_plan = self.save(form)
            except NotAllowed:
                raise
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, error.message)
                status = 409 if isinstance(error, Conflict) else 422
            else:
                messages.success(request, _("%(name)s is saved.") % {"name": job_plan})
                return HttpResponseRedirect(self.success_url(job_plan))
        return self.draw(form=form, back=self.back(self.way_back()), status=status)


class ArchiveJobPlan(ActionPage):
    model = JobPlan
    title = gettext_lazy("Archive")
    sentence = gettext_lazy("It can no longer be chosen; orders that copied its steps keep them.")
    submit, icon, tone = gettext_lazy("Archive"), "archive", "stop"

    def do(self, obj):
        jobplans.archive(obj, by=self.request.user)
        return _("Archived.")


class RestoreJobPlan(ActionPage):
    model = JobPlan
    title = gettext_lazy("Restore")
    sentence = gettext_lazy("It can be chosen again.")

    def do(self, obj):
        jobplans.restore(obj, by=self.request.user)
        return _("Restored.")
