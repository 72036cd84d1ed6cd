"""A worker's tasks, with the settings that are asked of images."""
import os
import signal
import time

from celery import Celery

app = Celery("tasks")
app.config_from_object("celery_settings")
app.conf.task_default_queue = os.environ["CELERY_QUEUES"]


def note(what, task):
    """One line of a file, in one write: many processes do it at once."""
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(f"{what} {task}\n")


@app.task(bind=True)
def work(self, task, seconds=0.0, kills="", retried=False, ballast=""):
    if retried and not self.request.retries:
        raise self.retry(countdown=0)
    note("began", task)
    if kills == "always" or kills == "once" and not os.path.exists(os.environ["NOTES"] + task):
        open(os.environ["NOTES"] + task, "w").close()
        note("killed", task)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(seconds)
    note("ended", task)
