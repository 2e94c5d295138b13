"""Memory of an idle app, and of app and Redis with many customers due."""

import time

from harness import load
from harness.events import template
from harness.stage import Stage

# Long enough for every call to hang while we look.
HANG_MS = 600_000


def idle(name, settings):
    """Bytes resident, some seconds after the start."""
    with Stage(settings.profile) as stage:
        app = stage.start(name)
        time.sleep(settings.settle)
        return {"app": app.rss(), "redis": stage.redis_process.rss()}


def with_customers_due(settings):
    """Fills the queue through webhooks while Stripe hangs, looks, restarts the app, and looks again."""
    count = settings.due
    with Stage(settings.profile, customers=count) as stage:
        app = stage.start("unsplit")
        time.sleep(settings.settle)
        before = sizes(stage, app)
        stage.control("POST", "faults", {"path": "/v1/subscriptions", "latency_ms": HANG_MS})
        while queued(stage) < count:
            load.run([app.webhook], stage, template_now(stage), 0, count, settings.seconds, settings.connections)
        filled = sizes(stage, app)
        app.stop()
        again = stage.start("unsplit")
        time.sleep(settings.settle)
        return {"customers": queued(stage), "before": before, "filled": filled, "restarted": sizes(stage, again)}


def template_now(stage):
    """The event's text; the fault that holds Unsplit up would hold us up too."""
    faults = stage.control("GET", "faults")
    stage.control("DELETE", "faults")
    text = template(stage)
    stage.control("POST", "faults", {"path": "/v1/subscriptions", "latency_ms": HANG_MS})
    return text


def queued(stage):
    """Customers in the queue, due or in flight, over all of its shards."""
    return sum(stage.redis("HLEN", key) for key in stage.redis.keys("{stripe:due:*}:entries"))


def sizes(stage, app):
    info = stage.redis.info("memory")
    return {"app": app.rss(), "redis": stage.redis_process.rss(), "redis_used": int(info["used_memory"])}


def measure(settings):
    result = {"idle": {name: idle(name, settings) for name in ("unsplit", "bare", "theo")}}
    for name, one in result["idle"].items():
        settings.say(f"{name}, idle: {one['app'] / 1e6:.0f} MB")
    result["due"] = with_customers_due(settings)
    due = result["due"]
    settings.say(f"{due['customers']} due: app {due['filled']['app'] / 1e6:.0f} MB, Redis {due['filled']['redis'] / 1e6:.0f} MB")
    return result
