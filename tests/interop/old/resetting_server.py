"""A server of the format share that resets every transfer in its middle: python3 resetting_server.py [PAUSE_SECONDS]

The pause comes before the reset.
"""
import socket
import struct
import sys
import time


def main(pause="0"):
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    while True:
        conn, _ = listener.accept()
        print(conn.recv(32).decode("utf-8"), flush=True)
        conn.sendall(b"passhalf of it")
        time.sleep(float(pause))
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
