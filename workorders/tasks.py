"""Background work of work orders."""

from celery import shared_task

from core.models import Site
from core.runs import job_run
from workorders import generation

GENERATION = "workorders.generate_preventive"  # the name of its runs


@shared_task
def generate_preventive(chunk: int = generation.CHUNK) -> str:
    """Send one task for each site where an occurrence is ready, so that several workers share the night."""
    site_ids = generation.sites_with_work()
    for site_id in site_ids:
        generate_preventive_at.delay(site_id, chunk)
    if not site_ids:
        with job_run(GENERATION) as run:
            run.fact = generation.NOTHING_DUE
    return f"{len(site_ids)} sites"


@shared_task
def generate_preventive_at(site_id: int, chunk: int = generation.CHUNK) -> str:
    """Raise the preventive orders of one site."""
    with job_run(GENERATION, site=Site.objects.get(pk=site_id)) as run:
        outcome = generation.generate(site=site_id, chunk=chunk)
        run.rows, run.fact = outcome.orders, str(outcome)
    return run.fact
