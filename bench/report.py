"""Turns the results into RESULTS.md: machine, ratios with their goals, then what was measured, round by round."""

from statistics import median

from harness.stage import REDIS_SETTINGS, ROOT

PATH = ROOT / "bench" / "RESULTS.md"


def write(results):
    sections = [heading(results), ratios(results)]
    sections += [SECTIONS[name](results[name]) for name in SECTIONS if name in results]
    PATH.write_text("\n".join(sections))
    return PATH


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def mb(size):
    return f"{size / 1e6:,.0f} MB"


def heading(results):
    rows = [[name, value] for name, value in results["machine"].items()]
    rows.append(["Redis' settings", f"`{' '.join(REDIS_SETTINGS)}`"])
    text = "Written by `make bench`; [README.md](README.md) says how each number is made and what may be unfair.\n"
    return "# Results\n\n" + text + "\n" + table(["machine", ""], rows)


def ratios(results):
    rows = [row for name in RATIOS if name in results for row in RATIOS[name](results[name])]
    return "## Ratios\n\n" + table(["what", "Unsplit", "peer", "ratio", "goal", ""], rows)


def verdict(ratio, goal, at_least=True):
    good = ratio >= goal if at_least else ratio <= goal
    return ["at least" if at_least else "at most", "met" if good else "**missed**"]


def ratio_row(what, ours, theirs, unit, ratio, goal=None, at_least=True, digits=0):
    cells = [what, f"{ours:,.{digits}f}{unit}", f"{theirs:,.{digits}f}{unit}", f"{ratio:.2f}"]
    if goal is None:
        return [*cells, "", ""]
    word, judged = verdict(ratio, goal, at_least)
    return [*cells, f"{word} {goal}", judged]


def intake_ratios(result):
    ours, bare, theo = (result["apps"][name] for name in ("unsplit", "bare", "theo"))
    rate = lambda peer: ours["per_second"] / peer["per_second"]
    cost = lambda app: app["app_us"] + app["redis_us"]
    return [
        ratio_row("webhooks a second, against bare axum", ours["per_second"], bare["per_second"], "/s", rate(bare), 0.8),
        ratio_row("webhooks a second, against Theo's", ours["per_second"], theo["per_second"], "/s", rate(theo), 40),
        ratio_row("p99 under that load, against bare axum", ours["p99_ms"], bare["p99_ms"], " ms", ours["p99_ms"] / bare["p99_ms"], digits=1),
        ratio_row("p99 under that load, against Theo's", ours["p99_ms"], theo["p99_ms"], " ms", ours["p99_ms"] / theo["p99_ms"], digits=1),
        ratio_row("processor time a webhook, app and Redis, against bare axum", cost(ours), cost(bare), " µs", cost(ours) / cost(bare)),
        ratio_row("processor time a webhook, app and Redis, against Theo's", cost(ours), cost(theo), " µs", cost(ours) / cost(theo)),
    ]


def calls_of(result, app, buyer):
    return median(len(one["calls"]) for one in result["runs"] if (one["app"], one["buyer"]) == (app, buyer))


def burst_ratios(result):
    rows = []
    for buyer, which in (("ada", "a purchase"), ("bob", "the first purchase of a process")):
        ours, theirs = calls_of(result, "unsplit", buyer), calls_of(result, "theo", buyer)
        cells = ratio_row(f"calls to Stripe for {which}, against Theo's", ours, theirs, "", ours / theirs)
        rows.append([*cells[:4], "at most 3 calls", "met" if ours <= 3 else "**missed**"])
    return rows


def prompt_ratios(result):
    rows = []
    for field in ("p50_ms", "p99_ms"):
        ours, theirs = (median(one["stored"][field] for one in result["runs"] if one["app"] == app) for app in ("unsplit", "theo"))
        name = field.removesuffix("_ms")
        rows.append(ratio_row(f"webhook to stored, {name}, against Theo's", ours, theirs, " ms", ours / theirs, digits=1))
    return rows


def memory_ratios(result):
    idle, due = result["idle"], result["due"]
    ours = idle["unsplit"]["app"]
    rows = [
        ratio_row(f"memory of an idle app, against {name}", ours / 1e6, idle[peer]["app"] / 1e6, " MB", ours / idle[peer]["app"])
        for peer, name in (("bare", "bare axum"), ("theo", "Theo's"))
    ]
    many = due["restarted"]["app"]
    rows.append(ratio_row(f"memory of an app with {due['customers']:,} due, against its own when idle", many / 1e6, ours / 1e6, " MB", many / ours))
    return rows


def least_calls(customers):
    """A hundred subscriptions and a hundred customers a call."""
    return customers / 100 + customers / 100


