#!/usr/bin/env python3
"""A client of `app serve`, in Python's standard library alone, written from protocol/README.md and nothing else.

    client.py HOST PORT list [DIR] | get NAME PATH | put PATH NAME [--stop-after BYTES]

A get that breaks off leaves PATH.part, from which the next one goes on. --stop-after ends a put by SIGKILL.
"""
import contextlib, hashlib, os, select, signal, socket, sys, time, zlib

BLOCK, FRAME = 1 << 20, 1 << 18
HELLO, PING, PONG, GOODBYE, CANCEL, DONE, ERROR = range(0x01, 0x08)
GET, OFFER, ACCEPT, DIGESTS, FROM, DATA, END, STORED = range(0x10, 0x18)
LIST, ENTRIES = 0x20, 0x21

class Failed(Exception):
    def __init__(self, code, text):
        super().__init__(f"error {code} {text}")
        self.code, self.ends_connection = code, code in (1, 2, 3, 4, 5, 51, 52)

def pack(values):
    """{id: value} as fields, in the order given; None and False are left out."""
    body = b""
    for number, value in values.items():
        if value is None or value is False: continue
        if value is True: value = b""
        if isinstance(value, str): value = value.encode()
        if isinstance(value, int): value = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
        body += bytes([number]) + len(value).to_bytes(2, "big") + value
    return body

def unpack(body):
    """Fields as {id: [value, ...]}."""
    values, at = {}, 0
    while at < len(body):
        end = at + 3 + int.from_bytes(body[at + 1:at + 3], "big")
        if end > len(body) or at + 3 > len(body) or body[at] < max(values, default=0):
            raise Failed(1, "malformed fields")
        values.setdefault(body[at], []).append(body[at + 3:end])
        at = end
    return values

def uint(values, number, default=None):
    return int.from_bytes(values[number][0], "big") if number in values or default is None else default

def text(values, number):
    decoded = values.get(number, [b""])[0].decode()
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in decoded)

class Session:
    def __init__(self, host, port):
        self.socket, self.buffer = socket.create_connection((host, port), 30), bytearray()
        self.sent_at = time.monotonic()
        mine, theirs = b"APP/1 agent=python/1.0 data-max=%d" % FRAME, b""
        self.socket.sendall(mine + b"\n")
        while theirs[-1:] != b"\n": theirs += self.take(1)
        theirs = theirs[:-1]
        words = dict(word.partition(b"=")[::2] for word in theirs.split(b" "))
        if b"APP/1" not in words or b"refused" in words: raise Failed(0, theirs.decode())
        self.data_max = min(FRAME, int(words.get(b"data-max", FRAME)))
        self.send(HELLO, {1: mine, 2: theirs})

    def send(self, kind, body=b""):
        if isinstance(body, dict): body = pack(body)
        head = len(body).to_bytes(3, "big") + bytes([kind])
        frame = head + bytes([head[0] ^ head[1] ^ head[2] ^ head[3] ^ 0xA5]) + body
        self.socket.sendall(frame + zlib.crc32(frame).to_bytes(4, "big"))
        self.sent_at = time.monotonic()

    def take(self, count):
        """The next `count` bytes; pings while it waits, and gives up after 30 s of silence."""
        silent = 0
        while len(self.buffer) < count:
            if not select.select([self.socket], [], [], 5)[0]:
                if (silent := silent + 5) >= 30: raise Failed(52, "the server is silent")
                self.send(PING, {1: silent})
            else:
                silent = 0
                received = self.socket.recv(FRAME)
                if not received: raise Failed(2, "the connection ended")
                self.buffer += received
        taken, self.buffer = bytes(self.buffer[:count]), self.buffer[count:]
        return taken

    def step(self):
        """Reads one frame: (type, fields or data), or None when it wants no more attention."""
        if time.monotonic() - self.sent_at > 5: self.send(PING, {1: 0})
        head = self.take(5)
        length, kind = int.from_bytes(head[:3], "big"), head[3]
        if head[0] ^ head[1] ^ head[2] ^ kind ^ 0xA5 != head[4]: raise Failed(2, "a frame has a wrong check")
        if length > FRAME: raise Failed(4, "a frame is too long")
        body, crc = self.take(length), int.from_bytes(self.take(4), "big")
        if zlib.crc32(head + body) != crc: raise Failed(2, "a frame has a wrong CRC")
        if kind == DATA: return kind, body
        if kind == PONG or kind >= 0x80: return None
        values = unpack(body)
        if kind == GOODBYE: raise Failed(uint(values, 1, 0), text(values, 2))
        if kind != PING: return kind, values
        self.send(PONG, {1: uint(values, 1)})

    def expect(self, *kinds, wait=True, on_error=None):
        """The next message, which must be one of `kinds`. After an `error` instead, `on_error` is the last word."""
        while wait or self.buffer or select.select([self.socket], [], [], 0)[0]:
            if not (message := self.step()): continue
            kind, values = message
            if kind in kinds: return message
            if kind == CANCEL: raise Failed(42, "cancelled")
            if kind != ERROR: raise Failed(3, f"message 0x{kind:02x} came out of order")
            if on_error: self.send(on_error)
            raise Failed(uint(values, 1), text(values, 2))

