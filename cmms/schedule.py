"""The one table of schedules: what runs by itself, when (UTC unless the job itself looks at sites' clocks) and why."""

from dataclasses import dataclass

from celery.schedules import crontab, schedule

from cmms.celery import app


@dataclass(frozen=True)
class Job:
    """One scheduled job: the task, when it runs, and a sentence for the jobs page."""

    task: str
    when: schedule | crontab
    sentence: str


JOBS: list[Job] = [
    Job(
        "workorders.tasks.generate_preventive",
        crontab(minute=5),
        "Every hour: raises the preventive orders that are due; what a missed night left is made up for.",
    ),
    Job(
        "core.tasks.resume_imports",
        crontab(),
        "Every minute: takes up imports that an outage of the database or the broker has interrupted.",
    ),
    Job(
        "core.tasks.forget_idempotency_records",
        crontab(hour=3, minute=40),
        "Every night: forgets the kept answers of API requests older than seven days.",
    ),
    Job(
        "kpis.tasks.compute_facts",
        crontab(),
        "Every minute: computes the facts of days that changed and, once a site's production day is over, of that day.",
    ),
    Job(
        "kpis.tasks.look_for_doubts",
        crontab(hour=4, minute=50),
        "Every night: looks for records that cannot be right (overlapping stops, too many pieces) and raises findings.",
    ),
    Job(
        "kpis.tasks.audit_facts",
        crontab(day_of_week="sun", hour=4, minute=20),
        "Every Sunday: checks stored facts of another fiftieth of the assets against the records; none may differ.",
    ),
    Job(
        "kpis.tasks.send_reports",
        crontab(minute=10),
        "Every hour: e-mails the weekly reports where Monday at six has passed; what failed is tried again.",
    ),
    Job(
        "kpis.tasks.publish_work",
        crontab(minute=8),
        "Every hour: keeps the figures of work of weeks and months that are over, to tell what changes them later.",
    ),
]

app.conf.beat_schedule = {job.task: {"task": job.task, "schedule": job.when} for job in JOBS}
