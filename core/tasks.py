"""Background work of the floor."""

from celery import shared_task

from core.api import idempotency
from core.imports import runs
from core.runs import job_run


@shared_task
def forget_idempotency_records() -> str:
    """Delete the kept answers of old API requests."""
    with job_run("core.forget_idempotency_records") as run:
        run.rows = idempotency.forget_old_records()
        run.fact = f"{run.rows} answers forgotten"
    return run.fact


@shared_task
def carry_out_import(run_id: int) -> str:
    """Check or import one uploaded file; begun again after a crash, it starts from the first row."""
    return runs.work(run_id)


@shared_task
def resume_imports() -> str:
    """Take up imports that an outage has left under way without a job."""
    return f"{runs.resume(carry_out_import.delay)} imports"
