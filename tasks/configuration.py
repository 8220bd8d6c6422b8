"""Celery's configuration, each line that is not obvious with its reason.

The queue carries hints and the ledger is the truth (docs/decisions/0001-ledger.md), so everything here aims at
two things: a worker never holds more than it runs, and nobody ever waits for Redis without an end.
"""

from __future__ import annotations

from typing import Any

from kombu import Queue

from config.settings import QueueSettings, RedisSettings, Settings
from stores.pulse import keepalive_options, tls_options
from tasks.names import QueueName
from tasks.rabbit import broker


def celery_config(settings: Settings) -> dict[str, Any]:
    """The whole configuration of our Celery app, for workers, senders and Flower alike."""
    return {
        "broker_url": settings.redis.url.get_secret_value(),
        "broker_use_ssl": tls_options(settings.redis) or None,
        "broker_transport_options": _transport(settings.redis, settings.queue),
        **_messages(),
        **_delivery(settings.queue),
        **_worker(settings),
        **(broker(settings.rabbitmq) if settings.rabbitmq.url else {}),
    }


def _messages() -> dict[str, Any]:
    return {
        # No pickle, ever: whoever can write to Redis could run code.
        "task_serializer": "json",
        "accept_content": ["json"],
        "event_serializer": "json",
        "result_accept_content": ["json"],
        # Results live in the ledger: nothing grows in Redis.
        "task_ignore_result": True,
        "result_backend": None,
        # A name with a typing error must not become a queue that nobody reads.
        "task_create_missing_queues": False,
        "task_queues": [Queue(name.value) for name in QueueName],
        "task_default_queue": QueueName.NORMAL.value,
        # Flower needs the workers' events; one more per publish would double its cost.
        "worker_send_task_events": True,
        "task_send_sent_event": False,
        "enable_utc": True,
    }


def _delivery(queue: QueueSettings) -> dict[str, Any]:
    return {
        # Acknowledge at the end: a crash in between has it delivered again.
        "task_acks_late": True,
        # A task that failed is not delivered again: the ledger decides what is retried, without a hot loop.
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        # A lost process: bounded by the task's max_retries, which `reject_on_worker_lost` is not.
        "task_retry_on_worker_lost": True,
        "task_reject_on_worker_lost": False,
        # Only the hard limit stops native code; a soft one inside a compilation corrupts numba's cache.
        "task_time_limit": queue.task_time_limit_s,
        "task_soft_time_limit": None,
        # Publishing gives up soon: a lost message costs a moment, a hanging gateway costs the user.
        "task_publish_retry": True,
        "task_publish_retry_policy": {
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
        "broker_pool_acquire_timeout": 10.0,
        # Consuming never gives up: Redis may be away for an hour.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
    }


def _worker(settings: Settings) -> dict[str, Any]:
    return {
        # One process a worker, one worker a core.
        "worker_pool": "prefork",
        # Its own, that says it is alive while Redis is away.
        "worker_consumer": "tasks.consumer:PatientConsumer",
        "worker_concurrency": 1,
        # Kernels are loaded after the fork, so the cheap start is safe.
        "worker_pool_start_method": "fork",
        # Compiling the kernels on a cold and busy machine takes minutes; Celery would kill the child after 4 s.
        "worker_proc_alive_timeout": 600.0,
        # Never hold more than what runs: a waiting chunk belongs to whoever is free, and queue lengths are true.
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        "worker_enable_prefetch_count_reduction": False,
        # Finish what runs when Redis goes away: effects appear once all the same.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # Against drift; a spike is the decoder helper's own limit. In KiB.
        "worker_max_tasks_per_child": settings.worker.max_tasks_per_child,
        "worker_max_memory_per_child": settings.worker.max_memory_mb * 1024,
        # With REMAP_SIGTERM=SIGQUIT: finish the chunk, then leave. Idle workers leave at once.
        "worker_soft_shutdown_timeout": settings.queue.soft_shutdown_s,
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_eta_task_limit": 1000,
        "worker_disable_rate_limits": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }


def _transport(redis: RedisSettings, queue: QueueSettings) -> dict[str, Any]:
    return {
        "global_keyprefix": redis.key_prefix,
        "client_name": "samplemind",
        # Look at the queues in the order of `QueueName`: BRPOP takes from the first that is not empty,
        # and this strategy never rotates the list. (The default takes turns.)
        "queue_order_strategy": "priority",
        # One list a queue, so that LLEN is its length; urgency is a queue of its own.
        "priority_steps": [0],
        # What a worker did not acknowledge comes back after this; it must be far more than a task may take.
        "visibility_timeout": queue.visibility_timeout_s,
        # Stock kombu looks for it each 100 s only, and a looker's death blocks the others for 300 s.
        "unacked_restore_interval": 10,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 60,
        # Without these a dead path hangs a publisher for ever.
        "socket_timeout": redis.socket_timeout_s,
        "socket_connect_timeout": redis.connect_timeout_s,
        "socket_keepalive": True,
        "socket_keepalive_options": keepalive_options(redis),
        "health_check_interval": 15,
        "max_connections": redis.max_connections,
    }
