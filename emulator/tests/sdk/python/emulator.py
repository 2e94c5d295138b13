"""The emulator's program on a free port, Stripe's own library pointed at it, a shop to buy in, and an endpoint that
hears webhooks. A new subject is a new file test_*.py here; it needs nothing but this one."""

import json
import os
import queue
import re
import signal
import subprocess
import threading
import unittest
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from stripe import StripeClient

API_VERSION = "2026-09-30.endive"
KEY = "sk_test_emulator"
GOOD = "4242424242424242"
ROOT = Path(__file__).resolve().parents[4]


def program():
    target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
    return os.environ.get("STRIPE_EMULATOR", str(target / "debug/stripe-emulator"))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class EmulatorTest(unittest.TestCase):
    """A class of tests with an emulator of its own, and `self.stripe` to ask it."""

    @classmethod
    def setUpClass(cls):
        arguments = [program(), "serve", "--listen", "127.0.0.1:0"]
        cls.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.stop)
        cls.url = re.search(r"http://[\d.]+:\d+", cls.process.stdout.readline())[0]
        cls.stripe = cls.client()

    @classmethod
    def stop(cls):
        cls.process.send_signal(signal.SIGINT)
        cls.process.wait()
        cls.process.stdout.close()

    @classmethod
    def client(cls, key=KEY, **options):
        """Stripe's library as an app would have it, but for the address."""
        options = {"max_network_retries": 0, **options}
        return StripeClient(key, stripe_version=API_VERSION, base_addresses={"api": cls.url}, **options).v1

    @classmethod
    def control(cls, name, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{cls.url}/_emulator/{name}", data, headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def customer(self, card="pm_card_visa"):
        """A customer with a card."""
        customer = self.stripe.customers.create({"email": "ada@example.com", "metadata": {"userId": "u1"}})
        method = self.stripe.payment_methods.attach(card, {"customer": customer.id})
        default = {"invoice_settings": {"default_payment_method": method.id}}
        return self.stripe.customers.update(customer.id, default)

    def price(self, **more):
        """A product's price of 12 dollars a month."""
        product = self.stripe.products.create({"name": "Pro"})
        fields = {"currency": "usd", "unit_amount": 1200, "recurring": {"interval": "month"}}
        return self.stripe.prices.create({"product": product.id, **fields, **more})

    def pay(self, session, card=GOOD):
        """Sends the hosted page's form as a browser does: the status, and where it leads."""
        form = {"card_number": card, "expiry": "12/34", "cvc": "123", "name": "Ada Lovelace"}
        data = urllib.parse.urlencode({**form, "email": "ada@example.com"}).encode()
        try:
            with urllib.request.build_opener(NoRedirect).open(session.url, data) as answer:
                return answer.status, None
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.status, answer.headers["location"]

    def asked(self, method, path):
        """How often the path was asked for with this method."""
        data = self.control("requests")["data"]
        return sum(1 for one in data if (one["method"], one["path"]) == (method, path))

    def hook(self):
        """An endpoint for webhooks."""
        hook = Hook()
        self.addCleanup(hook.stop)
        return hook


class Hook:
    """Hears webhooks; `next()` is the one that comes next, as its raw body and its signature."""

    def __init__(self):
        heard = queue.Queue()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                heard.put((body, self.headers["stripe-signature"]))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.heard = heard
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    def next(self):
        return self.heard.get(timeout=60)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
