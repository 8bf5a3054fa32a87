"""Addresses of key figures."""

from django.urls import path

from kpis import views

urlpatterns = [
    path("performance/", views.Performance.as_view(), name="performance"),
    path("performance/figure/", views.WhyFigure.as_view(), name="figure"),
]
