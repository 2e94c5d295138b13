"""A rebuild of the whole Redis state from Stripe alone: its calls, counted at the emulator, and its time."""

import threading
import time

from harness.stage import Stage


class CallCounter(threading.Thread):
    """Counts calls by path. The emulator's log is capped, so it is read while it grows."""

    def __init__(self, stage):
        super().__init__(daemon=True)
        self.stage, self.seen, self.over = stage, {}, threading.Event()

    def run(self):
        while not self.over.wait(2):
            self.look()

    def look(self):
        for one in self.stage.requests():
            self.seen[one["request_id"]] = (f"{one['method']} {one['path']}", one["status"])

    def end(self):
        """Calls by path and status."""
        self.over.set()
        self.join()
        self.look()
        counts = {}
        for call in self.seen.values():
            counts[f"{call[0]} {call[1]}"] = counts.get(f"{call[0]} {call[1]}", 0) + 1
        return counts


def measure(settings):
    count = settings.rebuilt
    with Stage(settings.profile, customers=count) as stage:
        stage.control("DELETE", "requests")
        counter = CallCounter(stage)
        counter.start()
        began, spent = time.perf_counter(), stage.redis_process.cpu()
        finished = stage.unsplit("rebuild")
        seconds = time.perf_counter() - began
        calls = counter.end()
        if finished.returncode != 0:
            raise SystemExit(f"unsplit rebuild: {finished.stderr[-2000:]}")
        result = {
            "customers": count, "seconds": seconds, "calls": calls, "total": sum(calls.values()),
            "redis_seconds": stage.redis_process.cpu() - spent,
            "values": len(stage.redis.keys("stripe:customer:*")), "bindings": len(stage.redis.keys("stripe:user:*")),
            "said": (finished.stdout or finished.stderr).strip().splitlines()[-6:],
        }
        settings.say(f"{count} customers: {result['total']} calls, {seconds:.0f} s")
        return result
