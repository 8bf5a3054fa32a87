"""The first page after log-in for those who have no site yet."""

from django.urls import reverse

from people.models import User


def test_somebody_without_a_role_is_told_whom_to_ask(client, db):
    client.force_login(User.objects.create_user("new"))
    page = client.get("/")
    assert "You have no role at any site yet." in page.content.decode()
    assert reverse("site-new") not in page.content.decode()


def test_a_superuser_opens_the_first_site_from_the_first_page(client, db):
    client.force_login(User.objects.create_superuser("root"))
    assert f'href="{reverse("site-new")}"' in client.get("/").content.decode()
    assert client.get(reverse("site-new")).status_code == 200
