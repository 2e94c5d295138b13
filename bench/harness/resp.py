"""The least of a Redis client: commands, pipelines, INFO. One connection, one thread."""

import socket


class RedisError(Exception):
    """An error that Redis answered."""


class Redis:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def __call__(self, *words):
        """One command; an error is raised."""
        return self.pipeline([words])[0]

    def pipeline(self, commands):
        """Several commands in one write; their answers in order."""
        self.socket.sendall(b"".join(encode(words) for words in commands))
        return [self._read() for _ in commands]

    def info(self, section):
        """INFO as a dict of text."""
        return self.info_of("INFO", section)

    def info_of(self, *words):
        """A command that answers as INFO does."""
        lines = self(*words).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def keys(self, pattern):
        """By SCAN, so that a full Redis goes on answering."""
        cursor, found = "0", set()
        while True:
            cursor, some = self("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            found.update(some)
            if cursor == "0":
                return found

    def close(self):
        self.reader.close()
        self.socket.close()

    def _read(self):
        line = self.reader.readline()
        if not line:
            raise ConnectionError("Redis has closed the connection")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"+":
            return rest
        if kind == b"-":
            raise RedisError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            length = int(rest)
            return None if length < 0 else self.reader.read(length + 2)[:-2].decode()
        return [self._read() for _ in range(int(rest))]


def encode(words):
    parts = [str(word).encode() for word in words]
    return b"".join([b"*%d\r\n" % len(parts)] + [b"$%d\r\n%s\r\n" % (len(part), part) for part in parts])
