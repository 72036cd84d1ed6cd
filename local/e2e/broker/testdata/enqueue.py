"""Enqueues tasks one after the other: enqueue.py NAME HOW-MANY BALLAST TRIES PAUSE. A task counts once the broker has taken it; until then it is tried
again. SIGTERM ends it after the current one."""
import signal
import sys
import time

from tasks import work

name, count, ballast, tries, pause = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
ending = []
signal.signal(signal.SIGTERM, lambda *_: ending.append(True))
for i in range(count):
    task = f"{name}-{i}"
    for attempt in range(tries):
        try:
            work.apply_async((task,), {"ballast": "x" * ballast})
            print("taken", task, flush=True)
            break
        except Exception as error:  # whatever it is, the task was not taken
            print("refused", task, repr(error)[:300].replace("\n", " "), flush=True)
            time.sleep(0.2)
    else:
        sys.exit(f"gave up {task}")
    if ending:
        break
    time.sleep(pause)
