"""Background work of the floor."""

from celery import shared_task

from core.api import idempotency
from core.runs import job_run


@shared_task
def forget_idempotency_records() -> str:
    """Delete the kept answers of old API requests."""
    with job_run("core.forget_idempotency_records") as run:
        run.rows = idempotency.forget_old_records()
        run.fact = f"{run.rows} answers forgotten"
    return run.fact
