#!/usr/bin/env python3
"""A client of `app serve`, written from protocol/README.md alone; the words in quotes are its sections.

    client.py HOST PORT list [DIR] | get NAME PATH | put PATH NAME [--stop-after BYTES]

A get that broke off leaves PATH.part, from which the next one goes on. --stop-after breaks off a put, for the tests.
"""
import contextlib, hashlib, os, socket, sys, zlib

BLOCK, DATA_MAX = 1_048_576, 262_144
HELLO, PING, PONG, GOODBYE, CANCEL, DONE, ERROR = range(0x01, 0x08)
GET, OFFER, ACCEPT, DIGESTS, FROM, DATA, END, STORED = range(0x10, 0x18)
LIST, ENTRIES = 0x20, 0x21

class Failed(Exception):
    """"Errors": the number of a code, and a text."""

def field(number, value):
    """"Fields": one of a number, a text or bytes; a flag is b""."""
    if isinstance(value, int): value = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    if isinstance(value, str): value = value.encode()
    return bytes([number]) + len(value).to_bytes(2, "big") + value

def fields(body):
    """"Fields": the ids and values in the body of a message, or in a record."""
    while body:
        end = 3 + int.from_bytes(body[1:3], "big")
        yield body[0], body[3:end]
        body = body[end:]

def uint(body, number):
    """"Fields": the number in a field; 0 when it is absent."""
    return int.from_bytes(dict(fields(body)).get(number, b""), "big")

