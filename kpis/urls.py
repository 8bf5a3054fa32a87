"""Addresses of key figures."""

from django.urls import path

from kpis.views import performance, why

urlpatterns = [
    path("performance/", performance.Performance.as_view(), name="performance"),
    path("performance/figure/", why.WhyFigure.as_view(), name="figure"),
    path("performance/figure/inputs.csv", why.InputsOfFigure.as_view(), name="figure-inputs"),
]
