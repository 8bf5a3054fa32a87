"""Pages of preventive plans: list, one plan, its form with the year ahead, and what can be done with it."""

from datetime import datetime, time, timedelta

from django.contrib import messages
from django.db.models import Count, Min, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.kit.badges import Action
from core.kit.form_views import ActionPage, FormPage
from core.kit.present import when_text
from core.kit.views import DetailPage, ListPage, Page
from core.models import JobRun
from people.permissions import require
from workorders import generation, planning, previews
from workorders.forms.plans import IN_FORCE, PlanForm, SkipForm, UntilForm
from workorders.models import OccurrenceState, PlanAsset, PlanOccurrence, PreventivePlan
from workorders.plan_filters import PlanFilter
from workorders.plan_tables import GenerationTable, PlanTable, plan_badge
from workorders.tasks import generate_preventive_at
from workorders.trigger_words import full_sentence

PLANS = (gettext_lazy("Preventive plans"), reverse_lazy("preventive-plans"))


class Plans(ListPage):
    model, table, filterset = PreventivePlan, PlanTable, PlanFilter
    title = gettext_lazy("Preventive plans")
    export_name = "preventive-plans"

    def rows(self):
        return super().rows().for_list()

    def answer(self):
        """What lies ahead at the site, in words."""
        now = timezone.now()
        pairs = PlanAsset.objects.visible_to(self.request.user).filter(plan__site=self.request.site)
        found = pairs.aggregate(
            overdue=Count("pk", filter=Q(next_due__lte=now)),
            week=Count("pk", filter=Q(next_due__gt=now, next_due__lte=now + timedelta(days=7))),
        )
        coming = ngettext(
            "%(n)d occurrence falls due within seven days",
            "%(n)d occurrences fall due within seven days",
            found["week"],
        ) % {"n": found["week"]}
        if not found["overdue"]:
            return f"{coming}."
        late = ngettext("%(n)d has no order yet", "%(n)d have no order yet", found["overdue"])
        return _("%(coming)s; of those due before, %(late)s.") % {
            "coming": coming,
            "late": late % {"n": found["overdue"]},
        }

    def actions(self):
        user, site = self.request.user, self.request.site
        found = []
        if site and user.can("edit", site):
            found.append(Action(_("New plan"), reverse("preventive-plan-new"), "plus", tone="primary"))
        if site and user.can("plan", site):
            found.append(Action(_("Generate now"), reverse("preventive-generation"), "bolt", post=True))
        found.append(Action(_("Runs"), reverse("preventive-runs"), "clock-play"))
        return found


class PlanPage(DetailPage):
    model = PreventivePlan
    parent = PLANS

    def rows(self):
        return super().rows().select_related("site", "job_plan")

    def badges(self):
        return [plan_badge(self.object)]

    def answer(self):
        """When it falls due, and what is open."""
        pairs = PlanAsset.objects.filter(plan=self.object).aggregate(next_due=Min("next_due"))
        waiting = PlanOccurrence.objects.filter(plan=self.object, state=OccurrenceState.GENERATED)
        found = waiting.aggregate(open=Count("pk"), late=Count("pk", filter=Q(due__lt=timezone.now())))
        words = [full_sentence(self.object.trigger)]
        if pairs["next_due"]:
            words.append(_("Next: %(when)s.") % {"when": when_text(pairs["next_due"])})
        if found["open"]:
            late = _(", %(n)d of them overdue") % {"n": found["late"]} if found["late"] else ""
            words.append(ngettext("%(n)d order is open", "%(n)d orders are open", found["open"]) % {"n": found["open"]})
            words[-1] += f"{late}."
        return " ".join(words)

    def facts(self):
        plan = self.object
        days = ngettext("%(n)d day", "%(n)d days", plan.lead_days) % {"n": plan.lead_days}
        return [
            (_("Job plan"), plan.job_plan.title),
            (_("First due"), plan.start),
            (_("Lead time"), days),
            (_("While an order is open"), plan.get_open_policy_display()),
        ]

    def actions(self):
        user, plan = self.request.user, self.object
        found = []
        if user.can("plan", plan.site) and plan.active:
            found.append(
                Action(_("Generate now"), reverse("preventive-plan-generation", args=[plan.pk]), "bolt", tone="primary")
            )
        if user.can("edit", plan.site):
            found.append(Action(_("Edit"), reverse("preventive-plan-edit", args=[plan.pk]), "pencil"))
            if plan.active:
                found.append(
                    Action(_("Pause"), reverse("preventive-plan-pause", args=[plan.pk]), "player-pause", post=True)
                )
            else:
                found.append(
                    Action(_("Resume"), reverse("preventive-plan-resume", args=[plan.pk]), "player-play", post=True)
                )
        return found


class EditPlan(FormPage):
    """The form of a plan, with the year that it would bring beside it."""

    template_name = "workorders/plans/form.html"
    model, form_class = PreventivePlan, PlanForm
    parent = PLANS

    def may(self, user):
        return self.object is not None or (self.request.site is not None and user.can("edit", self.request.site))

    def may_object(self, user, obj):
        return user.can("edit", obj.site)

    def rows(self):
        return super().rows().select_related("site", "job_plan")

    def context(self):
        place = [self.object.pk] if self.object else []
        return {"preview_url": reverse("preventive-plan-preview", args=place), "in_force": IN_FORCE.items()}

    def save(self, form):
        assets = form.cleaned_data["assets"]
        if self.object:
            return planning.change_plan(self.object, by=self.request.user, assets=assets, **form.fields_of_plan)
        return planning.create_plan(self.request.site, by=self.request.user, assets=assets, **form.fields_of_plan)

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        """Without scripts the preview is a button of the form."""
        if "preview" in request.POST:
            form = self.form(request.POST)
            form.is_valid()
            return self.draw(form=form, back=self.back(self.way_back()), **preview_of(form, self.object))
        return super().post(request, *args, **kwargs)


