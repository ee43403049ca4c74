"""The old server of the format image, for the directory that it runs in: python3 image_server.py [PAUSE_SECONDS]

It prints its port, serves one client after the other, and logs each name.
"""
import os
import socket
import sys
import time

BUFFER_BYTES = 1024


def answer(conn, pause):
    name = conn.recv(BUFFER_BYTES).decode("utf-8")
    print(name, flush=True)
    if not os.path.isfile(name):
        conn.sendall(b"file-doesn't-exist")
        return
    conn.sendall(b"file-exists")
    time.sleep(pause)
    with open(name, "rb") as file:
        piece = file.read(BUFFER_BYTES)
        while piece:
            conn.sendall(piece)
            piece = file.read(BUFFER_BYTES)
    conn.shutdown(socket.SHUT_WR)


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
