"""Every background job leaves a JobRun: started, finished, rows, error."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from core.models import JobRun, Site


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


def site_by_site(work: Callable[[Site], int], sites: Iterable[Site]) -> int:
    """The sum of what the work says at each site. An error at one does not keep the others waiting.

    The first error is raised once all sites had their turn; each stands in the run of its site.
    """
    total = 0
    failed: list[Exception] = []
    for site in sites:
        try:
            total += work(site)
        except Exception as error:
            failed.append(error)
    if failed:
        failed[0].add_note(f"{len(failed)} sites failed; their runs say why.")
        raise failed[0]
    return total
