"""Every address of Tandem: pages of each app, then the REST API."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include(("cmms.api", "api"))),
]
