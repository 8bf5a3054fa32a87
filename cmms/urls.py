"""Every address of Tandem: pages of each app, then the REST API."""

from django.urls import URLPattern, URLResolver, include, path

from cmms.home import Home

urlpatterns: list[URLPattern | URLResolver] = [
    path("", Home.as_view(), name="home"),
    path("", include("core.urls")),
    path("", include("people.urls")),
    path("api/v1/", include(("cmms.api", "api"))),
]
