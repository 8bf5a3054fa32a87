"""Background work of the key figures."""

from celery import shared_task

from kpis import computing


@shared_task
def compute_facts() -> str:
    """Complete the facts of finished production days, and compute changed days again."""
    return f"{computing.compute_due()} asset-days"
