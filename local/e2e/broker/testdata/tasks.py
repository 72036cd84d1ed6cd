"""A worker's tasks, with the settings that are asked of worker images (docs/decisions.md)."""
import json
import os
import signal
import time

from celery import Celery

app = Celery("tasks", broker=os.environ["CELERY_BROKER_URL"])
app.conf.update(
    broker_transport_options=json.loads(os.environ["CELERY_BROKER_TRANSPORT_OPTIONS"]),
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    task_default_queue=os.environ["CELERY_QUEUES"],
)


def note(what, task):
    """One line of a file, in one write: many processes do it at once."""
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{what} {task}\n")


@app.task
def work(task, seconds=0.0, once="", ballast=""):
    note("began", task)
    if once == "killed" and not os.path.exists(os.environ["NOTES"] + task):
        open(os.environ["NOTES"] + task, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(seconds)
    note("ended", task)
