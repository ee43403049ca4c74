"""A stand-in for the old server of the format `packet`, with its habits: one recv of 1,024 bytes for each request.

    packet_server.py [SLOWLY]

Prints the port that it listens on, serves one connection after the other, and ends when stdin ends. SLOWLY sends each
answer byte by byte.
"""
import os
import socket
import sys
import threading
import zlib

COUNTRIES = {"France": ("Paris", "68287487"), "Antigua": ("?", "0")}
SLOWLY = len(sys.argv) > 1


def answer(command, contents):
    if command == "c":
        return COUNTRIES[contents][0] if contents in COUNTRIES else "No country found."
    if command == "p":
        return COUNTRIES[contents][1] if contents in COUNTRIES else "No country found"
    if command == "a":
        country, capital = contents.split(",")
        if country in COUNTRIES:
            return "Country already exists"
        COUNTRIES[country] = (capital, "0")
        return f"{country} and {capital} successfully added to database"
    if command == "h":
        return "beat"
    return "Invalid command received by server"


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while received := connection.recv(1024):
        command, contents = zlib.decompress(received).decode().split("|")
        sent = zlib.compress(f"|{answer(command, contents)}".encode())
        for piece in [sent[at:at + 1] for at in range(len(sent))] if SLOWLY else [sent]:
            connection.sendall(piece)


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            serve(connection)
