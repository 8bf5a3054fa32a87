"""Addresses of operating calendars and counts."""

from django.urls import path

from production.views import calendars, counts

urlpatterns = [
    path("calendars/", calendars.CalendarList.as_view(), name="operating-calendars"),
    path("calendars/new/", calendars.CalendarFormPage.as_view(), name="operating-calendar-new"),
    path("calendars/<int:pk>/", calendars.CalendarPage.as_view(), name="operating-calendar"),
    path("calendars/<int:pk>/edit/", calendars.CalendarFormPage.as_view(), name="operating-calendar-edit"),
    path("calendars/<int:pk>/remove/", calendars.RemoveCalendar.as_view(), name="operating-calendar-remove"),
    path("production/", counts.CountList.as_view(), name="counts"),
    path("production/new/", counts.NewCount.as_view(), name="count-new"),
    path("production/<int:pk>/", counts.CorrectCount.as_view(), name="count-edit"),
    path("production/<int:pk>/remove/", counts.RemoveCount.as_view(), name="count-remove"),
]
