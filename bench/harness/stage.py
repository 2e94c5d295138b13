"""What a measurement stands on: a fresh Redis, a fresh emulator with customers, and one of the three apps."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from .process import Process, free_port
from .resp import Redis

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / "bench" / "peers"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
SCRATCH = TARGET / "bench"
SECRET = "whsec_bench"
KEY = "sk_test_emulator"
# Loaded customers are cus_bench00000000 and so on, their subscriptions sub_bench00000000.
PREFIX = "bench"
PRICE = "pro_monthly"

REDIS_SETTINGS = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]


class Stage(ExitStack):
    """One Redis and one emulator, both empty, and what is started on them. Leaving it ends all."""

    def __init__(self, profile, customers=0, nodes=1, shards=1):
        super().__init__()
        self.profile, self.shards = profile, shards
        self.directory = SCRATCH / "run"
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.stripe_port = free_port()
        self.nodes = [self._start_redis(nodes > 1) for _ in range(nodes)]
        self.redis_process = self.nodes[0]
        self.redis_url = f"redis://127.0.0.1:{self.redis_process.port}"
        self.redis = Redis(self.redis_process.port)
        self.callback(self.redis.close)
        if nodes > 1:
            self._join_nodes()
        self.stripe_url = f"http://127.0.0.1:{self.stripe_port}"
        serve = [self.binary("stripe-emulator"), "serve", "--listen", f"127.0.0.1:{self.stripe_port}"]
        self.stripe = self._start("emulator", serve, self.stripe_port)
        for name in ("plans.toml", "Leptos.toml"):
            shutil.copy(ROOT / name, self.directory)
        self._push_plans()
        if customers:
            self.control("POST", "load", {"customers": customers, "price": PRICE, "prefix": PREFIX})

    def _push_plans(self):
        pushed = self.unsplit("plans", "push")
        if pushed.returncode != 0:
            raise SystemExit(f"unsplit plans push: {pushed.stderr.strip()}")

    def binary(self, name):
        return TARGET / self.profile / name

    def _start(self, name, command, port, environment=None):
        process = Process(name, command, self.directory, environment)
        return self.enter_context(process.await_port(port))

    def _start_redis(self, clustered):
        port = free_port()
        directory = self.directory / f"redis-{port}"
        directory.mkdir()
        words = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", directory, *REDIS_SETTINGS]
        if clustered:
            words += ["--cluster-enabled", "yes", "--cluster-port", free_port()]
        process = self._start(f"redis-{port}", words, port)
        process.port = port
        return process

    def _join_nodes(self):
        addresses = [f"127.0.0.1:{node.port}" for node in self.nodes]
        words = ["redis-cli", "--cluster", "create", *addresses, "--cluster-yes"]
        subprocess.run(words, check=True, capture_output=True, timeout=60)
        healthy = lambda: self.redis.info_of("CLUSTER", "INFO").get("cluster_state") == "ok"
        wait_for("the cluster is up", healthy)

    def environment(self, port=0):
        address = f"127.0.0.1:{port}"
        return {
            "REDIS_URL": self.redis_url,
            "STRIPE_SECRET_KEY": KEY, "STRIPE_WEBHOOK_SECRET": SECRET, "STRIPE_API_BASE": self.stripe_url,
            "PUBLIC_URL": f"http://{address}", "LEPTOS_SITE_ADDR": address, "ADDRESS": address,
            "QUEUE_SHARDS": str(self.shards), "RUST_LOG": "info", "NEXT_TELEMETRY_DISABLED": "1", "NODE_ENV": "production",
        }

    def unsplit(self, *words):
        """Runs a command of Unsplit to its end; its result."""
        return subprocess.run(
            [self.binary("unsplit"), *words], cwd=self.directory, env={**os.environ, **self.environment()},
            capture_output=True, text=True, check=False, timeout=3600)

    def start(self, name):
        """Starts `unsplit`, `bare` or `theo`."""
        port = free_port()
        if name == "theo":
            next_cli = PEERS / "theo-next" / "node_modules" / "next" / "dist" / "bin" / "next"
            command = ["node", next_cli, "start", PEERS / "theo-next", "-p", port, "-H", "127.0.0.1"]
            path = "/api/stripe"
        else:
            words = {"unsplit": ["unsplit", "serve"], "bare": ["unsplit-bench-bare"]}[name]
            command, path = [self.binary(words[0]), *words[1:]], "/webhooks/stripe"
        app = self._start(name, command, port, self.environment(port))
        app.port, app.url = port, f"http://127.0.0.1:{port}"
        app.webhook = app.url + path
        return app

    def control(self, method, name, body=None):
        """One of the emulator's controls."""
        return call(method, f"{self.stripe_url}/_emulator/{name}", body)

    def stripe_get(self, path):
        return call("GET", f"{self.stripe_url}/v1/{path}", headers={"Authorization": f"Bearer {KEY}"})

    def requests(self, limit=2000):
        """The requests that Stripe has had, newest first."""
        return self.control("GET", f"requests?limit={limit}")["data"]


def call(method, url, body=None, headers=None):
    """A request with JSON both ways."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=300) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def wait_for(what, look, seconds=60, pause=0.05):
    """Looks until there is something true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(pause)
    raise SystemExit(f"never: {what}")
