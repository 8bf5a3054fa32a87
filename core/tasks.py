"""Background work of the floor."""

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone


@shared_task(ignore_result=True)
def heartbeat() -> None:
    """Shows that beat sends and a worker answers: /healthz reads the moment it was last done."""
    cache.set("heartbeat", timezone.now().isoformat(), timeout=None)
