"""The roof: settings, addresses, the Celery application and the table of schedules."""

from cmms.celery import app as celery_app

__all__ = ["celery_app"]
