"""Every background job leaves a JobRun: started, finished, rows, error."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone

from core.models import JobRun


@contextmanager
def job_run(name: str, *, site=None, by=None) -> Iterator[JobRun]:
    """Keep a JobRun around a job; the job sets `run.rows` and `run.fact`. An error is recorded and raised again."""
    run = JobRun.objects.create(name=name, site=site, started_by=by)
    try:
        yield run
    except BaseException as error:
        run.error = f"{type(error).__name__}: {error}"[:2000]
        raise
    finally:
        run.finished = timezone.now()
        run.save(update_fields=["finished", "rows", "fact", "error"])
