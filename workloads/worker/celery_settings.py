"""How Celery is set up in every image that uses the broker: app.config_from_object("celery_settings").

It is asked of the images (docs/decisions.md), and local/e2e/broker runs real workers with it. Celery 5.6, kombu 5.7.
"""
import json
import logging
import os
import time
from contextlib import contextmanager

from celery.app.task import X_DEATH_HEADERS
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from kombu.utils.json import dumps
from redis.exceptions import NoPermissionError, OutOfMemoryError, ResponseError

broker_url = os.environ["CELERY_BROKER_URL"]
broker_transport_options = json.loads(os.environ["CELERY_BROKER_TRANSPORT_OPTIONS"])
broker_connection_max_retries = None  # a broker that is away for long is no reason to end

# A task belongs to its queue until it is done: it runs again when its worker dies, so it must bear to run twice.
task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
task_ignore_result = True
task_time_limit = 600  # seconds, as long as a task may take: one that hangs would keep its process for ever

# Whoever enqueues waits while another primary takes over, about twenty seconds at most.
task_publish_retry = True
task_publish_retry_policy = {"max_retries": 20, "interval_start": 0.2, "interval_step": 0.2, "interval_max": 1}

NOTE_WITHIN = 45  # seconds, three times as long as a failover may take

# A task that has been lost with its worker so often is put aside, into a list of its own, where a person finds it (docs/runbooks/agents.md).
DELIVERY_LIMIT = 5
DELIVERY_COUNT = "x-delivery-count"  # the header in which RabbitMQ counts them
DEAD_LETTERS = ".dead-letters"  # follows the queue's name
X_DEATH_HEADERS.add(DELIVERY_COUNT)  # a task that is tried anew by retry() begins to count anew


class BrokerFull(Exception):
    """The broker has no room for another task. Nobody should wait for that."""


class QoS(kombu_redis.QoS):
    """Does not give up a task that it has in its hands.

    kombu takes a task off its list, and then notes that it has it. Where the note fails, because the primary has just died or is full, the task
    is in neither place. So it is tried again, until it is noted at the next primary.
    """

    lost = False  # what is given back now had been lost with its worker; a worker that stops gives back what it has not begun
    buried = None  # what there is to say of a task that was put aside

    @contextmanager
    def losing(self):
        self.lost = True
        try:
            yield
        finally:
            self.lost = False

    def reject(self, delivery_tag, requeue=False):
        """Gives back a task whose process was lost, or one that asks for it."""
        with self.losing():
            return super().reject(delivery_tag, requeue)

    def restore_visible(self, *args, **kwargs):
        """Gives back what nobody has finished within visibility_timeout."""
        with self.losing():
            return super().restore_visible(*args, **kwargs)

    def append(self, message, delivery_tag):
        until = time.monotonic() + NOTE_WITHIN
        while True:
            try:
                return super().append(message, delivery_tag)
            except self.channel.connection_errors:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def restore_by_tag(self, tag, client=None, leftmost=False):
        """Gives a task back: to the end of its queue (LPUSH) if its process was lost, or, where a full broker refuses that, to its head."""
        self.buried = None
        try:
            super().restore_by_tag(tag, client, leftmost=leftmost)
        except NoPermissionError:
            super().restore_by_tag(tag, client, leftmost=False)
        if self.buried:
            logging.getLogger(__name__).error("task %s (%s) was lost %d times, and is put into %s", *self.buried)


class Channel(kombu_redis.SentinelChannel):
    QoS = QoS

    def _do_restore_message(self, payload, exchange, routing_key, pipe, leftmost=False):
        """Counts how often a task was lost: kombu would give back for ever what ends every worker that takes it, and all that runs beside it."""
        if not self.qos.lost:
            return super()._do_restore_message(payload, exchange, routing_key, pipe, leftmost)
        headers = payload["headers"] = payload.get("headers") or {}
        count = headers.get(DELIVERY_COUNT)
        headers[DELIVERY_COUNT] = count = count + 1 if isinstance(count, int) else 1
        if count < DELIVERY_LIMIT:
            return super()._do_restore_message(payload, exchange, routing_key, pipe, leftmost)
        for queue in self._lookup(exchange, routing_key):
            pipe.rpush(queue + DEAD_LETTERS, dumps(payload))  # which a full broker takes, too
            self.qos.buried = headers.get("id"), headers.get("task"), count, queue + DEAD_LETTERS

    def _put(self, queue, message, **kwargs):
        try:
            return super()._put(queue, message, **kwargs)
        except (NoPermissionError, OutOfMemoryError) as error:
            raise BrokerFull(str(error)) from error


class Transport(kombu_redis.SentinelTransport):
    Channel = Channel
    # A primary that refuses what it is told, because its replicas are away or because it is none any more, is as good as gone: Celery connects
    # anew, and again. Otherwise it would end, and the tasks that run with it.
    connection_errors = (*kombu_redis.SentinelTransport.connection_errors, ResponseError)


TRANSPORT_ALIASES["sentinel"] = "celery_settings:Transport"
