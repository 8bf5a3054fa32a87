"""Background work of the key figures."""

from celery import shared_task

from kpis import audit, computing


@shared_task
def compute_facts() -> str:
    """Complete the facts of finished production days, and compute changed days again."""
    return f"{computing.compute_due()} asset-days"


@shared_task
def audit_facts() -> str:
    """Check a share of the stored facts against the records they come from."""
    return f"{audit.audit()} asset-days checked"