def rebuild_ratios(result):
    total, least = result["total"], least_calls(result["customers"])
    # The last page of each list says that there is no more; the account and the products are asked once.
    row = ratio_row(f"calls to Stripe for a rebuild of {result['customers']:,}, against a hundred a call", total, least, "", total / least)
    return [[*row[:4], "at most 1.00, and a few", "met" if total <= least + 5 else "**missed**"]]


def section(title, stamp, *parts):
    nice = f", and everything measured ran at nice {stamp['nice']}" if stamp.get("nice") else ""
    said = f"{stamp['date']}, commit {stamp['commit']}, {stamp['took']}; the load average before was {stamp['load']}{nice}.\n"
    return "\n".join([f"## {title}\n", said, *parts])


def micros(one):
    return [f"{one[name]:.0f}" for name in ("app_us", "redis_us", "stripe_us", "wrk_us")]


def intake_section(result):
    used = result["settings"]
    rounds = result["rounds"]
    text = (
        f"{used['rounds']} rounds of {used['seconds']} s after {used['warm_up']} s of warm-up, {used['connections']} connections, "
        f"{rounds[0]['bytes']:,} bytes an event, each for another customer; build: {used['profile']}. Processor time is "
        "microseconds a webhook. Stored: customers whose value was in Redis when the load ended; the rest is still on its way.\n"
    )
    head = ["round", "app", "200s a second", "p50 ms", "p99 ms", "refused", "broken", "app µs", "Redis µs", "Stripe µs", "wrk µs", "200s", "stored"]
    rows = [
        [one["round"], one["app"], f"{one['per_second']:,.0f}", f"{one['p50_ms']:.1f}", f"{one['p99_ms']:.1f}", one["refused"],
         one["broken"], *micros(one), f"{one['accepted']:,}", f"{one['stored']:,}"] for one in rounds
    ]
    return section("Webhook intake", result["stamp"], text, table(head, rows), commands(rounds))


def commands(rounds):
    """What Redis did for a webhook, in the last round of each app."""
    last = {one["app"]: one for one in rounds}
    rows = []
    for name, one in last.items():
        for command, (calls, spent) in one["commands"].items():
            if command != "info":
                rows.append([name, command, f"{calls / one['accepted']:.2f}", f"{spent / one['accepted']:.1f}"])
    text = "Redis' commands a webhook, by its own clock (a script's time contains its commands'):\n\n"
    return text + table(["app", "command", "calls", "µs"], rows)


def burst_section(result):
    rows = []
    for one in result["runs"]:
        counts = {call: one["calls"].count(call) for call in one["calls"]}
        which = {"bob": "first", "ada": "second"}[one["buyer"]]
        rows.append([one["app"], which, len(one["calls"]), ", ".join(f"{count} {call}" for call, count in counts.items())])
    events = ", ".join(result["runs"][0]["events"])
    text = f"The {len(result['runs'][0]['events'])} events, over two seconds: {events}. The success page half a second after the first.\n"
    return section("One purchase", result["stamp"], text, table(["app", "purchase of the process", "calls", "which"], rows))


def prompt_section(result):
    cells = lambda part: [f"{part[name]:.1f}" for name in ("p50_ms", "p99_ms", "worst_ms")]
    rows = [[one["app"], *cells(one["answered"]), *cells(one["stored"])] for one in result["runs"]]
    used = result["settings"]
    text = f"{used['prompt_events']} events, {used['prompt_rate']:g} a second, one after the other, each for another customer.\n"
    head = ["app", "answered p50 ms", "p99", "worst", "stored p50 ms", "p99", "worst"]
    return section("From webhook to stored", result["stamp"], text, table(head, rows))


def memory_section(result):
    idle = [[name, mb(one["app"]), mb(one["redis"]), ""] for name, one in result["idle"].items()]
    due = result["due"]
    names = {"before": "Unsplit before", "filled": f"Unsplit just after {due['customers']:,} webhooks and more", "restarted": "Unsplit, restarted, all still due"}
    rows = [[text, mb(due[name]["app"]), mb(due[name]["redis"]), mb(due[name]["redis_used"])] for name, text in names.items()]
    each = (due["restarted"]["redis_used"] - due["before"]["redis_used"]) / due["customers"]
    tail = f"\nA customer that is due takes {each:.0f} bytes of Redis.\n"
    return section("Memory", result["stamp"], table(["", "app resident", "Redis resident", "Redis used"], idle + rows), tail)


