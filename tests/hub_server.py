"""A stand-in for the model hub, for tests/test_hub.c.

    hub_server.py                serves on 127.0.0.1, prints "PORT\\n", runs until killed or its stdin closes
    hub_server.py --wheel DIR    writes a stand-in wheel into DIR and ends

The first segment of a path chooses how the server behaves, the last one which file is asked for.
"""
import http.server
import os
import sys
import threading
import time
import zipfile

FILES = {
    "weights.bin": bytes((i * 7 + i // 251) % 256 for i in range(300000)),
    "words.json": b'{"stand-in": true}\n',
}
TOKEN = "Bearer test-token"


class Handler(http.server.BaseHTTPRequestHandler):
    elsewhere = None  # port of the second server; None in the second server itself

    def log_message(self, *arguments):
        pass

    def answer(self, code, body, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = self.path.strip("/").split("/")
        behaviour, name = parts[0], parts[-1]
        body = FILES.get(name)
        if body is None or parts[1:-1] != ["owner", "stand-in", "resolve", "main"]:
            return self.answer(404, b"no such path")
        if self.elsewhere is None:
            # Where a redirect leads: the token must have stayed behind.
            return self.answer(400, b"") if self.headers["Authorization"] else self.answer(200, body)
        if behaviour == "ok":
            self.answer(200, body)
        elif behaviour == "cut":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
        elif behaviour == "wrong":
            self.answer(200, body[:-1] + b"?")
        elif behaviour == "large":
            self.answer(200, body + body)
        elif behaviour == "error":
            self.answer(500, b"broken")
        elif behaviour == "token":
            self.answer(200 if self.headers["Authorization"] == TOKEN else 401, body)
        elif behaviour == "redirect":
            if self.headers["Authorization"] != TOKEN:
                return self.answer(401, b"")
            self.answer(302, b"moved", Location=f"http://127.0.0.1:{self.elsewhere}{self.path}")
        elif behaviour == "file":
            self.answer(302, b"moved", Location="file:///etc/hostname")
        elif behaviour == "slow":
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            for begin in range(0, len(body), 10):
                self.wfile.write(body[begin : begin + 10])
                time.sleep(0.01)
        else:
            self.answer(404, b"no such behaviour")


class Second(Handler):
    pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is part of the tests


def write_wheel(folder):
    info = "wl_stand_in-1.0.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, "wl_stand_in-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("wl_stand_in/weights.bin", FILES["weights.bin"])
        wheel.writestr("wl_stand_in/words.json", FILES["words.json"])
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: wl-stand-in\nVersion: 1.0\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")


def main():
    if sys.argv[1:2] == ["--wheel"]:
        return write_wheel(sys.argv[2])
    second = Server(("127.0.0.1", 0), Second)
    Handler.elsewhere = second.server_address[1]
    Second.elsewhere = None
    first = Server(("127.0.0.1", 0), Handler)
    for server in (first, second):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print(first.server_address[1], flush=True)
    sys.stdin.read()  # ends with the test, also when that crashes


main()
