"""Addresses of key figures."""

from django.urls import path

from kpis.views import (
    board,
    findings,
    labour_capacity,
    net_margins,
    performance,
    reliability,
    report,
    targets,
    timeline,
    why,
)

urlpatterns = [
    path("performance/", performance.Performance.as_view(), name="performance"),
    path("performance/timeline/", timeline.Timeline.as_view(), name="performance-timeline"),
    path("performance/board/", board.Board.as_view(), name="performance-board"),
    path("performance/figure/", why.WhyFigure.as_view(), name="figure"),
    path("performance/figure/inputs.csv", why.InputsOfFigure.as_view(), name="figure-inputs"),
    path("performance/targets/", targets.TargetList.as_view(), name="targets"),
    path("performance/targets/new/", targets.TargetFormPage.as_view(), name="target-new"),
    path("performance/targets/<int:pk>/", targets.TargetPage.as_view(), name="target"),
    path("performance/targets/<int:pk>/edit/", targets.TargetFormPage.as_view(), name="target-edit"),
    path("performance/targets/<int:pk>/remove/", targets.RemoveTarget.as_view(), name="target-remove"),
    path("performance/targets/<int:pk>/decisions/", targets.Decide.as_view(), name="target-decide"),
    path("performance/findings/", findings.FindingList.as_view(), name="findings"),
    path("performance/findings/<int:pk>/", findings.FindingPage.as_view(), name="finding"),
    path("performance/findings/<int:pk>/edit/", findings.GiveFinding.as_view(), name="finding-edit"),
    path("performance/findings/<int:pk>/accept/", findings.AcceptFinding.as_view(), name="finding-accept"),
    path("performance/findings/<int:pk>/comments/", findings.SayOnFinding.as_view(), name="finding-comment"),
    path("performance/net-margin/", net_margins.NetMarginList.as_view(), name="net-margins"),
    path("performance/net-margin/new/", net_margins.NetMarginFormPage.as_view(), name="net-margin-new"),
    path("performance/net-margin/<int:pk>/", net_margins.NetMarginPage.as_view(), name="net-margin"),
    path("performance/net-margin/<int:pk>/edit/", net_margins.NetMarginFormPage.as_view(), name="net-margin-edit"),
    path("performance/net-margin/<int:pk>/remove/", net_margins.RemoveNetMargin.as_view(), name="net-margin-remove"),
    path("performance/capacity/", labour_capacity.LabourCapacityList.as_view(), name="labour-capacities"),
    path("performance/capacity/new/", labour_capacity.LabourCapacityFormPage.as_view(), name="labour-capacity-new"),
    path("performance/capacity/<int:pk>/", labour_capacity.LabourCapacityPage.as_view(), name="labour-capacity"),
    path(
        "performance/capacity/<int:pk>/edit/",
        labour_capacity.LabourCapacityFormPage.as_view(),
        name="labour-capacity-edit",
    ),
    path(
        "performance/capacity/<int:pk>/remove/",
        labour_capacity.RemoveLabourCapacity.as_view(),
        name="labour-capacity-remove",
    ),
    path("performance/report/", report.WeeklyReport.as_view(), name="report"),
    path("performance/report/report.pdf", report.ReportPdf.as_view(), name="report-pdf"),
    path("performance/report/subscribe/", report.Subscribe.as_view(), name="report-subscribe"),
    path("performance/report/subscriptions/<int:pk>/end/", report.Unsubscribe.as_view(), name="report-unsubscribe"),
    path("performance/report/stop/<str:token>/", report.Stop.as_view(), name="report-stop"),
    path("performance/reliability/", reliability.Reliability.as_view(), name="reliability"),
]
