"""Addresses of work orders, planning and requests."""

from django.urls import path

from workorders.views import labour, lists, mine, order, requests, steps, week

urlpatterns = [
    path("my-work/", mine.MyWorkPage.as_view(), name="my-work"),
    path("planning/", week.Planning.as_view(), name="planning"),
    path("planning/<str:week>/agreement/", week.AgreeWeek.as_view(), name="week-agree"),
    path("planning/<str:week>/withdrawal/", week.AgreeWeek.as_view(withdrawing=True), name="week-withdraw"),
    path("work-orders/", lists.OrderList.as_view(), name="work-orders"),
    path("work-orders/new/", lists.NewOrder.as_view(), name="work-order-new"),
    path("work-orders/<int:pk>/", order.OrderPage.as_view(), name="work-order"),
    path("work-orders/<int:pk>/edit/", lists.EditOrder.as_view(), name="work-order-edit"),
    path("work-orders/<int:pk>/comments/", order.CommentOrder.as_view(), name="work-order-comment"),
    path("work-orders/<int:pk>/files/", order.AddFileToOrder.as_view(), name="work-order-file"),
    path("work-orders/<int:pk>/steps/new/", steps.AddStep.as_view(), name="step-new"),
    path("work-orders/<int:pk>/steps/checks/", steps.AnswerChecks.as_view(), name="step-checks"),
    path("work-orders/<int:pk>/steps/<int:step>/", steps.AnswerStep.as_view(), name="step-answer"),
    path("work-orders/<int:pk>/steps/<int:step>/follow-up/", steps.DecideFollowUp.as_view(), name="step-follow-up"),
    path("work-orders/<int:pk>/steps/<int:step>/removal/", steps.RemoveStep.as_view(), name="step-remove"),
    path("work-orders/<int:pk>/clock/start/", labour.StartClock.as_view(), name="clock-start"),
    path("work-orders/<int:pk>/clock/stop/", labour.StopClock.as_view(), name="clock-stop"),
    path("work-orders/<int:pk>/labour/new/", labour.NewLabour.as_view(), name="labour-new"),
    path("work-orders/<int:pk>/labour/<int:labour>/", labour.EditLabour.as_view(), name="labour"),
    path("work-orders/<int:pk>/labour/<int:labour>/removal/", labour.RemoveLabour.as_view(), name="labour-remove"),
    path("work-orders/<int:pk>/assignments/new/", week.AssignOrder.as_view(), name="assignment-new"),
    path("work-orders/<int:pk>/assignments/<int:assignment>/", week.MoveAssignment.as_view(), name="assignment"),
    path(
        "work-orders/<int:pk>/assignments/<int:assignment>/removal/",
        week.RemoveAssignment.as_view(),
        name="assignment-remove",
    ),
    # Last, since every move of the life cycle has its noun here: start/, completion/, verification/ …
    path("work-orders/<int:pk>/<slug:noun>/", order.MovePage.as_view(), name="work-order-move"),
    path("requests/", requests.RequestList.as_view(), name="requests"),
    path("requests/new/", requests.ReportProblem.as_view(), name="request-new"),
    path("requests/open-work/", requests.OpenWork.as_view(), name="open-work"),
    path("requests/<int:pk>/", requests.RequestPage.as_view(), name="request"),
    path("requests/<int:pk>/acceptance/", requests.AcceptRequest.as_view(), name="request-accept"),
    path("requests/<int:pk>/refusal/", requests.DeclineRequest.as_view(), name="request-decline"),
    path("requests/<int:pk>/me-too/", requests.JoinRequest.as_view(), name="request-join"),
    path("requests/<int:pk>/comments/", requests.CommentRequest.as_view(), name="request-comment"),
    path("requests/<int:pk>/files/", requests.AddFileToRequest.as_view(), name="request-file"),
]
