"""Background work of the key figures."""

from celery import shared_task

from kpis import audit, computing, doubts, published, reporting


@shared_task
def compute_facts() -> str:
    """Complete the facts of finished production days, and compute changed days again."""
    return f"{computing.compute_due()} asset-days"


@shared_task
def audit_facts() -> str:
    """Check a share of the stored facts against the records they come from."""
    return f"{audit.audit()} asset-days checked"


@shared_task
def look_for_doubts() -> str:
    """Look for records that cannot be right, and bring the findings in line."""
    return f"{doubts.look()} new findings"


@shared_task
def send_reports() -> str:
    """Send the weekly reports that are due."""
    return f"{reporting.send_due()} reports"


@shared_task
def publish_work() -> str:
    """Keep the figures of work of weeks and months that are over, as they are reported."""
    return f"{published.publish_due()} kinds of records kept"
