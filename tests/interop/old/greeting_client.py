"""The old client of the format greeting, written from its document: python3 greeting_client.py HOST PORT NAME NUMBER...

Its habits: one send, one recv for the whole answer, and a new connection for each number. It prints what came.
"""
import socket
import sys


def main(host, port, name, *numbers):
    for number in numbers:
        with socket.create_connection((host, int(port))) as conn:
            conn.send(f"Client of {name}: {number}".encode())
            print(conn.recv(1024).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
