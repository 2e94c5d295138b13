"""Webhook intake: requests a second and p99, the three apps in turn, each round on a Redis and a Stripe of its own."""

from statistics import median

from harness import load
from harness.events import template
from harness.stage import Stage

APPS = ["unsplit", "bare", "theo"]


def one_round(name, settings):
    """One app, warmed up with customers of its own, then measured."""
    count, warm = settings.events, settings.events // 4
    with Stage(settings.profile, customers=count + warm) as stage:
        app = stage.start(name)
        text = template(stage)
        load.run([app.webhook], stage, text, count, warm, settings.warm_up, settings.connections)
        before = Meter(stage, app)
        result = load.run([app.webhook], stage, text, 0, count, settings.seconds, settings.connections)
        result |= before.until_now(result["accepted"])
        stored = len(stage.redis.keys("stripe:customer:*"))
        result |= {"app": name, "bytes": len(text), "stored": stored}
        return result


class Meter:
    """Processor time and Redis' commands from when it is made."""

    def __init__(self, stage, app):
        self.stage, self.app = stage, app
        self.at = self._read()

    def _read(self):
        commands = self.stage.redis.info("commandstats")
        return {
            "app": self.app.cpu(), "redis": self.stage.redis_process.cpu(), "stripe": self.stage.stripe.cpu(),
            "calls": {name[8:]: dict(pair.split("=") for pair in text.split(",")) for name, text in commands.items()},
        }

    def until_now(self, requests):
        now, then = self._read(), self.at
        micros = {f"{name}_us": 1e6 * (now[name] - then[name]) / max(1, requests) for name in ("app", "redis", "stripe")}
        counts = {
            name: int(one["calls"]) - int(then["calls"].get(name, {}).get("calls", 0)) for name, one in now["calls"].items()
        }
        spent = {
            name: int(one["usec"]) - int(then["calls"].get(name, {}).get("usec", 0)) for name, one in now["calls"].items()
        }
        busiest = sorted(spent, key=spent.get, reverse=True)[:6]
        return {**micros, "commands": {name: [counts[name], spent[name]] for name in busiest if counts[name]}}


def measure(settings):
    rounds = []
    for number in range(settings.rounds):
        # Each round begins with another app, so that none is always the one after the slowest.
        for shift in range(len(APPS)):
            name = APPS[(number + shift) % len(APPS)]
            rounds.append({"round": number + 1, **one_round(name, settings)})
            settings.say(f"{name}: {rounds[-1]['per_second']:.0f}/s, p99 {rounds[-1]['p99_ms']:.1f} ms")
    return {"rounds": rounds, "apps": {name: summary(rounds, name) for name in APPS}}


def summary(rounds, name):
    of_app = [one for one in rounds if one["app"] == name]
    fields = ["per_second", "p50_ms", "p99_ms", "app_us", "redis_us", "stripe_us", "wrk_us", "refused", "broken"]
    return {field: median(one[field] for one in of_app) for field in fields}
