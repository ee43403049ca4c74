"""An upload of the format share that stops in its middle: python3 half_put.py HOST PORT NAME reset|end"""
import socket
import struct
import sys


def main(host, port, name, end):
    conn = socket.create_connection((host, int(port)))
    conn.send(f"put,{name}".encode("utf-8"))
    print(conn.recv(32).decode("utf-8"))
    conn.sendall(b"half of it")
    if end == "reset":
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
        return
    conn.shutdown(socket.SHUT_WR)
    conn.recv(1)
    conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
