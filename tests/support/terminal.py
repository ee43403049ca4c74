"""Runs a command in a terminal of its own: terminal.py COLUMNS COMMAND...

What comes on stdin is typed, what the terminal shows goes to stdout. Ends as the command ended, with 128 and the number
of the signal if that was it. When this program ends early, the command is hung up on.
"""

import fcntl, os, pty, select, struct, sys, termios

columns, command = int(sys.argv[1]), sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.execvp(command[0], command)

open_ends = [sys.stdin.fileno(), terminal]
while terminal in open_ends:
    for end in select.select(open_ends, [], [])[0]:
        try:
            data = os.read(end, 65536)
        except OSError:  # so Linux says that the command has closed its terminal
            data = b""
        if not data:
            open_ends.remove(end)
        else:
            os.write(sys.stdout.fileno() if end == terminal else terminal, data)

code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
