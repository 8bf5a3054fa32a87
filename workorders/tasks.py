"""Background work of work orders."""

from celery import shared_task

from core.models import Site
from core.runs import job_run
from people.models import User
from workorders import generation


@shared_task
def generate_preventive(chunk: int = generation.CHUNK) -> str:
    """Send one task for each site where an occurrence is ready, so that several workers share the night."""
    site_ids = generation.sites_with_work()
    for site_id in site_ids:
        generate_preventive_at.delay(site_id, chunk=chunk)
    if not site_ids:
        with job_run(generation.JOB) as run:
            run.fact = generation.NOTHING_DUE
    return f"{len(site_ids)} sites"


@shared_task
def generate_preventive_at(site_id: int, by_id: int | None = None, chunk: int = generation.CHUNK) -> str:
    """Raise the preventive orders of one site."""
    by = User.objects.get(pk=by_id) if by_id else None
    return str(generation.run(Site.objects.get(pk=site_id), by=by, chunk=chunk))
