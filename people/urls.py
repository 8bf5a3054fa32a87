"""Addresses of people: logging in and out, changing one's password."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from people.login import ChangePassword, LogIn

urlpatterns = [
    path("login/", LogIn.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("password/", ChangePassword.as_view(), name="password_change"),
]
