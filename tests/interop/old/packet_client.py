"""A stand-in for the old client of the format `packet`, with its habits: one recv of 1,024 bytes for each answer.

    packet_client.py ADDRESS PORT

Reads commands from stdin, one a line, as a person would type them: COMMANDS, GET_CITY France, GET_POPULATION France,
ADD_NEW_COUNTRY Country,Capital, HEART, STOP. Prints what the server answered.
"""
import socket
import sys
import zlib

LETTERS = {"GET_CITY": "c", "GET_POPULATION": "p", "ADD_NEW_COUNTRY": "a", "HEART": "h"}


def ask(connection, letter, contents):
    connection.sendall(zlib.compress(f"{letter}|{contents}".encode()))
    received = connection.recv(1024)
    text = zlib.decompress(received).decode()
    return text.split("|")[1]


with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20) as connection:
    for line in sys.stdin:
        word, _, contents = line.rstrip("\n").partition(" ")
        if word == "STOP":
            break
        if word == "COMMANDS":
            print(", ".join([*LETTERS, "STOP"]))
        else:
            print(ask(connection, LETTERS.get(word, "x"), contents), flush=True)
