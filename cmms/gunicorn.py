"""How gunicorn serves Tandem, with bin/run and in the container alike: `gunicorn -c python:cmms.gunicorn`."""

import gc
from pathlib import Path

from cmms import env

wsgi_app = "cmms.wsgi:application"
bind = env.text("WEB_BIND", "127.0.0.1:8000")
workers = env.integer("WEB_WORKERS", 2)
threads = env.integer("WEB_THREADS", 4)
preload_app = True  # one start of Django for all workers
timeout = 60
graceful_timeout = 10
control_socket_disable = True  # its default address is one per user, so that two copies would collide
if Path("/dev/shm").is_dir():
    worker_tmp_dir = "/dev/shm"  # heartbeats of workers must not wait for a slow disk
accesslog = "-"
# Without query strings and referrers: a log holds no tokens.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(b)s bytes %(M)s ms'


def when_ready(server):
    """Before the workers are forked: what start-up made is for good, so that no collection walks through it again.

    A page of many figures makes enough objects for one; it took a tenth of its time. Of what workers keep themselves,
    templates above all, each fifth page waited for another: they are thirty times as rare.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
