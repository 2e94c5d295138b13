"""Time from webhook to stored, at low load: from the first byte sent until Redis has the customer's value."""

import http.client
import time

from harness.events import body_of, number, sign, template
from harness.stage import Stage

# How long the poller sleeps between two looks: what is measured is at most so much too long.
PAUSE = 0.0002


def one_run(name, settings):
    """`settings.prompt_events` customers, one after the other, `settings.prompt_rate` a second. Milliseconds."""
    count, warm = settings.prompt_events, 20
    with Stage(settings.profile, customers=count + warm) as stage:
        app = stage.start(name)
        text = template(stage)
        line = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
        times = []
        for index in range(count + warm):
            began = time.perf_counter()
            answered, stored = one_event(stage, app, line, text, index)
            times.append((answered - began, stored - began))
            time.sleep(max(0, 1 / settings.prompt_rate - (stored - began)))
        measured = times[warm:]
        return {
            "app": name, "events": count,
            "answered": percentiles([one[0] for one in measured]), "stored": percentiles([one[1] for one in measured]),
        }


def one_event(stage, app, line, text, index):
    """Sends it; when it was answered and when its customer's value was there."""
    body = body_of(text, index)
    path = app.webhook.removeprefix(app.url)
    line.request("POST", path, body, {"Content-Type": "application/json", "Stripe-Signature": sign(body)})
    answer = line.getresponse()
    answer.read()
    answered = time.perf_counter()
    if answer.status != 200:
        raise SystemExit(f"{app.name} answered {answer.status}")
    until = answered + 30
    while stage.redis("EXISTS", f"stripe:customer:cus_{number(index)}") == 0:
        if time.perf_counter() > until:
            raise SystemExit(f"{app.name} did not store cus_{number(index)}: {app.log.read_text()[-2000:]}")
        time.sleep(PAUSE)
    return answered, time.perf_counter()


def percentiles(seconds):
    ordered = sorted(seconds)
    at = lambda share: 1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "worst_ms": 1e3 * ordered[-1]}


def measure(settings):
    runs = []
    for _ in range(settings.rounds):
        for name in ("unsplit", "theo"):
            runs.append(one_run(name, settings))
            settings.say(f"{name}: stored after {runs[-1]['stored']['p50_ms']:.1f} ms, p99 {runs[-1]['stored']['p99_ms']:.1f} ms")
    return {"runs": runs}