def rebuild_section(result):
    rows = [[call, count] for call, count in sorted(result["calls"].items())]
    count, least = result["customers"], least_calls(10_000_000)
    text = (
        f"{count:,} customers with a subscription each: {result['total']:,} calls in {result['seconds']:.0f} s "
        f"({count / result['seconds']:,.0f} customers a second), {result['values']:,} values and {result['bindings']:,} bindings in Redis, "
        f"{result['redis_seconds']:.1f} s of Redis' processor.\n"
    )
    paper = (
        f"\nOn paper, 10 million customers: {least:,.0f} calls. Stripe's default limit is 25 a second and endpoint, so the two lists, "
        f"one after the other, take at least {least / 25 / 3600:.1f} h, and {least / 50 / 3600:.1f} h if they went side by side; at the "
        f"rate measured here {10_000_000 / count * result['seconds'] / 3600:.1f} h.\n"
    )
    said = "\nIt said:\n\n" + "\n".join(f"    {line}" for line in result["said"]) + "\n"
    return section("Rebuild", result["stamp"], text, table(["call", "times"], rows), paper, said)


def scaling_section(result):
    base = next(iter(result["shapes"].values()))
    rows = [
        [shape, f"{one['per_second']:,.0f}", f"{one['per_second'] / base['per_second']:.2f}", f"{one['p99_ms']:.1f}", f"{one['app_us']:.0f}",
         f"{one['redis_us']:.0f}", f"{100 * one['busiest_node']:.0f} %"] for shape, one in result["shapes"].items()
    ]
    head = ["shape", "200s a second", "ratio", "p99 ms", "app µs", "Redis µs", "busiest node's share"]
    unable = "".join(f"\n{shape}: not measured ({why.strip().splitlines()[-1]}).\n" for shape, why in result["unable"].items())
    return section("Growing", result["stamp"], table(head, rows), unable, on_paper(result["shapes"]))


def on_paper(shapes):
    """What the processor time per webhook would allow where the cores are there."""
    one = next(iter(shapes.values()))
    app, redis = 1e6 / one["app_us"], 1e6 / one["redis_us"]
    text = (
        f"\nOn paper, from the processor time of the first row: a core of app takes {app:,.0f} webhooks a second, a Redis node "
        f"(one core, as Redis is) {redis:,.0f}; so a node serves {redis / app:.1f} cores of app before it is full.\n"
    )
    spread = next((shape for name, shape in shapes.items() if "6 shards" in name), None)
    if spread:
        node = 1e6 / (spread["redis_us"] * spread["busiest_node"])
        text += f"With 6 shards on three nodes the busiest node has {100 * spread['busiest_node']:.0f} % of the work: the cluster is full at {node:,.0f} a second.\n"
    return text


def emulator_median(result, name, *path):
    def number(one):
        for key in path:
            one = one[key]
        return one
    return median(number(one) for one in result["rounds"] if one["name"] == name)


def emulator_ratios(result):
    def row(what, unit, path, goal=None, digits=0):
        ours, theirs = (emulator_median(result, name, *path) for name in ("emulator", "localstripe"))
        return ratio_row(f"emulator: {what}, against localstripe", ours, theirs, unit, ours / theirs, goal, digits=digits)
    return [
        row("customers made a second", "/s", ("create", "per_second"), 10),
        row("lists of subscriptions a second", "/s", ("list", "per_second"), 10),
        row("purchases a second, one after the other", "/s", ("purchases",), 10),
        row("p99 of making customers", " ms", ("create", "p99_ms"), digits=1),
        row("start, to the first product sold", " ms", ("start_ms",)),
    ]


def emulator_section(result):
    rows = [
        [one["round"], one["name"], f"{one['create']['per_second']:,.0f}", f"{one['create']['p99_ms']:.1f}", f"{one['list']['per_second']:,.0f}",
         f"{one['list']['p99_ms']:.1f}", f"{one['purchases']:,.0f}", f"{one['start_ms']:.0f}", mb(one["rss"])] for one in result["rounds"]
    ]
    head = ["round", "server", "creates a second", "p99 ms", "lists a second", "p99 ms", "purchases a second", "start ms", "resident"]
    year = result["year"]
    text = (
        f"\nA year of {year['subscribers']} monthly subscribers: {year['renewals']:,} renewals with {year['events']:,} events in "
        f"{year['seconds']:.2f} s, {year['renewals'] / year['seconds']:,.0f} renewals a second; {mb(year['rss'])} resident afterwards.\n"
    )
    stateless = result.get("stateless")
    if stateless:
        text += (
            f"\nStripe's sample objects without state: {stateless['create']['per_second']:,.0f} creates and "
            f"{stateless['list']['per_second']:,.0f} lists a second.\n"
        )
    return section("The emulator", result["stamp"], table(head, rows), text)


RATIOS = {
    "intake": intake_ratios, "burst": burst_ratios, "prompt": prompt_ratios, "memory": memory_ratios, "rebuild": rebuild_ratios,
    "emulator": emulator_ratios,
}
SECTIONS = {
    "intake": intake_section, "burst": burst_section, "prompt": prompt_section, "memory": memory_section,
    "rebuild": rebuild_section, "scaling": scaling_section,
    "emulator": emulator_section,
}
