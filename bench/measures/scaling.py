"""How intake grows: with processes on one Redis, and with the nodes of a Redis Cluster."""

from statistics import median

from harness import load
from harness.events import template
from harness.stage import Stage

# Name: processes, Redis nodes, shards of the queue.
SHAPES = {
    "1 process, 1 Redis": (1, 1, 1),
    "2 processes, 1 Redis": (2, 1, 1),
    "1 process, cluster of 3, 1 shard": (1, 3, 1),
    "1 process, cluster of 3, 6 shards": (1, 3, 6),
    "2 processes, cluster of 3, 6 shards": (2, 3, 6),
}


def one_round(shape, settings):
    processes, nodes, shards = SHAPES[shape]
    count, warm = settings.events, settings.events // 4
    with Stage(settings.profile, customers=count + warm, nodes=nodes, shards=shards) as stage:
        apps = [stage.start("unsplit") for _ in range(processes)]
        urls, text = [app.webhook for app in apps], template(stage)
        load.run(urls, stage, text, count, warm, settings.warm_up, settings.connections)
        apps_before, redis_before = cpu(apps), [node.cpu() for node in stage.nodes]
        result = load.run(urls, stage, text, 0, count, settings.seconds, settings.connections)
        accepted = max(1, result["accepted"])
        spent = [node.cpu() - before for node, before in zip(stage.nodes, redis_before)]
        return {
            "shape": shape, **result, "app_us": 1e6 * (cpu(apps) - apps_before) / accepted,
            "redis_us": 1e6 * sum(spent) / accepted, "busiest_node": max(spent) / max(1e-9, sum(spent)),
        }


def cpu(apps):
    return sum(app.cpu() for app in apps)


def measure(settings):
    rounds, unable = [], {}
    for number in range(settings.rounds):
        for shape in SHAPES:
            if shape in unable:
                continue
            try:
                rounds.append({"round": number + 1, **one_round(shape, settings)})
                settings.say(f"{shape}: {rounds[-1]['per_second']:.0f}/s")
            except SystemExit as error:
                unable[shape] = str(error)
                settings.say(f"{shape}: {error}")
    fields = ["per_second", "p99_ms", "app_us", "redis_us", "busiest_node", "refused"]
    of = lambda shape: [one for one in rounds if one["shape"] == shape]
    shapes = {
        shape: {field: median(one[field] for one in of(shape)) for field in fields} for shape in SHAPES if of(shape)
    }
    return {"rounds": rounds, "shapes": shapes, "unable": unable}
