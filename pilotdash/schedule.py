"""What runs when. In code, in UTC, so that a review sees it and a test can check it."""

from typing import Any

from celery.schedules import crontab

INGEST = "ingest"

ROUTES = {
    # A name goes before a pattern: statistics may take seconds, and must not hold up the drain.
    "apps.metrics.tasks.compute_findings": {"queue": "celery"},
    "apps.usage.tasks.*": {"queue": INGEST},
    "apps.metrics.tasks.*": {"queue": INGEST},
}

# `expires` keeps a queue from filling with ticks while a worker is away.
BEAT: dict[str, dict[str, Any]] = {
    "drain": {
        "task": "apps.usage.tasks.drain",
        "schedule": 1.0,
        "options": {"expires": 5},
    },
    "rebuild dirty": {
        "task": "apps.metrics.tasks.rebuild_dirty",
        "schedule": 1.0,
        "options": {"expires": 5},
    },
    # A limit on money is not sure of its past until this has run; it asks one question when idle.
    "seed money": {
        "task": "apps.metrics.tasks.seed_money",
        "schedule": 2.0,
        "options": {"expires": 5},
    },
    "hosting quarters": {
        "task": "apps.metrics.tasks.mark_hosting_quarters",
        "schedule": crontab(minute="0,15,30,45"),
        "options": {"expires": 600},
    },
    "compute findings": {
        "task": "apps.metrics.tasks.compute_findings",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 500},
    },
    "make partitions": {
        "task": "apps.usage.tasks.make_partitions",
        "schedule": crontab(hour=1, minute=10),
    },
    "publish routes": {
        "task": "apps.pilots.tasks.publish_if_stale",
        "schedule": 10.0,
        "options": {"expires": 20},
    },
    "close due pilots": {
        "task": "apps.pilots.tasks.close_due_pilots",
        "schedule": crontab(),
        "options": {"expires": 120},
    },
    "closing letters": {
        "task": "apps.pilots.tasks.send_closing_letters",
        "schedule": crontab(),
        "options": {"expires": 120},
    },
    "attach waiting ratings": {
        "task": "apps.feedback.tasks.attach_waiting",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "join ide events": {
        "task": "apps.feedback.tasks.join_ide_events",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "join late ide events": {
        "task": "apps.feedback.tasks.join_late_ide_events",
        "schedule": crontab(minute="*/10"),
        "options": {"expires": 300},
    },
    # Prompts and answers of comparisons whose time is over.
    "empty expired comparisons": {
        "task": "apps.feedback.compare_tasks.empty_expired_comparisons",
        "schedule": crontab(minute=40),
        "options": {"expires": 1800},
    },
    # Whoever's hour has come; what could not be sent is tried again.
    "ask daily": {
        "task": "apps.feedback.tasks.ask_daily",
        "schedule": crontab(minute="*/5"),
        "options": {"expires": 240},
    },
    "pick samples": {
        "task": "apps.feedback.tasks.pick_samples",
        "schedule": 60.0,
        "options": {"expires": 50},
    },
    "weekly digest": {
        "task": "apps.digest.tasks.send_due",
        # Every day: Monday begins at other hours elsewhere, and a missed one is made up for.
        "schedule": crontab(minute="*/15"),
        "options": {"expires": 600},
    },
    "forget old claims": {
        "task": "apps.changes.tasks.forget_old_claims",
        "schedule": crontab(hour=2, minute=20),
    },
}