class PreviewPlan(EditPlan):
    """The part of the form's page that shows the year ahead; fetched anew at each change of the form."""

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        return HttpResponseRedirect(
            reverse("preventive-plan-edit", args=[self.object.pk]) if self.object else reverse("preventive-plan-new")
        )

    def post(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        form = self.form(request.POST)
        form.is_valid()
        return self.draw("workorders/plans/_preview.html", **preview_of(form, self.object))


def preview_of(form: PlanForm, plan: PreventivePlan | None) -> dict:
    """The year that the form as typed would bring, beside the one that the plan brings as it is."""
    if form.trigger is None:
        return {"preview": None, "problems": [error for errors in form.errors.values() for error in errors]}
    assets = form.cleaned_data.get("assets") or []
    job_plan = form.cleaned_data.get("job_plan")
    minutes = job_plan.estimate_minutes if job_plan else None
    if plan is None:
        shown = previews.of_trigger(form.trigger, form.site, assets=len(assets), minutes_each=minutes)
        return {"preview": shown, "asset_count": len(assets)}
    asset_ids = [asset.pk for asset in assets]
    shown = previews.of_plan(plan, trigger=form.trigger, asset_ids=asset_ids, minutes_each=minutes)
    return {"preview": shown, "asset_count": len(assets), "present": previews.of_plan(plan) if plan.active else None}


class PausePlan(ActionPage):
    model = PreventivePlan
    title = gettext_lazy("Pause")
    sentence = gettext_lazy("Nothing more falls due until the plan is resumed; open orders stay.")

    def do(self, obj):
        planning.pause(obj, by=self.request.user)
        return _("Paused.")


class ResumePlan(ActionPage):
    model = PreventivePlan
    title = gettext_lazy("Resume")
    sentence = gettext_lazy("The plan goes on from today; the time of the pause is not made up for.")

    def do(self, obj):
        planning.resume(obj, by=self.request.user)
        return _("Resumed.")


class GeneratePlan(ActionPage):
    """Raise the orders of one plan now."""

    model, form_class = PreventivePlan, UntilForm
    title = gettext_lazy("Generate now")
    sentence = gettext_lazy("Orders are raised for what is due; what has its order already is left alone.")
    submit, icon = gettext_lazy("Generate"), "bolt"

    def do(self, obj, *, until=None):
        end = datetime.combine(until, time.max, obj.site.zone) if until else None
        outcome = generation.run(obj.site, plan=obj, until=end, by=self.request.user)
        next_due = obj.plan_assets.aggregate(next_due=Min("next_due"))["next_due"]
        if outcome.orders or next_due is None:
            return f"{outcome}.".capitalize()
        return _("Nothing is due yet; the next occurrence is due %(when)s.") % {"when": when_text(next_due)}


class GenerateAll(Page):
    """Raise the orders of all plans of the site: at once when they are few, else by a worker."""

    def post(self, request: HttpRequest) -> HttpResponse:
        site = request.site
        require(request.user, "plan", site)
        here = HttpResponseRedirect(self.back(reverse("preventive-plans")))
        waiting = PlanAsset.objects.filter(plan__site=site, ready_at__lte=timezone.now())
        if waiting[generation.CHUNK :].exists():
            generate_preventive_at.delay(site.pk, request.user.pk)
            messages.info(request, _("There is much to do; a worker has taken it over. The runs show how it goes."))
            return HttpResponseRedirect(reverse("preventive-runs"))
        outcome = generation.run(site, by=request.user)
        messages.success(request, f"{outcome}.".capitalize())
        return here


class Runs(ListPage):
    """When preventive orders were generated, and what came of it."""

    model, table = JobRun, GenerationTable
    title = gettext_lazy("Runs of the generation")
    parent = PLANS

    def rows(self):
        """Runs for the chosen site, and those for all sites."""
        here = Q(site=None) | Q(site=self.request.site)
        return JobRun.objects.filter(here, name=generation.JOB).select_related("started_by")


class SkipOccurrence(ActionPage):
    model, form_class = PlanOccurrence, SkipForm
    title = gettext_lazy("Skip this occurrence")
    submit, icon, tone = gettext_lazy("Skip"), "player-skip-forward", "stop"

    def rows(self):
        return super().rows().select_related("plan__site", "asset")

    def may_object(self, user, obj):
        return user.can("plan", obj.plan.site)

    @property
    def sentence(self):
        found = {"plan": self.object.plan, "asset": self.object.asset, "when": when_text(self.object.due)}
        return _("%(plan)s for %(asset)s, due %(when)s, is left out. The plan goes on after it.") % found

    def crumbs(self):
        return [PLANS, (str(self.object.plan), self.object.get_absolute_url())]

    def do(self, obj, *, reason: str):
        planning.skip(obj, by=self.request.user, reason=reason)
        return _("Skipped.")
