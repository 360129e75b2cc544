"""How gunicorn runs the application; README.md lists the environment variables."""

import os

bind = os.environ.get("LADDER_BIND", "127.0.0.1:8000")
worker_class = os.environ.get("LADDER_WORKER_CLASS", "sync")
# One per core, because the machine's cores are all there is to share.
workers = int(os.environ.get("LADDER_WORKERS", len(os.sched_getaffinity(0))))
# Only `gthread` has threads; with more than one, gunicorn makes a `sync` worker a `gthread` one.
threads = int(os.environ.get("LADDER_THREADS", "8")) if worker_class == "gthread" else 1
wsgi_app = "ladder.wsgi"
# Longer than any pause between two requests of a load generator.
keepalive = 75
# A `before` list takes seconds when 32 callers share two cores.
timeout = 120
# Kept connections that nobody uses would hold up a stop.
graceful_timeout = 5
accesslog = None
loglevel = "warning"
control_socket_disable = True
# Heartbeats are file times; in memory they never wait for a disk.
worker_tmp_dir = "/dev/shm"
