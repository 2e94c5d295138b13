"""The emulator as a Stripe to test against, beside localstripe: requests a second, a purchase, start-up, memory; and
how fast a year of renewals passes. A peer that answers Stripe's sample objects shows what the state costs."""

import http.client
import json
import subprocess
import time
import urllib.parse

from harness.process import Process, free_port
from harness.stage import KEY, ROOT, SCRATCH, TARGET

SCRIPT = ROOT / "bench" / "requests.lua"
LOCALSTRIPE = SCRATCH / "localstripe" / "bin" / "localstripe"
NAMES = ("emulator", "localstripe")
CONNECTIONS = 16
SUBSCRIBERS = 200


class Client:
    """One connection, which is kept."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __call__(self, method, path, form=None, body=None):
        headers = {"Authorization": f"Bearer {KEY}"}
        data = None
        if form is not None:
            data = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if body is not None:
            data = json.dumps(body)
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:300]}")
        return json.loads(text)


class Emulator:
    def __init__(self, settings):
        self.port = free_port()
        self.words = [TARGET / settings.profile / "stripe-emulator", "serve", "--listen", f"127.0.0.1:{self.port}"]

    def sell(self, client):
        product = client("POST", "/v1/products", {"name": "Pro"})
        terms = {"product": product["id"], "currency": "usd", "unit_amount": 1200, "recurring[interval]": "month"}
        return client("POST", "/v1/prices", terms)["id"]

    def buy(self, client, price):
        customer = client("POST", "/v1/customers", {"email": "ada@example.com"})["id"]
        card = client("POST", "/v1/payment_methods/pm_card_visa/attach", {"customer": customer})["id"]
        terms = {"customer": customer, "items[0][price]": price, "default_payment_method": card}
        assert client("POST", "/v1/subscriptions", terms)["status"] == "active"
        return customer


class Localstripe:
    def __init__(self, _settings):
        self.port = free_port()
        self.words = [LOCALSTRIPE, "--port", self.port, "--from-scratch"]

    def sell(self, client):
        product = client("POST", "/v1/products", {"name": "Pro", "type": "service"})
        terms = {"id": "pro", "product": product["id"], "currency": "usd", "amount": 1200, "interval": "month"}
        return client("POST", "/v1/plans", terms)["id"]

    def buy(self, client, plan):
        customer = client("POST", "/v1/customers", {"email": "ada@example.com"})["id"]
        card = {"type": "card", "card[number]": "4242424242424242", "card[exp_month]": 12, "card[exp_year]": 2034, "card[cvc]": 123}
        method = client("POST", "/v1/payment_methods", card)["id"]
        client("POST", f"/v1/payment_methods/{method}/attach", {"customer": customer})
        client("POST", f"/v1/customers/{customer}", {"invoice_settings[default_payment_method]": method})
        terms = {"customer": customer, "items[0][plan]": plan}
        assert client("POST", "/v1/subscriptions", terms)["status"] == "active"
        return customer


KINDS = {"emulator": Emulator, "localstripe": Localstripe}


class Sample:
    """Stripe's sample objects without any state."""

    def __init__(self, settings):
        self.port = free_port()
        self.words = [TARGET / settings.profile / "unsplit-bench-sample", self.port]


def wrk(server, method, path, form, seconds):
    url = f"http://127.0.0.1:{server.port}{path}"
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "10s", "-s", SCRIPT, url, "--", method, KEY, form]
    output = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, text=True, check=True).stdout
    result = json.loads(output.strip().splitlines()[-1])
    result["per_second"] = (result["requests"] - result["refused"]) / result["seconds"]
    return result


def one_round(name, settings):
    """Everything of one server, begun empty."""
    server = KINDS[name](settings)
    began = time.monotonic()
    with Process(name, server.words, SCRATCH / "run") as process:
        process.await_port(server.port)
        client = Client(server.port)
        price = server.sell(client)
        started = time.monotonic() - began
        idle = process.rss()
        customer = server.buy(client, price)
        until, bought, began = time.monotonic() + settings.seconds, 0, time.monotonic()
        while time.monotonic() < until:
            server.buy(client, price)
            bought += 1
        purchases = bought / (time.monotonic() - began)
        listed = wrk(server, "GET", f"/v1/subscriptions?customer={customer}", "", settings.seconds)
        created = wrk(server, "POST", "/v1/customers", "email=ada%40example.com", settings.seconds)
        return {
            "start_ms": 1000 * started, "rss": idle, "rss_after": process.rss(), "purchases": purchases,
            "list": listed, "create": created,
        }


def stateless(settings):
    """The same two loads on a server that only answers."""
    server = Sample(settings)
    with Process("sample", server.words, SCRATCH / "run") as process:
        process.await_port(server.port)
        return {
            "list": wrk(server, "GET", "/v1/subscriptions", "", settings.seconds),
            "create": wrk(server, "POST", "/v1/customers", "email=ada%40example.com", settings.seconds),
        }


def year(settings):
    """Renewals a second while a year passes for some subscribers."""
    server = Emulator(settings)
    with Process("emulator", server.words, SCRATCH / "run") as process:
        process.await_port(server.port)
        client = Client(server.port)
        price = server.sell(client)
        for _ in range(SUBSCRIBERS):
            server.buy(client, price)
        began = time.monotonic()
        client("POST", "/_emulator/clock", body={"advance_seconds": 365 * 86_400 + 7_200})
        seconds, rss = time.monotonic() - began, process.rss()
        events = len(client("GET", "/_emulator/events?limit=100000")["data"])
        return {"subscribers": SUBSCRIBERS, "seconds": seconds, "renewals": 12 * SUBSCRIBERS, "events": events, "rss": rss}


def measure(settings):
    rounds = []
    for number in range(settings.rounds):
        for name in NAMES if number % 2 == 0 else reversed(NAMES):
            found = one_round(name, settings)
            settings.say(f"{name}: {found['create']['per_second']:,.0f} creates/s, {found['list']['per_second']:,.0f} lists/s, "
                         f"{found['purchases']:,.0f} purchases/s, {found['start_ms']:.0f} ms to start")
            rounds.append({"round": number + 1, "name": name, **found})
    result = {"rounds": rounds, "stateless": stateless(settings), "year": year(settings)}
    found = result["stateless"]
    settings.say(f"sample objects: {found['create']['per_second']:,.0f} creates/s, {found['list']['per_second']:,.0f} lists/s")
    settings.say(f"{result['year']['renewals']} renewals in {result['year']['seconds']:.2f} s")
    return result
