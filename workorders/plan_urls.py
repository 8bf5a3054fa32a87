"""Addresses of preventive plans, their occurrences and job plans."""

from django.urls import path

from workorders.views import job_plans, plans

urlpatterns = [
    path("preventive-plans/", plans.Plans.as_view(), name="preventive-plans"),
    path("preventive-plans/new/", plans.EditPlan.as_view(), name="preventive-plan-new"),
    path("preventive-plans/preview/", plans.PreviewPlan.as_view(), name="preventive-plan-preview"),
    path("preventive-plans/generation/", plans.GenerateAll.as_view(), name="preventive-generation"),
    path("preventive-plans/runs/", plans.Runs.as_view(), name="preventive-runs"),
    path("preventive-plans/<int:pk>/", plans.PlanPage.as_view(), name="preventive-plan"),
    path("preventive-plans/<int:pk>/edit/", plans.EditPlan.as_view(), name="preventive-plan-edit"),
    path("preventive-plans/<int:pk>/preview/", plans.PreviewPlan.as_view(), name="preventive-plan-preview"),
    path("preventive-plans/<int:pk>/pause/", plans.PausePlan.as_view(), name="preventive-plan-pause"),
    path("preventive-plans/<int:pk>/resume/", plans.ResumePlan.as_view(), name="preventive-plan-resume"),
    path("preventive-plans/<int:pk>/generation/", plans.GeneratePlan.as_view(), name="preventive-plan-generation"),
    path("occurrences/<int:pk>/skip/", plans.SkipOccurrence.as_view(), name="occurrence-skip"),
    path("job-plans/", job_plans.JobPlans.as_view(), name="job-plans"),
    path("job-plans/new/", job_plans.EditJobPlan.as_view(), name="job-plan-new"),
    path("job-plans/<int:pk>/", job_plans.JobPlanPage.as_view(), name="job-plan"),
    path("job-plans/<int:pk>/edit/", job_plans.EditJobPlan.as_view(), name="job-plan-edit"),
    path("job-plans/<int:pk>/archive/", job_plans.ArchiveJobPlan.as_view(), name="job-plan-archive"),
    path("job-plans/<int:pk>/restore/", job_plans.RestoreJobPlan.as_view(), name="job-plan-restore"),
]
