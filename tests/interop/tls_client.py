"""A client of TLS in Python, from protocol/README.md alone: HOST PORT KEY WORDS; says what is answered, or `wrong key`."""
import base64, socket, ssl, sys

host, port, key, words = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE  # the key is compared below; that the server signed with it is verified nevertheless
with context.wrap_socket(socket.create_connection((host, int(port))), server_hostname="app.invalid") as tls:
    if tls.getpeercert(binary_form=True)[116:148] != base64.urlsafe_b64decode(key + "="):
        sys.exit("wrong key")
    tls.sendall(f"APP/1 {words}\n".encode())
    answer = b""
    while piece := tls.recv(65536):
        answer += piece
    sys.stdout.write(answer.decode())
