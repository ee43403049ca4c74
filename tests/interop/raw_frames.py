"""What the scripts of raw_frames_test.ts begin with: client.py, and the server's messages in words."""
from client import *

def start(kind=Session, **options):
    """A session with the server under test, which has 4 s for each of its answers."""
    session = kind("127.0.0.1", sys.argv[1], **options)
    session.socket.settimeout(4)
    return session

def hear(session, *last):
    """Prints the messages up to one of the types `last`, or to the end of the connection."""
    while (message := session.expect(*range(0x100)))[0] not in last:
        print(say(*message), end=", ")
    print(say(*message))

def hear_end(session):
    """Prints what comes before the server closes, which it does by itself."""
    rest = session.input.read()
    print(f"{len(rest)} bytes, closed")

def say(kind, body):
    words = {PONG: "pong", GOODBYE: "goodbye", CANCEL: "cancel", DONE: "done", ERROR: "error", OFFER: "offer",
             ACCEPT: "accept", DATA: "data", END: "end", STORED: "stored", ENTRIES: "entries"}
    return f"{words[kind]} {uint(body, 1)}" if kind in (PONG, GOODBYE, ERROR, ACCEPT) else words[kind]

def offer(name, *more):
    """The body of an offer of 5 bytes."""
    return field(1, name) + field(2, 5) + field(3, 1000) + b"".join(more)

EAGER_GET, EAGER_OFFER = field(2, b""), field(4, b"")
