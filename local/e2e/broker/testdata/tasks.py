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


@app.task
def work(task, seconds=0.0, once="", killed=False, ballast=""):
    note("began", task)
    if killed:
        os.kill(os.getpid(), signal.SIGKILL)
    if once == "killed" and not os.path.exists(os.environ["NOTES"] + task):
        open(os.environ["NOTES"] + task, "w").close()
        note("killed", task)
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(seconds)
    note("ended", task)
