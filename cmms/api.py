"""The one router of the REST API, /api/v1/."""

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from assets import api as assets
from core.api import events
from core.api.missing import Missing
from kpis import api as kpis
from kpis import api_dated, api_definitions, api_findings, api_kept, api_subscriptions, api_targets
from kpis import api_reliability as reliability
from people import api as people
from production import api as production
from workorders import agreed_api
from workorders import api as workorders
from workorders import plan_api as plans

router = SimpleRouter()
router.register("sites", people.Sites, basename="sites")
router.register("assets", assets.Assets, basename="assets")
router.register("former-hourly-costs", assets.FormerHourlyCosts, basename="former-hourly-costs")
router.register("downtimes", assets.Downtimes, basename="downtimes")
router.register("failures", assets.Failures, basename="failures")
router.register("asset-kinds", assets.AssetKinds, basename="asset-kinds")
router.register("downtime-reasons", assets.Reasons, basename="downtime-reasons")
router.register("failure-codes", assets.FailureCodes, basename="failure-codes")
router.register("operating-calendars", production.Calendars, basename="operating-calendars")
router.register("counts", production.Counts, basename="counts")
router.register("work-orders", workorders.WorkOrders, basename="work-orders")
router.register("requests", workorders.Requests, basename="requests")
router.register("job-plans", plans.JobPlans, basename="job-plans")
router.register("preventive-plans", plans.PreventivePlans, basename="preventive-plans")
router.register("occurrences", plans.Occurrences, basename="occurrences")
router.register("agreed-weeks", agreed_api.AgreedWeeks, basename="agreed-weeks")
router.register("targets", api_targets.Targets, basename="targets")
router.register("findings", api_findings.Findings, basename="findings")
router.register("net-margins", api_dated.NetMargins, basename="net-margins")
router.register("labour-capacities", api_dated.LabourCapacities, basename="labour-capacities")
router.register("report-subscriptions", api_subscriptions.ReportSubscriptions, basename="report-subscriptions")
router.register("sent-reports", api_kept.SentReports, basename="sent-reports")
router.register("users", people.Users, basename="users")
router.register("tokens", people.Tokens, basename="tokens")
router.register("events", events.Events, basename="events")

urlpatterns = [
    *router.urls,
    path("kpis/", kpis.Figures.as_view(), name="kpis"),
    path("kpis/definitions/", api_definitions.Definitions.as_view(), name="kpis-definitions"),
    path("kpis/facts/", kpis.DayFacts.as_view(), name="kpis-facts"),
    path("kpis/inputs/", kpis.Inputs.as_view(), name="kpis-inputs"),
    path("kpis/explanation/", kpis.Explanation.as_view(), name="kpis-explanation"),
    path("kpis/reliability/", reliability.Reliability.as_view(), name="kpis-reliability"),
    re_path("", Missing.as_view()),
]
