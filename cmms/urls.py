"""Every address of Tandem: pages of each app, then the REST API."""

from django.urls import URLPattern, URLResolver, include, path

from cmms.administration import Settings
from cmms.home import Home
from cmms.records import AuditTrail, Jobs
from cmms.reference import Reference, Schema

urlpatterns: list[URLPattern | URLResolver] = [
    path("", Home.as_view(), name="home"),
    path("jobs/", Jobs.as_view(), name="jobs"),
    path("audit/", AuditTrail.as_view(), name="audit"),
    path("settings/", Settings.as_view(), name="settings"),
    path("", include("core.urls")),
    path("", include("people.urls")),
    path("", include("assets.urls")),
    path("", include("production.urls")),
    path("", include("workorders.plan_urls")),
    path("api/schema/", Schema.as_view(), name="api-schema"),
    path("api/docs/", Reference.as_view(), name="api-docs"),
    path("", include("workorders.urls")),
    path("", include("kpis.urls")),
    path("api/v1/", include(("cmms.api", "api"))),
]

handler500 = "core.outage.server_error"
