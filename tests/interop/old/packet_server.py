"""A stand-in for the old server of the format `packet`, with its habits: one recv of 1,024 bytes for each request.

    packet_server.py [PAUSE_SECONDS]

Prints the port that it listens on, and serves one connection after the other. With a pause, each answer is sent byte by
byte, so long after one another.
"""
import socket
import sys
import time
import zlib

COUNTRIES = {"France": ("Paris", "68287487"), "Antigua": ("?", "0")}
PAUSE = float(sys.argv[1]) if len(sys.argv) > 1 else 0


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
        for piece in [sent[at:at + 1] for at in range(len(sent))] if PAUSE else [sent]:
            connection.sendall(piece)
            time.sleep(PAUSE)


with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            serve(connection)
