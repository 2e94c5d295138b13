"""Measures Unsplit beside its peers and writes RESULTS.md. `make bench` builds what it needs; README.md explains."""

import argparse
import json
import shutil
import time

import report
from harness import machine, process
from harness.stage import PEERS, SCRATCH, TARGET
from measures import burst, emulator, intake, memory, prompt, rebuild, scaling

MEASURES = {
    "intake": intake, "burst": burst, "prompt": prompt, "memory": memory, "rebuild": rebuild, "scaling": scaling,
    "emulator": emulator,
}
RAW = SCRATCH / "results.json"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), help="the others keep their last result")
    parser.add_argument("--profile", choices=["release", "debug"], default="release", help="which build is measured")
    parser.add_argument("--nice", type=int, default=0, help="of all that is measured; below 0 where others use the machine, as root")
    parser.add_argument("--rounds", type=int, default=3, help="of each app, in turn; medians are told")
    parser.add_argument("--seconds", type=int, default=10, help="of load a round")
    parser.add_argument("--warm-up", type=int, default=5, help="seconds of load before")
    parser.add_argument("--connections", type=int, default=64, help="that send at once")
    parser.add_argument("--events", type=int, default=240_000, help="signed for a round, each for another customer")
    parser.add_argument("--prompt-events", type=int, default=200, help="one after the other, for the time until stored")
    parser.add_argument("--prompt-rate", type=float, default=10, help="of them a second")
    parser.add_argument("--due", type=int, default=100_000, help="customers in the queue, for the memory")
    parser.add_argument("--rebuilt", type=int, default=100_000, help="customers for the rebuild")
    parser.add_argument("--settle", type=float, default=5, help="seconds until a quiet app counts as quiet")
    settings = parser.parse_args()
    settings.say = lambda text: print(f"  {text}", flush=True)
    return settings


def check(settings):
    """What is missing, before anything is measured."""
    missing = [tool for tool in ("wrk", "redis-server", "redis-cli", "node") if not shutil.which(tool)]
    built = [TARGET / settings.profile / name for name in ("unsplit", "stripe-emulator", "unsplit-bench-bare", "unsplit-bench-sample")]
    built.append(emulator.LOCALSTRIPE)
    built.append(PEERS / "theo-next" / ".next" / "BUILD_ID")
    missing += [str(path) for path in built if not path.exists()]
    if missing:
        raise SystemExit(f"missing: {', '.join(missing)}; `make bench` installs and builds them")


def main():
    settings = arguments()
    check(settings)
    process.be_nice(settings.nice)
    SCRATCH.mkdir(parents=True, exist_ok=True)
    results = json.loads(RAW.read_text()) if RAW.exists() else {}
    results["machine"] = machine.describe()
    for name in settings.only:
        print(f"{name}:", flush=True)
        began, stamp = time.monotonic(), machine.stamp()
        measured = MEASURES[name].measure(settings)
        stamp["took"] = f"{time.monotonic() - began:.0f} s"
        stamp["nice"] = settings.nice
        kept = {key: value for key, value in vars(settings).items() if isinstance(value, (int, float, str))}
        results[name] = {"stamp": stamp, "settings": kept, **measured}
        RAW.write_text(json.dumps(results, indent=1))
    print(f"wrote {report.write(results)}")


if __name__ == "__main__":
    main()
