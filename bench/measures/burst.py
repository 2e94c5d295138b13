"""What one purchase costs in calls to Stripe: its events, spread over two seconds, and the success page."""

import http.cookiejar
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from harness.events import sign
from harness.stage import KEY, PRICE, Stage

SPREAD = 2.0
# When the buyer's browser is back at the shop.
SUCCESS_AT = 0.5
CARD = {"card_number": "4242424242424242", "expiry": "12 / 34", "cvc": "123", "name": "Ada Lovelace"}


def purchases(name, settings):
    """Two purchases in one process: the first, and one with what the process has learnt from it."""
    with Stage(settings.profile) as stage:
        app = stage.start(name)
        # The events are sent by us, at the same times for each app.
        stage.control("POST", "deliveries", {"mode": "dropped"})
        return [one_purchase(stage, app, buyer, settings) for buyer in ("bob", "ada")]


def one_purchase(stage, app, buyer, settings):
    """Calls to Stripe by path, from the payment until all is quiet; and what Redis says in the end."""
    buy = buy_from_unsplit if app.name == "unsplit" else buy_from_theo
    checkout, browser, headers = buy(stage, app, buyer)
    before = {event["id"] for event in told(stage)}
    success = paid(browser, checkout)
    events = [event for event in told(stage) if event["id"] not in before]
    stage.control("DELETE", "requests")
    page = threading.Timer(SUCCESS_AT, browser.send, [success], {"headers": headers})
    page.start()
    for event in events:
        deliver(app, event)
        time.sleep(SPREAD / len(events))
    page.join()
    # A quiet time folds bursts: its sync comes after the last event.
    time.sleep(settings.settle)
    customer = next(event["data"]["object"]["customer"] for event in events if event["type"] == "invoice.paid")
    return {
        "app": app.name, "buyer": buyer, "events": [event["type"] for event in events],
        "calls": sorted(f"{one['method']} {one['path']} {one['status']}" for one in stage.requests()),
        "stored": stage.redis("GET", f"stripe:customer:{customer}"),
    }


def told(stage):
    """Stripe's events, oldest first."""
    return stage.control("GET", "events?limit=100")["data"][::-1]


def deliver(app, event):
    body = json.dumps(event, indent=2).encode()
    request = urllib.request.Request(app.webhook, data=body, method="POST")
    request.add_header("Content-Type", "application/json; charset=utf-8")
    request.add_header("Stripe-Signature", sign(body))
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


class Browser:
    """Cookies and forms, without following to pages that are opened later."""

    def __init__(self, home):
        self.home = home
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()), StayHere)

    def send(self, url, form=None, headers=None):
        """Status, and where it leads."""
        url = urllib.parse.urljoin(self.home, url)
        data = None if form is None else urllib.parse.urlencode(form).encode()
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", **(headers or {})}
        try:
            answer = self.opener.open(urllib.request.Request(url, data=data, headers=headers), timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            answer.read()
            return answer.status, answer.headers.get("Location")


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def paid(browser, checkout):
    """Pays on Stripe's page; where that leads."""
    status, success = browser.send(checkout, CARD)
    if status != 303:
        raise SystemExit(f"the payment was answered with {status}")
    return success


def buy_from_unsplit(_stage, app, buyer):
    """Signs up and clicks Subscribe."""
    browser = Browser(app.url)
    browser.send("/api/sign_up", {"email": f"{buyer}@example.com", "password": "correct horse"})
    _, checkout = browser.send("/api/start_checkout", {"plan": "pro", "interval": "month"})
    return checkout, browser, {}


def buy_from_theo(stage, app, buyer):
    """The guide's checkout, done by hand: its customer, its binding and its session."""
    customer = post(stage, "customers", {"email": f"{buyer}@example.com", "metadata[userId]": buyer})["id"]
    stage.redis("SET", f"stripe:user:{buyer}", customer)
    price = stage.stripe_get(f"prices?lookup_keys[]={PRICE}")["data"][0]["id"]
    session = post(stage, "checkout/sessions", {
        "mode": "subscription", "customer": customer, "success_url": f"{app.url}/success",
        "line_items[0][price]": price, "line_items[0][quantity]": "1"})
    return session["url"], Browser(app.url), {"X-User": buyer}


def post(stage, path, form):
    request = urllib.request.Request(
        f"{stage.stripe_url}/v1/{path}", data=urllib.parse.urlencode(form).encode(),
        headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def measure(settings):
    runs = []
    for _ in range(settings.rounds):
        for name in ("unsplit", "theo"):
            runs.extend(purchases(name, settings))
            settings.say(f"{name}: {[len(one['calls']) for one in runs[-2:]]} calls for {len(runs[-1]['events'])} events and the page")
    return {"runs": runs}
