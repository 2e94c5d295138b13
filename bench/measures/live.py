"""Open live pages: what each costs in memory, what all of them cost while nothing happens, and how soon one hears of a webhook."""

import base64
import http.client
import resource
import secrets
import selectors
import socket
import time
import urllib.parse

from harness.events import body_of, number, sign, template
from harness.stage import Stage, wait_for
from measures.prompt import percentiles

# That answer at once while others are being opened.
AT_ONCE = 64
# Beside the streams: what a process has open anyway.
SPARE_FILES = 200


class Streams:
    """Open connections to /api/live, read as data comes."""

    def __init__(self, port):
        self.port = port
        self.ready = selectors.DefaultSelector()
        self.heard, self.open = {}, {}

    def begin(self, index, cookie):
        line = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        head = f"GET /api/live HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\nCookie: unsplit_session={cookie}\r\n\r\n"
        line.sendall(head.encode())
        line.setblocking(False)
        self.open[index], self.heard[index] = line, b""
        self.ready.register(line, selectors.EVENT_READ, index)

    def read(self, seconds):
        """What comes within this time, or nothing."""
        for key, _ in self.ready.select(seconds):
            data = key.fileobj.recv(65536)
            if not data:
                raise SystemExit(f"stream {key.data} ended: {self.heard[key.data][-300:]}")
            self.heard[key.data] += data

    def versions(self, index):
        """How many versions it was told."""
        return self.heard[index].count(b"event: version")

    def until(self, index, versions):
        limit = time.monotonic() + 60
        while self.versions(index) < versions:
            if time.monotonic() > limit:
                raise SystemExit(f"stream {index} heard nothing: {self.heard[index][-300:]}")
            self.read(1)

    def close(self):
        for line in self.open.values():
            line.close()
        self.ready.close()


def people(stage, app, count):
    """So many who are logged in, each bound to a loaded customer: copies of one who came through the front door. Their cookies."""
    form = urllib.parse.urlencode({"email": "first@example.com", "password": "four words in a row"})
    line = http.client.HTTPConnection("127.0.0.1", app.port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
    line.request("POST", "/api/sign_up", form, headers)
    line.getresponse().read()
    account, session = ((name, stage.redis("GET", name)) for (name,) in (stage.redis.keys(f"unsplit:{kind}:*") for kind in ("account", "session")))
    first = account[0].rpartition(":")[2]
    cookies = []
    for begin in range(0, count, 1000):
        commands = []
        for index in range(begin, min(begin + 1000, count)):
            user, cookie = f"user_{number(index)}", base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
            commands.append(("SET", f"unsplit:account:{user}", account[1].replace(first, user)))
            commands.append(("SET", f"unsplit:session:{cookie}", session[1].replace(first, user)))
            commands.append(("SET", f"stripe:user:{user}", f"cus_{number(index)}"))
            cookies.append(cookie)
        stage.redis.pipeline(commands)
    return cookies


def open_all(streams, cookies):
    """A few at a time, each until it was told how things stand. Seconds."""
    began = time.monotonic()
    for begin in range(0, len(cookies), AT_ONCE):
        some = range(begin, min(begin + AT_ONCE, len(cookies)))
        for index in some:
            streams.begin(index, cookies[index])
        for index in some:
            streams.until(index, 1)
    return time.monotonic() - began


def hear(stage, app, streams, count):
    """One webhook after the other, each about another customer; milliseconds until their stream was told."""
    text, times = template(stage), []
    line = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    for index in range(count):
        body = body_of(text, index)
        began = time.perf_counter()
        line.request("POST", "/webhooks/stripe", body, {"Content-Type": "application/json", "Stripe-Signature": sign(body)})
        line.getresponse().read()
        streams.until(index, 2)
        times.append(time.perf_counter() - began)
    return percentiles(times)


def idle_cost(stage, app, streams, seconds):
    """Share of one processor that app and Redis take while all streams only stay open."""
    before, until = (app.cpu(), stage.redis_process.cpu()), time.monotonic() + seconds
    while time.monotonic() < until:
        streams.read(0.5)
    return {"app": (app.cpu() - before[0]) / seconds, "redis": (stage.redis_process.cpu() - before[1]) / seconds}


def measure(settings):
    count = settings.streams
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most < count + SPARE_FILES:
        raise SystemExit(f"{count} streams need that many open files, and `ulimit -Hn` is {most}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Stage(settings.profile, customers=count) as stage:
        app = stage.start("unsplit")
        streams = Streams(app.port)
        stage.callback(streams.close)
        cookies = people(stage, app, count)
        time.sleep(settings.settle)
        before = app.rss()
        took = open_all(streams, cookies)
        time.sleep(settings.settle)
        opened = app.rss()
        idle = idle_cost(stage, app, streams, settings.idle_seconds)
        heard = hear(stage, app, streams, min(count, settings.prompt_events))
        told = sum(streams.versions(index) for index in range(count))
        began = time.monotonic()
        app.child.terminate()
        wait_for("it stops", lambda: app.child.poll() is not None, pause=0.01)
        result = {
            "streams": count, "opened_in": took, "before": before, "opened": opened, "each": (opened - before) / count,
            "idle": idle, "heard": heard, "told": told, "stopped_in": time.monotonic() - began,
        }
    settings.say(f"{count} streams: {result['each'] / 1e3:.1f} kB each, heard after {heard['p50_ms']:.1f} ms, stopped in {result['stopped_in']:.1f} s")
    return result
