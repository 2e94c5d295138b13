"""Stripe's events: the text of one about each loaded customer, and signatures."""

import hmac
import json
import time

from .stage import PREFIX, SECRET

FIRST = f"{PREFIX}00000000"


def number(index):
    """What stands in the ids of a loaded customer."""
    return f"{PREFIX}{index:08}"


def sign(body, at=None):
    """The header Stripe-Signature."""
    at = int(time.time()) if at is None else at
    digest = hmac.digest(SECRET.encode(), b"%d." % at + body, "sha256").hex()
    return f"t={at},v1={digest}"


def template(stage):
    """An event about the first loaded customer's subscription, indented as Stripe's are."""
    listed = stage.stripe_get(f"subscriptions?customer=cus_{FIRST}&limit=1")["data"]
    event = {
        "id": f"evt_{FIRST}", "object": "event", "api_version": "2026-09-30.endive",
        "created": int(time.time()), "data": {"object": listed[0]}, "livemode": False,
        "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None},
        "type": "customer.subscription.updated",
    }
    return json.dumps(event, indent=2).encode()


def body_of(template, index):
    return template.replace(FIRST.encode(), number(index).encode())


def prepare(directory, template, first, count):
    """Writes what load.lua sends: the template, and a line with number and signature an event. The files' paths."""
    at = int(time.time())
    parts = template.split(FIRST.encode())
    lines = []
    for index in range(first, first + count):
        name = number(index)
        lines.append(f"{name} {sign(name.encode().join(parts), at)}\n")
    text, signed = directory / f"template-{first}", directory / f"signed-{first}"
    text.write_bytes(template)
    signed.write_text("".join(lines))
    return text, signed
