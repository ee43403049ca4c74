"""The old client of the format image, written from its document: python3 image_client.py HOST PORT NAME...

Its habits: a bare name in one send, one recv for the answer, a file ends with the stream. It connects anew for each
name, but with --same goes on asking on one connection for as long as the answer is that there is no such file.
"""
import socket
import sys

BUFFER_BYTES = 4096


def ask(conn, name):
    conn.send(name.encode("utf-8"))
    answer = conn.recv(BUFFER_BYTES).decode("utf-8")
    if answer == "file-doesn't-exist":
        return "File does not exist on server.", False
    if answer != "file-exists":
        return f"Not understood: {answer!r}", True
    with open(name, "wb") as file:
        piece = conn.recv(BUFFER_BYTES)
        while piece:
            file.write(piece)
            piece = conn.recv(BUFFER_BYTES)
    return f"{name} successfully downloaded.", True


def main(host, port, *words):
    stays = words[:1] == ("--same",)
    conn = None
    for name in words[1:] if stays else words:
        conn = conn or socket.create_connection((host, int(port)))
        said, is_over = ask(conn, name)
        print(said)
        if is_over or not stays:
            conn.close()
            conn = None
    if conn:
        conn.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
