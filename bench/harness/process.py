"""A server process: started with a log of its own, awaited, measured through /proc, ended by its id."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def be_nice(nice):
    """This program and what it starts. Linux also weighs whole sessions, where a started process has its own."""
    os.setpriority(os.PRIO_PROCESS, 0, nice)
    weigh_session(os.getpid())


def weigh_session(pid):
    path = Path(f"/proc/{pid}/autogroup")
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    if nice and path.exists():
        path.write_text(str(nice))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A context: `with Process(...)` ends it."""

    def __init__(self, name, command, directory, environment=None):
        self.name = name
        directory.mkdir(parents=True, exist_ok=True)
        self.log = directory / f"{name}-{int(time.time() * 1000)}.log"
        with self.log.open("w") as log:
            self.child = subprocess.Popen(
                [str(word) for word in command], cwd=directory, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, start_new_session=True)
        weigh_session(self.child.pid)

    def await_port(self, port, seconds=30):
        """Until it accepts connections; its log is shown where it ends or never does."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.02)
        self.stop()
        raise SystemExit(f"{self.name} did not start:\n{self.log.read_text()[-2000:]}")

    def cpu(self):
        """Seconds of processor time so far, of it and its children that live."""
        fields = [stat_of(pid) for pid in self._family()]
        return sum(int(one[11]) + int(one[12]) for one in fields if one) / TICKS

    def rss(self):
        """Bytes of memory that it and its children have resident."""
        return sum(resident(pid) for pid in self._family())

    def _family(self):
        found, todo = [], [self.child.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            for path in Path(f"/proc/{pid}/task").glob("*/children"):
                todo.extend(int(word) for word in path.read_text().split())
        return found

    def stop(self, how=signal.SIGTERM):
        """Ends its own process group, whatever it has started."""
        for signal_ in (how, signal.SIGKILL):
            if self.child.poll() is None:
                os.killpg(self.child.pid, signal_)
                try:
                    self.child.wait(10)
                except subprocess.TimeoutExpired:
                    continue

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def stat_of(pid):
    """The fields of /proc/<pid>/stat behind the name, or None where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def resident(pid):
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:")), 0)
