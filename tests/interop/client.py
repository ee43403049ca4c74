"""A client of `app serve`, written from protocol/README.md alone; words in quotes are its sections.
Usage: client.py HOST PORT list [DIR] | get NAME PATH | put PATH NAME [--stop-after BYTES]
A get that broke off leaves PATH.part, from which the next one goes on; --stop-after breaks off a put, for the tests."""
import hashlib, os, socket, sys, zlib
BLOCK, DATA_MAX = 1_048_576, 262_144
HELLO, PING, PONG, GOODBYE, CANCEL, DONE, ERROR = range(0x01, 0x08)
GET, OFFER, ACCEPT, DIGESTS, FROM, DATA, END, STORED, *_, LIST, ENTRIES = range(0x10, 0x22)

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

def text(body, number):
    """"Names": a text from the peer, escaped before it is shown."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in dict(fields(body)).get(number, b"").decode())

class Session:
    def __init__(self, host, port, mine=b"APP/1 agent=python/1.0"):
        """"The opening": a line from each side; then `hello` with both."""
        self.socket = socket.create_connection((host, port), timeout=30)
        self.input = self.socket.makefile("rb")
        self.socket.sendall(mine + b"\n")
        theirs = self.input.readline(1024).rstrip(b"\n")
        abilities = dict(word.partition(b"=")[::2] for word in theirs.split(b" "))
        if b"APP/1" not in abilities or b"refused" in abilities: sys.exit(f"error 0 the server says {theirs}")
        self.data_max = min(DATA_MAX, int(abilities.get(b"data-max", DATA_MAX)))
        self.send(HELLO, field(1, mine) + field(2, theirs))
    def send(self, kind, body=b""):
        """"Frames": sends one."""
        head = len(body).to_bytes(3, "big") + bytes([kind])
        frame = head + bytes([head[0] ^ head[1] ^ head[2] ^ head[3] ^ 0xA5]) + body
        self.socket.sendall(frame + zlib.crc32(frame).to_bytes(4, "big"))
    def expect(self, *kinds):
        """"Frames", "A session": the next message of these types, as type and body; answers pings on the way."""
        while True:
            head = self.input.read(5)
            if len(head) < 5 or head[0] ^ head[1] ^ head[2] ^ head[3] ^ head[4] != 0xA5: self.end(2, "no frame came")
            body, crc = self.input.read(int.from_bytes(head[:3], "big")), self.input.read(4)
            if zlib.crc32(head + body).to_bytes(4, "big") != crc: self.end(2, "a frame has a wrong CRC")
            if head[3] in kinds: return head[3], body
            if head[3] == ERROR and kinds[0] in (ACCEPT, DIGESTS): self.send(CANCEL)  # the last word of a sender
            if head[3] == ERROR: self.send(GOODBYE)
            if head[3] in (ERROR, GOODBYE): sys.exit(f"error {uint(body, 1)} {text(body, 2)}")
            if head[3] == PING: self.send(PONG, body)
            elif head[3] < 0x80: self.end(3, f"message {head[3]} came out of order")
    def end(self, code, text):
        """"A session": with the code of an error, `goodbye` says why this side closes."""
        self.send(GOODBYE, field(1, code) + field(2, text.encode()))
        sys.exit(f"error {code} {text}")

def list_directory(session, name=""):
    """"A session": a request and its reply."""
    session.send(LIST, field(1, name.encode()))
    while (message := session.expect(ENTRIES, DONE))[0] == ENTRIES:
        for _, entry in fields(message[1]):
            print(["file", "directory", "other"][uint(entry, 2)], uint(entry, 3), uint(entry, 4), text(entry, 1))

def digests(file, blocks):
    """"Transfers", step 2: the digests of the first blocks of a file."""
    file.seek(0)
    return (hashlib.blake2b(file.read(BLOCK)).digest()[:16] for _ in range(blocks))

def totals(file):
    """"Transfers", steps 5 and 6: size and CRC-32 of the whole file, as in `end` and `stored`."""
    crc = file.seek(0)
    while piece := file.read(BLOCK): crc = zlib.crc32(piece, crc)
    return field(1, file.tell()) + field(2, crc)

def get(session, name, path):
    """"Transfers": what the receiver does, after a `get` that is not eager."""
    session.send(GET, field(1, name.encode()))
    offer = session.expect(OFFER)[1]
    with open(path + ".part", "a+b") as file:
        blocks = min(file.tell(), uint(offer, 2)) // BLOCK
        session.send(ACCEPT, field(1, blocks))
        for digest in digests(file, blocks): session.send(DIGESTS, field(1, digest))
        offset = file.truncate(uint(session.expect(FROM)[1], 1))
        while (message := session.expect(DATA, END))[0] == DATA: file.write(message[1])
        if not message[1].startswith(stored := totals(file)): session.end(41, "size or CRC-32 differ")
        os.utime(file.name, ns=(uint(offer, 3) * 10**6,) * 2)
        os.fsync(file.fileno())
    os.replace(file.name, path)
    session.send(STORED, stored)
    print("stored", uint(stored, 1), "resumed", offset)

def put(session, path, name, _option="", stop_after="inf"):
    """"Transfers": what the sender does, with an `offer` that is not eager."""
    with open(path, "rb") as file:
        info = os.fstat(file.fileno())
        session.send(OFFER, field(1, name.encode()) + field(2, info.st_size) + field(3, info.st_mtime_ns // 10**6))
        blocks, theirs = uint(session.expect(ACCEPT)[1], 1), b""
        while len(theirs) < 16 * blocks: theirs += dict(fields(session.expect(DIGESTS)[1]))[1]
        offset = file.seek(len(os.path.commonprefix([theirs, b"".join(digests(file, blocks))])) // 16 * BLOCK)
        session.send(FROM, field(1, offset))
        while piece := file.read(session.data_max):
            session.send(DATA, piece)
            if file.tell() - offset >= float(stop_after): os._exit(1)
        session.send(END, end := totals(file))
    if not session.expect(STORED)[1].startswith(end): sys.exit("error 41 the server stored something else")
    print("stored", uint(end, 1), "resumed", offset)

if __name__ == "__main__":
    try:
        session = Session(*sys.argv[1:3])
        {"list": list_directory, "get": get, "put": put}[sys.argv[3]](session, *sys.argv[4:])
        session.send(GOODBYE)
    except OSError as problem:
        sys.exit(f"error {problem}")
