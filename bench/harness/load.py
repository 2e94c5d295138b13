"""The one load generator: wrk, with requests that were signed just before."""

import json
import resource
import subprocess

from .events import FIRST, prepare
from .stage import ROOT

SCRIPT = ROOT / "bench" / "load.lua"


def start(url, files, seconds, connections):
    words = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", SCRIPT, url, "--", *files, FIRST]
    return subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)


def finish(process):
    output, _ = process.communicate()
    return json.loads(output.strip().splitlines()[-1])


def run(urls, stage, template, first, count, seconds, connections):
    """Loads all urls at once, each with its share of connections and customers. Sums, the worst p99, events sent twice."""
    share = count // len(urls)
    files = [prepare(stage.directory, template, first + share * i, share) for i in range(len(urls))]
    spent = own_cpu()
    running = [start(url, file, seconds, connections // len(urls)) for url, file in zip(urls, files)]
    results = [finish(process) for process in running]
    accepted = sum(one["requests"] - one["refused"] for one in results)
    return {
        "per_second": sum((one["requests"] - one["refused"]) / one["seconds"] for one in results),
        "accepted": accepted,
        "refused": sum(one["refused"] for one in results),
        "broken": sum(one["broken"] for one in results),
        "p50_ms": max(one["p50_ms"] for one in results),
        "p99_ms": max(one["p99_ms"] for one in results),
        "wrk_us": 1e6 * (own_cpu() - spent) / max(1, accepted),
        "repeated": max(0, accepted - count),
    }


def own_cpu():
    """Seconds that programs we have waited for took."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
