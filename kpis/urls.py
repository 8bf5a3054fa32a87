"""Addresses of key figures."""

from django.urls import path

from kpis.views import performance, reliability, targets, why

urlpatterns = [
    path("performance/", performance.Performance.as_view(), name="performance"),
    path("performance/figure/", why.WhyFigure.as_view(), name="figure"),
    path("performance/figure/inputs.csv", why.InputsOfFigure.as_view(), name="figure-inputs"),
    path("performance/targets/", targets.TargetList.as_view(), name="targets"),
    path("performance/targets/new/", targets.TargetFormPage.as_view(), name="target-new"),
    path("performance/targets/<int:pk>/", targets.TargetPage.as_view(), name="target"),
    path("performance/targets/<int:pk>/edit/", targets.TargetFormPage.as_view(), name="target-edit"),
    path("performance/targets/<int:pk>/remove/", targets.RemoveTarget.as_view(), name="target-remove"),
    path("performance/targets/<int:pk>/decisions/", targets.Decide.as_view(), name="target-decide"),
    path("performance/reliability/", reliability.Reliability.as_view(), name="reliability"),
]
