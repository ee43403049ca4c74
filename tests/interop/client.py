#!/usr/bin/env python3
"""A client of `app serve`, written from protocol/README.md alone; the words in quotes are its sections.

    client.py HOST PORT list [DIR] | get NAME PATH | put PATH NAME [--stop-after BYTES]

A get that breaks off leaves PATH.part, from which the next one goes on; --stop-after breaks a put off, for tests.
"""
import contextlib, hashlib, os, socket, sys, zlib

BLOCK, DATA_MAX = 1_048_576, 262_144
HELLO, PING, PONG, GOODBYE, CANCEL, DONE, ERROR = range(0x01, 0x08)
GET, OFFER, ACCEPT, DIGESTS, FROM, DATA, END, STORED = range(0x10, 0x18)
LIST, ENTRIES = 0x20, 0x21

class Failed(Exception): """An error as in "Errors": the number of its code, and a text."""
class Ended(Failed): """An error after which the connection is of no more use."""

def pack(values):
    """"Fields": {id: value} as bytes; True is a flag that is there, False one that is absent."""
    body = b""
    for number, value in values.items():
        if value is False: continue
        if value is True: value = b""
        if isinstance(value, str): value = value.encode()
        if isinstance(value, int): value = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
        body += bytes([number]) + len(value).to_bytes(2, "big") + value
    return body

def unpack(body):
    """"Fields": bytes as {id: [value, ...]}, since a field may be repeated."""
    values = {}
    while body:
        end = 3 + int.from_bytes(body[1:3], "big")
        values.setdefault(body[0], []).append(body[3:end])
        body = body[end:]
    return values

def uint(values, number, default=0):
    """"Fields": a whole number."""
    return int.from_bytes(values[number][0], "big") if number in values else default

def text(values, number):
    """"Names": a text from the peer, escaped for the terminal."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in values.get(number, [b""])[0].decode())

def digest(block):
    """"Transfers", step 2: the digest of a block."""
    return hashlib.blake2b(block).digest()[:16]

def crc_until(file, offset):
    """"Transfers", step 5: the CRC-32 of what is resumed; the file then stands at `offset`."""
    file.seek(0)
    crc = 0
    for _ in range(offset // BLOCK): crc = zlib.crc32(file.read(BLOCK), crc)
    return crc

class Session:
    """"A session": a connection after both opening lines."""
    OPENING = b"APP/1 agent=python/1.0"

    def __init__(self, host, port):
        """"The opening": a line from each side, then `hello` with both."""
        self.socket = socket.create_connection((host, port), timeout=30)
        self.input = self.socket.makefile("rb")
        self.socket.sendall(self.OPENING + b"\n")
        theirs = self.input.readline(1024).removesuffix(b"\n")
        first, *abilities = theirs.split(b" ")
        abilities = dict(ability.partition(b"=")[::2] for ability in abilities)
        if first != b"APP/1" or b"refused" in abilities: raise Ended(0, f"the server said {theirs}")
        self.data_max = min(DATA_MAX, int(abilities.get(b"data-max", DATA_MAX)))
        self.send(HELLO, {1: self.OPENING, 2: theirs})

    def send(self, kind, body={}):
        """"Frames": sends one; its body is {id: value}, or bytes as they are."""
        if isinstance(body, dict): body = pack(body)
        head = len(body).to_bytes(3, "big") + bytes([kind])
        frame = head + bytes([head[0] ^ head[1] ^ head[2] ^ head[3] ^ 0xA5]) + body
        self.socket.sendall(frame + zlib.crc32(frame).to_bytes(4, "big"))

    def receive(self):
        """"Frames": the next one, as its type and body."""
        head = self.take(5)
        if head[0] ^ head[1] ^ head[2] ^ head[3] ^ 0xA5 != head[4]: self.end(2, "a frame has a wrong check")
        body = self.take(int.from_bytes(head[:3], "big"))
        if zlib.crc32(head + body) != int.from_bytes(self.take(4), "big"): self.end(2, "a frame has a wrong CRC")
        return head[3], body

    def take(self, count):
        """The next `count` bytes."""
        taken = self.input.read(count)
        if len(taken) < count: raise Ended(2, "the connection ended")
        return taken

    def end(self, code, text):
        """"A session": errors that make the connection unusable come in `goodbye`."""
        self.send(GOODBYE, {1: code, 2: text})
        raise Ended(code, text)

    def expect(self, *kinds):
        """"A session": the next message, which must be one of `kinds`, as its type and fields; answers pings."""
        while True:
            kind, body = self.receive()
            if kind == DATA in kinds: return kind, body