def list_(session, name=""):
    session.send(LIST, {1: name})
    while (message := session.expect(ENTRIES, DONE))[0] == ENTRIES:
        for entry in map(unpack, message[1].get(1, [])):
            kind = {0: "file", 1: "directory"}.get(uint(entry, 2), "other")
            print(kind, uint(entry, 3, 0), uint(entry, 4, 0), text(entry, 1))

def get(session, name, path):
    part, offset, crcs, digests = path + ".part", 0, [0], b""
    held = os.path.getsize(part) // BLOCK if os.path.exists(part) else 0
    session.send(GET, {1: name, 2: held == 0})
    offer = session.expect(OFFER)[1]
    with open(part, "r+b" if held else "w+b") as file:
        if 4 not in offer:  # it is not eager
            blocks = min(held, uint(offer, 2, 0) // BLOCK)
            for _ in range(blocks):
                block = file.read(BLOCK)
                digests += hashlib.blake2b(block).digest()[:16]
                crcs.append(zlib.crc32(block, crcs[-1]))
            session.send(ACCEPT, {1: blocks})
            size = min(session.data_max - 3, 0xFFFF) // 16 * 16
            for at in range(0, len(digests), size): session.send(DIGESTS, {1: digests[at:at + size]})
            offset = uint(session.expect(FROM)[1], 1)
            if offset % BLOCK or offset > blocks * BLOCK: raise Failed(1, "it goes on behind what was proven")
        file.seek(offset)
        file.truncate()
        crc = crcs[offset // BLOCK]
        while (message := session.expect(DATA, END))[0] == DATA:
            file.write(message[1])
            crc = zlib.crc32(message[1], crc)
        size = file.tell()
        if (uint(message[1], 1), uint(message[1], 2), uint(offer, 2, size)) != (size, crc, size):
            session.send(ERROR, {1: 41, 2: "size or CRC-32 differ"})
            raise Failed(41, "size or CRC-32 differ")
        file.flush()
        os.fsync(file.fileno())
    if 3 in offer: os.utime(part, ns=(uint(offer, 3) * 10**6,) * 2)
    os.replace(part, path)
    session.send(STORED, {1: size, 2: crc})
    print("stored", size, crc, "resumed", offset)

def put(session, path, name, stop_after=None):
    with open(path, "rb") as file:
        info, crc = os.fstat(file.fileno()), 0
        size, eager = info.st_size, info.st_size < BLOCK
        session.send(OFFER, {1: name, 2: size, 3: info.st_mtime_ns // 10**6, 4: eager})
        blocks, digests = 0 if eager else uint(session.expect(ACCEPT)[1], 1), b""
        while len(digests) < 16 * blocks:
            digests += session.expect(DIGESTS, on_error=CANCEL)[1][1][0]
        for at in range(0, len(digests), 16):
            block = file.read(BLOCK)
            if hashlib.blake2b(block).digest()[:16] != digests[at:at + 16]:
                file.seek(at // 16 * BLOCK)
                break
            crc = zlib.crc32(block, crc)
        offset = file.tell()
        if not eager: session.send(FROM, {1: offset})
        while piece := file.read(session.data_max):
            session.send(DATA, piece)
            crc = zlib.crc32(piece, crc)
            if stop_after and file.tell() - offset >= int(stop_after): os.kill(os.getpid(), signal.SIGKILL)
            session.expect(wait=False, on_error=CANCEL)  # nothing but pings, or that the server gives up
        after = os.fstat(file.fileno())
        if (file.tell(), after.st_mtime_ns) != (size, info.st_mtime_ns):
            session.send(ERROR, {1: 40, 2: "the file changed while it was read"})
            raise Failed(40, "the file changed while it was read")
    session.send(END, {1: size, 2: crc})
    stored = session.expect(STORED)[1]
    if (uint(stored, 1), uint(stored, 2)) != (size, crc): raise Failed(41, "the server stored something else")
    print("stored", size, crc, "resumed", offset)

def main(host, port, command, *arguments):
    session, goodbye = None, {}
    arguments = [argument for argument in arguments if argument != "--stop-after"]
    try:
        session = Session(host, int(port))
        {"list": list_, "get": get, "put": put}[command](session, *arguments)
    except (Failed, OSError, KeyError, ValueError) as problem:
        error = problem if isinstance(problem, Failed) else Failed(50 if isinstance(problem, OSError) else 1, problem)
        print(error)
        if error.ends_connection: goodbye = {1: error.code, 2: str(error)}
        return 1
    finally:
        with contextlib.suppress(OSError):
            if session: session.send(GOODBYE, goodbye)

if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main(*sys.argv[1:]))
