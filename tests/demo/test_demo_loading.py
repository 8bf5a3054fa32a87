"""Loading the demo plant and taking it out again."""

from datetime import UTC, date, datetime

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction

from assets.models import Downtime
from cmms.demo.load import demo_logins, load
from cmms.demo.remove import remove
from core.errors import Refused
from core.models import Event, Site
from kpis.models import AssetDay, ChangedDay, FactState
from people.models import Membership, User
from people.roles import Role
from production.models import Count
from workorders.models import WorkOrder

NOW = datetime(2026, 6, 17, 9, 20, tzinfo=UTC)  # a Wednesday in both plants


def test_the_same_moment_gives_the_same_plant(db):
    def fingerprint():
        load(NOW, days=21)
        rows = list(Downtime.objects.order_by("start", "asset__code").values_list("asset__code", "start", "end"))
        rows += list(WorkOrder.objects.order_by("site", "number").values_list("number", "summary", "completed_at"))
        rows += list(Count.objects.order_by("start", "asset__code").values_list("asset__code", "good", "scrap"))
        remove()
        return rows

    first = fingerprint()
    assert len(first) > 500
    assert first == fingerprint()


def test_key_figures_of_the_history_stand_as_soon_as_it_is_loaded(db):
    made = load(NOW, days=14)
    assert made["asset-days"] == AssetDay.objects.count() > 300
    assert not ChangedDay.objects.exists()
    through = dict(FactState.objects.values_list("asset__site__code", "through"))
    # In Joliet it is 04:20: its production day, which begins at 06:00, is still yesterday's.
    assert through == {"regensburg": date(2026, 6, 16), "joliet": date(2026, 6, 15)}


def test_removing_leaves_nothing_behind(db):
    load(NOW, days=14)
    assert remove() > 1000
    left = {
        model._meta.label: model._base_manager.count()
        for model in apps.get_models()
        if model._meta.app_label in {"core", "people", "assets", "production", "workorders", "kpis"}
    }
    assert {label for label, number in left.items() if number} == set()


def test_events_are_append_only_again_after_the_demo_is_gone(db):
    load(NOW, days=7)
    remove()
    site = Site.objects.create(code="real", name="A real plant")
    Event.objects.create(site=site, verb="site.created", object_type="core.site", object_id=site.pk, summary="Created")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.all().delete()
    assert Event.objects.count() == 1


def test_it_is_not_loaded_beside_real_sites(db):
    Site.objects.create(code="real", name="A real plant")
    with pytest.raises(Refused, match="real sites"):
        load(NOW, days=14)
    with pytest.raises(CommandError, match="real sites"):
        call_command("demo")
    assert User.objects.count() == 0


@pytest.mark.parametrize(("options", "shown"), [([], True), (["--no-logins"], False)])
def test_passwords_go_to_a_person_and_not_to_a_log(monkeypatch, capsys, options, shown):
    monkeypatch.setattr("cmms.management.commands.demo.load", lambda say: {"assets": 71})
    call_command("demo", *options)
    said = capsys.readouterr().out
    assert "71 assets" in said
    assert (demo_logins()[0].password in said) is shown


def test_it_is_not_loaded_twice(db):
    load(NOW, days=7)
    orders = WorkOrder.objects.count()
    with pytest.raises(Refused, match="already"):
        load(NOW, days=7)
    assert WorkOrder.objects.count() == orders


def test_people_who_work_at_a_real_site_stay_when_the_demo_goes(db):
    load(NOW, days=7)
    real = Site.objects.create(code="real", name="A real plant")
    Membership.objects.create(user=User.objects.get(username="jonas"), site=real, role=Role.TECHNICIAN)
    remove()
    assert list(User.objects.values_list("username", flat=True)) == ["jonas"]
    assert list(Site.objects.all()) == [real]
