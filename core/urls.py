"""Addresses of the floor."""

from django.urls import path

from core.views import LookupView, SearchPage

urlpatterns = [
    path("search/", SearchPage.as_view(), name="search"),
    path("lookups/<str:model>/", LookupView.as_view(), name="lookup"),
]
