#!/usr/bin/env python3
"""solc for forge, by the compiler that warm_solc.cjs has loaded: at WARM_SOLC, of version WARM_SOLC_VERSION."""

import os
import socket
import sys

if "--version" in sys.argv:
    print(os.environ["WARM_SOLC_VERSION"])
    sys.exit()
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(os.environ["WARM_SOLC"])
    connection.sendall(sys.stdin.buffer.read())
    connection.shutdown(socket.SHUT_WR)
    while data := connection.recv(1 << 20):
        sys.stdout.buffer.write(data)
