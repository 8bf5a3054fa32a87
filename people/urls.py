"""Addresses of people and sites: logging in and out, accounts and roles, one's own profile, sites."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from people import views
from people.login import ChangePassword, LogIn

urlpatterns = [
    path("login/", LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", ChangePassword.as_view(), name="password_change"),
    path("profile/", views.Profile.as_view(), name="profile"),
    path("people/", views.PersonList.as_view(), name="people"),
    path("people/new/", views.NewPerson.as_view(), name="person-new"),
    path("people/<int:pk>/", views.PersonPage.as_view(), name="person"),
    path("people/<int:pk>/edit/", views.EditPerson.as_view(), name="person-edit"),
    path("people/<int:pk>/password/", views.SetPassword.as_view(), name="person-password"),
    path("people/<int:pk>/close/", views.CloseAccount.as_view(), name="person-close"),
    path("people/<int:pk>/open/", views.OpenAccount.as_view(), name="person-open"),
    path("settings/sites/", views.SiteList.as_view(), name="sites"),
    path("settings/sites/new/", views.SitePage.as_view(), name="site-new"),
    path("settings/sites/<int:pk>/", views.SitePage.as_view(), name="site"),
]
