"""The house stands: models point down only, events cannot be changed."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from core.events import history, record

LAYERS = ["core", "people", "assets", "production", "workorders", "kpis"]


def test_no_model_points_up_to_a_higher_layer():
    """A string foreign key would escape import-linter. The user model is Django's own floor and may be named by all."""
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in LAYERS
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and field.related_model
        and field.related_model._meta.app_label in LAYERS
        and field.related_model._meta.label != settings.AUTH_USER_MODEL
        and LAYERS.index(field.related_model._meta.app_label) > LAYERS.index(model._meta.app_label)
    ]  # fmt: skip
    assert upward == []


def test_an_event_can_be_neither_changed_nor_deleted(plant):
    event = record("asset.noted", plant.filler, by=plant.planner, site=plant.berlin, summary="Looked at")
    for statement in ("UPDATE core_event SET summary = 'x'", "DELETE FROM core_event"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert [found.summary for found in history(plant.filler)] == [event.summary]


def test_the_database_refuses_a_second_open_stop(plant):
    start = plant.filler.commissioned
    plant.filler.downtimes.create(start=start)
    with pytest.raises(IntegrityError, match="downtime_one_open_per_asset"), transaction.atomic():
        plant.filler.downtimes.create(start=start)
    assert plant.filler.downtimes.count() == 1