def text(body, number):
    """"Names": a text from the peer, escaped before it is shown."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in dict(fields(body)).get(number, b"").decode())

class Session:
    """"A session": a connection after both opening lines."""
    opening = b"APP/1 agent=python/1.0"

    def __init__(self, host, port):
        """"The opening": a line from each side; then `hello` with both."""
        self.socket = socket.create_connection((host, port), timeout=30)
        self.socket.sendall(self.opening + b"\n")
        self.input = self.socket.makefile("rb")
        theirs = self.input.readline(1024).rstrip(b"\n")
        abilities = dict(word.partition(b"=")[::2] for word in theirs.split(b" "))
        if b"APP/1" not in abilities or b"refused" in abilities: raise Failed(0, f"the server says {theirs}")
        self.data_max = min(DATA_MAX, int(abilities.get(b"data-max", DATA_MAX)))
        self.send(HELLO, field(1, self.opening) + field(2, theirs))

    def send(self, kind, body=b""):
        """"Frames": sends one; if that fails, a `goodbye` may say why."""
        head = len(body).to_bytes(3, "big") + bytes([kind])
        frame = head + bytes([head[0] ^ head[1] ^ head[2] ^ head[3] ^ 0xA5]) + body
        try: self.socket.sendall(frame + zlib.crc32(frame).to_bytes(4, "big"))
        except ConnectionError: self.expect()

    def receive(self):
        """"Frames": the type and the body of the next one."""
        head = self.input.read(5)
        if len(head) < 5: raise Failed(2, "the connection ended")
        if head[0] ^ head[1] ^ head[2] ^ head[3] ^ 0xA5 != head[4]: raise Failed(2, "a frame has a wrong check")
        body, crc = self.input.read(int.from_bytes(head[:3], "big")), self.input.read(4)
        if zlib.crc32(head + body).to_bytes(4, "big") != crc: raise Failed(2, "a frame has a wrong CRC")
        return head[3], body

    def expect(self, *kinds):
        """"Messages": the next one, which is of these types; passes over what may come anytime."""
        while (message := self.receive())[0] not in kinds:
            kind, body = message
            if kind == PING: self.send(PONG, body)
            elif kind in (ERROR, GOODBYE): raise Failed(uint(body, 1), text(body, 2))
            elif kind != PONG and kind < 0x80: raise Failed(3, f"message 0x{kind:02x} came out of order")
        return message

def list_directory(session, name=""):
    """"A session": a request, and its reply: `entries`, then `done`."""
    session.send(LIST, field(1, name))
    while (message := session.expect(ENTRIES, DONE))[0] == ENTRIES:
        for _, entry in fields(message[1]):
            print(["file", "directory", "other"][uint(entry, 2)], uint(entry, 3), uint(entry, 4), text(entry, 1))

def digests(file, blocks):
    """"Transfers", step 2: the digests of so many blocks."""
    return b"".join(hashlib.blake2b(file.read(BLOCK)).digest()[:16] for _ in range(blocks))

def checksum(file):
    """"Transfers", step 5: size and CRC-32 of the whole file, the resumed part included."""
    crc = file.seek(0)
    while piece := file.read(BLOCK): crc = zlib.crc32(piece, crc)
    return file.tell(), crc

def get(session, name, path):
    """"The client gets": the receiver's part in "Transfers"."""
    part, offset = path + ".part", 0
    held = os.path.getsize(part) // BLOCK if os.path.exists(part) else 0
    session.send(GET, field(1, name) + (b"" if held else field(2, b"")))
    offer = session.expect(OFFER)[1]
    with open(part, "r+b" if held else "w+b") as file:
        if 4 not in dict(fields(offer)):
            blocks = min(held, uint(offer, 2) // BLOCK)
            session.send(ACCEPT, field(1, blocks))
            proof = digests(file, blocks)
            for at in range(0, len(proof), 16): session.send(DIGESTS, field(1, proof[at:at + 16]))
            offset = uint(session.expect(FROM)[1], 1)
        file.truncate(file.seek(offset))
        while (message := session.expect(DATA, END))[0] == DATA: file.write(message[1])
        size, crc = checksum(file)
        if (uint(message[1], 1), uint(message[1], 2)) != (size, crc):
            session.send(ERROR, field(1, 41) + field(2, "size or CRC-32 differ"))
            raise Failed(41, "size or CRC-32 differ")
        os.utime(part, ns=(uint(offer, 3) * 10**6,) * 2)
        os.fsync(file.fileno())
    os.replace(part, path)
    session.send(STORED, field(1, size) + field(2, crc))
    print("stored", size, crc, "resumed", offset)

def put(session, path, name, _option="", stop_after="inf"):
    """"The client puts": the sender's part in "Transfers"."""
    with open(path, "rb") as file:
        info, offset = os.fstat(file.fileno()), 0
        eager = info.st_size < BLOCK
        offer = field(1, name) + field(2, info.st_size) + field(3, info.st_mtime_ns // 10**6)
        session.send(OFFER, offer + (field(4, b"") if eager else b""))
        if not eager:
            blocks, proof = uint(session.expect(ACCEPT)[1], 1), b""
            while len(proof) < 16 * blocks: proof += dict(fields(session.expect(DIGESTS)[1]))[1]
            offset = len(os.path.commonprefix([proof, digests(file, blocks)])) // 16 * BLOCK
            session.send(FROM, field(1, offset))
        file.seek(offset)
        while piece := file.read(session.data_max):
            session.send(DATA, piece)
            if file.tell() - offset >= float(stop_after): os._exit(137)
        size, crc = checksum(file)
    session.send(END, field(1, size) + field(2, crc))
    stored = session.expect(STORED)[1]
    if (uint(stored, 1), uint(stored, 2)) != (size, crc): raise Failed(41, "the server stored something else")
    print("stored", size, crc, "resumed", offset)

def main(host, port, command, *arguments):
    """"A session": one request, then `goodbye`, which is also the last word of a transfer that failed."""
    session, goodbye = None, b""
    try:
        session = Session(host, int(port))
        {"list": list_directory, "get": get, "put": put}[command](session, *arguments)
    except (Failed, OSError) as problem:
        print("error", *(problem.args if isinstance(problem, Failed) else (50, problem)))
        return 1
    finally:
        with contextlib.suppress(OSError, Failed, AttributeError): session.send(GOODBYE)

if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.exit(main(*sys.argv[1:]))
