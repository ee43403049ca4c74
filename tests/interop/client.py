"""A client of `app serve`, written from protocol/README.md alone; the words in quotes are its sections.

Usage: client.py HOST PORT list [DIR] | get NAME PATH | put PATH NAME [--stop-after BYTES]
A get that broke off leaves PATH.part, from which the next one goes on; --stop-after breaks off a put, for the tests.
"""
import hashlib, os, socket, sys, zlib

BLOCK, DATA_MAX = 1_048_576, 262_144
HELLO, PING, PONG, GOODBYE, CANCEL, DONE, ERROR = range(0x01, 0x08)
GET, OFFER, ACCEPT, DIGESTS, FROM, DATA, END, STORED = range(0x10, 0x18)
LIST, ENTRIES = 0x20, 0x21

class Failed(Exception): """"Errors": the number of one, and its text."""

def field(number, value):
    """"Fields": a number, or bytes, as a field."""
    if isinstance(value, int): value = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")
    return bytes([number]) + len(value).to_bytes(2, "big") + value

def fields(body):
    """"Fields": the ids and values in a message or record."""
    while body:
        end = 3 + int.from_bytes(body[1:3], "big")
        yield body[0], body[3:end]
        body = body[end:]

def uint(body, number):
    """"Fields": the number in a field; 0 when it is absent."""
    return int.from_bytes(dict(fields(body)).get(number, b""), "big")

class Session:
    def __init__(self, host, port, mine=b"APP/1 agent=python/1.0"):
        """"The opening": a line from each side; then `hello` with both."""
        self.socket = socket.create_connection((host, port), timeout=30)
        self.input = self.socket.makefile("rb")
        self.socket.sendall(mine + b"\n")
        theirs = self.input.readline(1024).rstrip(b"\n")
        abilities = dict(word.partition(b"=")[::2] for word in theirs.split(b" "))
        if b"APP/1" not in abilities or b"refused" in abilities: raise Failed(0, f"the server says {theirs}")
        self.data_max = min(DATA_MAX, int(abilities.get(b"data-max", DATA_MAX)))
        self.send(HELLO, field(1, mine) + field(2, theirs))

    def send(self, kind, body=b""):
        """"Frames": sends one."""
        head = len(body).to_bytes(3, "big") + bytes([kind])
        frame = head + bytes([head[0] ^ head[1] ^ head[2] ^ head[3] ^ 0xA5]) + body
        self.socket.sendall(frame + zlib.crc32(frame).to_bytes(4, "big"))

    def receive(self):
        """"Frames": the type and body of the next one."""
        head = self.input.read(5)
        if len(head) < 5: raise Failed(2, "the connection ended")
        if head[0] ^ head[1] ^ head[2] ^ head[3] ^ 0xA5 != head[4]: raise Failed(2, "a frame has a wrong check")
        body, crc = self.input.read(int.from_bytes(head[:3], "big")), self.input.read(4)
        if zlib.crc32(head + body).to_bytes(4, "big") != crc: raise Failed(2, "a frame has a wrong CRC")
        return head[3], body

    def expect(self, *kinds):
        """"Messages": the next one that is not for anytime, which must be of these types."""
        while (message := self.receive())[0] not in kinds:
            kind, body = message
            if kind == PING: self.send(PONG, body)
            elif kind in (ERROR, GOODBYE): raise Failed(uint(body, 1), ascii(dict(fields(body)).get(2, b"").decode()))
            elif kind < 0x80: raise Failed(3, f"message {kind} came out of order")
        return message

def list_directory(session, name=""):
    """"A session": a request, and its reply."""
    session.send(LIST, field(1, name.encode()))
    while (message := session.expect(ENTRIES, DONE))[0] == ENTRIES:
        for entry in [dict(fields(record)) for _, record in fields(message[1])]:
            print()

def digests(file, blocks):
    """"Transfers", step 2: the digests of the first blocks of a file."""
    file.seek(0)
    return (hashlib.blake2b(file.read(BLOCK)).digest()[:16] for _ in range(blocks))

def totals(file):
    """"Transfers", step 5: size and CRC-32 of the whole file, as `end` and `stored` have them."""
    crc = file.seek(0)
    while piece := file.read(BLOCK): crc = zlib.crc32(piece, crc)
    return field(1, file.tell()) + field(2, crc)

def get(session, name, path):
    """"Transfers": the receiver's part, of a `get` that is not eager."""
    session.send(GET, field(1, name.encode()))
    offer = session.expect(OFFER)[1]
    with open(path + ".part", "a+b") as file:
        blocks = min(file.tell(), uint(offer, 2)) // BLOCK
        session.send(ACCEPT, field(1, blocks))
        for digest in digests(file, blocks): session.send(DIGESTS, field(1, digest))
        offset = file.truncate(uint(session.expect(FROM)[1], 1))
        while (message := session.expect(DATA, END))[0] == DATA: file.write(message[1])
        stored = totals(file)
        if not message[1].startswith(stored): raise Failed(41, "size or CRC-32 differ")
        os.utime(file.name, ns=(0, uint(offer, 3) * 10**6))
        os.fsync(file.fileno())
    os.replace(file.name, path)
    session.send(STORED, stored)
    return f"stored {file_bytes} resumed {offset}"

def put(session, path, name, _option="", stop_after="inf"):
    """"Transfers": the sender's part, of an `offer` that is not eager."""
    with open(path, "rb") as file:
        info = os.fstat(file.fileno())
        session.send(OFFER, field(1, name.encode()) + field(2, info.st_size) + field(3, info.st_mtime_ns // 10**6))
        blocks, theirs = uint(session.expect(ACCEPT)[1], 1), b""
        while len(theirs) < 16 * blocks: theirs += dict(fields(session.expect(DIGESTS)[1]))[1]
        mine = b"".join(digests(file, blocks))
        offset = file.seek(len(os.path.commonprefix([mine, theirs])) // 16 * BLOCK)
        session.send(FROM, field(1, offset))
        while piece := file.read(session.data_max):
            session.send(DATA, piece)
            if file.tell() - offset >= float(stop_after): os._exit(1)
        end = totals(file)
    session.send(END, end)
    if not session.expect(STORED)[1].startswith(end): raise Failed(41, "the server stored something else")
    return offset
