"""Addresses of assets, stops, failures, and the lists that people choose from."""

from django.urls import path

from assets.views import asset, costs, happened, lists

urlpatterns = [
    path("assets/", asset.AssetList.as_view(), name="assets"),
    path("assets/tree/", asset.AssetTree.as_view(), name="asset-tree"),
    path("assets/new/", asset.NewAsset.as_view(), name="asset-new"),
    path("assets/<int:pk>/", asset.AssetPage.as_view(), name="asset"),
    path("assets/<int:pk>/edit/", asset.EditAsset.as_view(), name="asset-edit"),
    path("assets/<int:pk>/move/", asset.MoveAsset.as_view(), name="asset-move"),
    path("assets/<int:pk>/archive/", asset.ArchiveAsset.as_view(), name="asset-archive"),
    path("assets/<int:pk>/restore/", asset.RestoreAsset.as_view(), name="asset-restore"),
    path("assets/<int:pk>/label/", asset.LabelPage.as_view(), name="asset-label"),
    path("assets/<int:pk>/groups/new/", asset.GroupPage.as_view(), name="redundancy-group-new"),
    path("assets/<int:pk>/groups/<int:group>/", asset.GroupPage.as_view(), name="redundancy-group"),
    path("assets/<int:pk>/hourly-costs/new/", costs.FormerCostPage.as_view(), name="former-cost-new"),
    path("assets/<int:pk>/hourly-costs/<int:cost>/", costs.FormerCostPage.as_view(), name="former-cost"),
    path(
        "assets/<int:pk>/hourly-costs/<int:cost>/remove/", costs.RemoveFormerCost.as_view(), name="former-cost-remove"
    ),
    path("assets/<int:pk>/down/", happened.IsDown.as_view(), name="asset-down"),
    path("assets/<int:pk>/back/", happened.IsBack.as_view(), name="asset-back"),
    path("downtime/", happened.DowntimeList.as_view(), name="downtimes"),
    path("downtime/new/", happened.NewDowntime.as_view(), name="downtime-new"),
    path("downtime/<int:pk>/", happened.DowntimePage.as_view(), name="downtime"),
    path("downtime/<int:pk>/edit/", happened.CorrectDowntime.as_view(), name="downtime-edit"),
    path("downtime/<int:pk>/reason/", happened.GiveReason.as_view(), name="downtime-give-reason"),
    path("downtime/<int:pk>/remove/", happened.RemoveDowntime.as_view(), name="downtime-remove"),
    path("failures/", happened.FailureList.as_view(), name="failures"),
    path("failures/new/", happened.NewFailure.as_view(), name="failure-new"),
    path("failures/<int:pk>/", happened.FailurePage.as_view(), name="failure"),
    path("failures/<int:pk>/edit/", happened.CorrectFailure.as_view(), name="failure-edit"),
    path("failures/<int:pk>/remove/", happened.RemoveFailure.as_view(), name="failure-remove"),
    path("settings/reasons/", lists.ReasonList.as_view(), name="downtime-reasons"),
    path("settings/reasons/new/", lists.ReasonPage.as_view(), name="downtime-reason-new"),
    path("settings/reasons/<int:pk>/", lists.ReasonPage.as_view(), name="downtime-reason"),
    path("settings/reasons/<int:pk>/remove/", lists.RemoveReason.as_view(), name="downtime-reason-remove"),
    path("settings/kinds/", lists.KindList.as_view(), name="asset-kinds"),
    path("settings/kinds/new/", lists.KindPage.as_view(), name="asset-kind-new"),
    path("settings/kinds/<int:pk>/", lists.KindPage.as_view(), name="asset-kind"),
    path("settings/kinds/<int:pk>/remove/", lists.RemoveKind.as_view(), name="asset-kind-remove"),
    path("settings/failure-codes/", lists.FailureCodeList.as_view(), name="failure-codes"),
    path("settings/failure-codes/new/", lists.FailureCodePage.as_view(), name="failure-code-new"),
    path("settings/failure-codes/<int:pk>/", lists.FailureCodePage.as_view(), name="failure-code"),
    path("settings/failure-codes/<int:pk>/remove/", lists.RemoveFailureCode.as_view(), name="failure-code-remove"),
]
