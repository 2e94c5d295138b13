"""What the numbers were measured on."""

import os
import platform
import re
import subprocess
import time
from pathlib import Path

from .stage import PEERS, ROOT, SCRATCH


def output(*words):
    try:
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return (done.stdout or done.stderr).strip()


def version(text):
    found = re.search(r"\d+\.\d+[\w.-]*", text)
    return found.group() if found else "unknown"


def field(path, name):
    lines = Path(path).read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "unknown")


def fsync_ms(times=500):
    """The median time of a small write and fsync where Redis keeps its files."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    path, spent = SCRATCH / "fsync", []
    with path.open("wb", buffering=0) as file:
        for _ in range(times):
            began = time.perf_counter()
            file.write(b"x" * 200)
            os.fsync(file.fileno())
            spent.append(time.perf_counter() - began)
    path.unlink()
    return 1e3 * sorted(spent)[times // 2]


def package(name):
    text = (PEERS / "theo-next" / "package.json").read_text()
    return re.search(rf'"{name}": "([^"]+)"', text).group(1)


def describe():
    """Name and value, in the order in which RESULTS.md has them."""
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 1024 / 1024
    return {
        "processor": f"{field('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores",
        "memory": f"{memory:.0f} GB",
        "kernel": platform.release(),
        "write and fsync": f"{fsync_ms():.2f} ms (median of 500 small ones, where Redis keeps its files)",
        "Redis": version(output("redis-server", "--version")),
        "rustc": version(output("rustc", "--version")),
        "wrk": version(output("wrk", "-v")),
        "Node.js": version(output("node", "--version")),
        "next, stripe, ioredis": ", ".join(package(name) for name in ("next", "stripe", "ioredis")),
    }


def stamp():
    """When, at which commit, and how busy the machine was before: put beside each measurement."""
    changed = " with changes" if output("git", "status", "--porcelain", "--", "src", "billing", "emulator") else ""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": output("git", "rev-parse", "--short", "HEAD") + changed,
        "load": f"{os.getloadavg()[0]:.1f}",
    }
