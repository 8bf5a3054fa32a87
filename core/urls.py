"""Addresses of the floor."""

from django.urls import path

from core.imports import views as imports
from core.talk import AttachmentFile, RemoveAttachment
from core.views import LookupView, SearchPage

urlpatterns = [
    path("attachments/<int:pk>/", AttachmentFile.as_view(), name="attachment"),
    path("attachments/<int:pk>/removal/", RemoveAttachment.as_view(), name="attachment-remove"),
    path("search/", SearchPage.as_view(), name="search"),
    path("lookups/<str:model>/", LookupView.as_view(), name="lookup"),
    path("imports/", imports.ImportList.as_view(), name="imports"),
    path("imports/new/", imports.NewImport.as_view(), name="import-new"),
    path("imports/<int:pk>/", imports.ImportPage.as_view(), name="import"),
    path("imports/<int:pk>/mapping/", imports.MappingPage.as_view(), name="import-mapping"),
    path("imports/<int:pk>/start/", imports.StartImport.as_view(), name="import-start"),
    path("imports/<int:pk>/rejects/", imports.Rejects.as_view(), name="import-rejects"),
    path("imports/<int:pk>/undo/", imports.UndoImport.as_view(), name="import-undo"),
]
