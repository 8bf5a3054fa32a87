"""The Celery application: workers, and the beat that reads `cmms.schedule`."""

import os

from celery import Celery

from cmms import env

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cmms.settings")

app = Celery("tandem")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule_filename = env.text("BEAT_SCHEDULE_FILE", "celerybeat-schedule")
app.conf.imports = ["cmms.schedule", "cmms.pulse"]
