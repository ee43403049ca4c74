"""The old client of the format share, written from its document: python3 share_client.py HOST PORT get|put|list [NAME]

Its habits: the request goes out in one piece without an end mark, each answer is whatever one recv brings, a file ends
with the stream, and pieces have 33,554,432 bytes.
"""
import os
import socket
import sys

PIECE_BYTES = 33554432


def get(conn, name):
    if os.path.exists(name):
        return "You already have that file"
    conn.send(f"get,{name}".encode("utf-8"))
    code = conn.recv(32)
    if code == b"cancel":
        return "The server cancelled"
    if code != b"pass":
        return f"Not understood: {code!r}"
    with open(name, "wb") as file:
        piece = conn.recv(PIECE_BYTES)
        while piece:
            file.write(piece)
            piece = conn.recv(PIECE_BYTES)
    return "Received"


def put(conn, name):
    conn.send(f"put,{name}".encode("utf-8"))
    code = conn.recv(32)
    if code == b"cancel":
        return "The server cancelled"
    if code != b"pass":
        return f"Not understood: {code!r}"
    with open(name, "rb") as file:
        piece = file.read(PIECE_BYTES)
        while piece:
            conn.sendall(piece)
            piece = file.read(PIECE_BYTES)
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)  # the old one just ends; a test wants to know when the server is done
    return "Sent"


def list_names(conn):
    conn.send(b"list")
    return conn.recv(65536).decode("utf-8")


def main(host, port, command, name=None):
    conn = socket.create_connection((host, int(port)))
    with conn:
        if command == "get":
            return get(conn, name)
        return put(conn, name) if command == "put" else list_names(conn)


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
