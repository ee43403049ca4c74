"""The old server of the format share, for the directory that it runs in: python3 share_server.py [PAUSE_SECONDS]

It prints its port, serves one client after the other, and logs each request. The pause stands between `pass` and the
file; the old server leaves none.
"""
import os
import socket
import sys
import time

PIECE_BYTES = 33554432
CANCEL_SECONDS = 0.05  # about a second in the old one


def answer(conn, pause):
    request = conn.recv(32).decode("utf-8")
    command, _, name = request.partition(",")
    print(request, flush=True)
    if command == "list":
        conn.sendall("".join(f"{entry}, " for entry in sorted(os.listdir("."))).encode("utf-8"))
    elif command == "get" and os.path.isfile(name):
        conn.sendall(b"pass")
        time.sleep(pause)
        with open(name, "rb") as file:
            piece = file.read(PIECE_BYTES)
            while piece:
                conn.sendall(piece)
                piece = file.read(PIECE_BYTES)
        conn.shutdown(socket.SHUT_RDWR)
    elif command == "put" and not os.path.exists(name):
        conn.sendall(b"pass")
        with open(name, "wb") as file:
            piece = conn.recv(PIECE_BYTES)
            while piece:
                file.write(piece)
                piece = conn.recv(PIECE_BYTES)
    else:
        conn.sendall(b"cancel")
        time.sleep(CANCEL_SECONDS)


def main(pause="0"):
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        conn, _ = listener.accept()
        with conn:
            try:
                answer(conn, float(pause))
            except OSError as error:
                print(error, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
