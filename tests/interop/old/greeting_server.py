"""The old server of the format greeting, written from its document: python3 greeting_server.py [PAUSE_SECONDS]

Its habits: one recv for a greeting, which a regular expression takes apart; its number is 42; it ends at a number below
1 or above 100. With a pause, its answer comes in two pieces. It prints its port, and then what the document says.
"""
import re
import socket
import sys
import time

NAME, NUMBER = "Ethan Iwama", 42


def answer(conn, pause):
    name, text = re.match(r"Client of (.*): (.*)", conn.recv(1024).decode()).groups()
    number = int(text)
    print(f"{name} has connected to Server of {NAME}", flush=True)
    print(f"{number} {NUMBER} {number + NUMBER}", flush=True)
    is_closing = number < 1 or number > 100
    reply = f"Server of {NAME}: {NUMBER}" + ("\nServer closing..." if is_closing else "")
    half = len(reply) // 2 if pause else 0
    conn.sendall(reply[:half].encode())
    time.sleep(pause)
    conn.sendall(reply[half:].encode())
    return is_closing


def main(pause="0"):
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    is_closing = False
    while not is_closing:
        conn, _ = listener.accept()
        with conn:
            is_closing = answer(conn, float(pause))


if __name__ == "__main__":
    main(*sys.argv[1:])
