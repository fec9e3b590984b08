"""A stand-in for the model hub, for tests/test_hub*.c and tests/test_cli.sh.

    hub_server.py                serves on 127.0.0.1, prints "PORT\\n", runs until killed or its stdin closes
    hub_server.py --wheel DIR    writes a stand-in wheel into DIR and ends

Two servers: the hub, and another host where it redirects to for large files, which must not be sent a token. Addresses
are those of the hub, behind a first segment that chooses how the servers behave, NAME or NAME.SEED:

    /NAME.SEED/OWNER/REPOSITORY/resolve/REVISION/FILE          HEAD, GET
    /NAME.SEED/api/models/OWNER/REPOSITORY/revision/REVISION   GET: the listing
    /NAME.SEED/requests, /NAME.SEED/ranges                     GET: how many requests the name had so far, and how
                                                               many of them were for a part of a file

Repositories: owner/stand-in, owner/large, owner/language, owner/gated, owner/renamed, owner/sharded;
owner/random-SEED, of random bytes; golden/NAME, the models of tests/golden/models, and golden/several, in the layout of
the first WordLlama repositories.
"""

import hashlib
import http.server
import json
import os
import random
import socket
import struct
import sys
import threading
import time
import urllib.parse
import zipfile
from collections import Counter
from collections.abc import Callable

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "models")
WEIGHTS = bytes((i * 7 + i // 251) % 256 for i in range(300000))
STAND_IN = {
    "weights.bin": WEIGHTS,
    "words.json": b'{"stand-in": true}\n',
    "deep/er/note.txt": b"deep\n",
    "empty.txt": b"",
}
HEADER = b'{"model.embed_tokens.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
LANGUAGE = struct.pack("<Q", len(HEADER)) + HEADER + bytes(4)
TOKEN = "Bearer test-token"
LARGE = (".bin", ".safetensors")  # kept elsewhere, and called by their SHA-256

Files = dict[str, bytes]


def golden(name: str) -> Files | None:
    root = os.path.join(GOLDEN, name)
    files = {}
    for folder, _, names in os.walk(root):
        for file in names:
            path = os.path.join(folder, file)
            with open(path, "rb") as stream:
                files[os.path.relpath(path, root)] = stream.read()
    return files or None


def several() -> Files:
    model, small = golden("wordllama-f32") or {}, golden("wordllama-f16") or {}
    return {
        "toy_64.safetensors": small["model.safetensors"],
        "toy_256.safetensors": model["model.safetensors"],
        "toy_1024.safetensors": small["model.safetensors"],
        "toy_tokenizer_config.json": model["tokenizer.json"],
    }


def random_files(seed: int, version: int) -> Files:
    draw = random.Random(seed * 1000 + version)
    return {
        "weights.bin": draw.randbytes(draw.choice((1, 1000, 30000, 200000, 400000)) + draw.randrange(1000)),
        "words.json": draw.randbytes(draw.randrange(2000)),
        "sub/folder/note.txt": b"note %d\n" % draw.randrange(10**9),
    }


def shard(tensors: dict[str, tuple[list[int], bytes]]) -> bytes:
    header, at = {}, 0
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values())


def sharded() -> Files:
    """A language model in two shards of 4 MB, the table of token embeddings in the middle of the second."""
    rows, dim, rest = 500, 256, bytes(2000000)
    table = struct.pack(f"<{rows * dim}f", *(i * 0.5 - 1000 for i in range(rows * dim)))
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    vocabulary = {f"t{i}": i for i in range(rows)}
    return {
        "model.safetensors.index.json": json.dumps(
            {"weight_map": {"a": first, "b": first, "c": second, "model.embed_tokens.weight": second, "d": second}}
        ).encode(),
        first: shard({"a": ([500000], rest), "b": ([500000], rest)}),
        second: shard(
            {"c": ([500000], rest), "model.embed_tokens.weight": ([rows, dim], table), "d": ([500000], rest)}
        ),
        "tokenizer.json": json.dumps(
            {"version": "1.0", "model": {"type": "WordLevel", "unk_token": "t0", "vocab": vocabulary}}
        ).encode(),
    }


def files_of(repository: str, version: int) -> Files | None:
    owner, _, name = repository.partition("/")
    if owner == "golden":
        return several() if name == "several" else golden(name)
    if name.startswith("random-"):
        return random_files(int(name[7:]), version)
    if name == "large":
        return {"weights.bin": (WEIGHTS * 10)[:: -1 if version else 1], "words.json": STAND_IN["words.json"]}
    if name == "sharded":
        return sharded()
    if name == "language":  # a model with layers, and tokens of another name
        return {"model.safetensors": LANGUAGE, "tokenizer.json": b"{}"}
    return STAND_IN if repository in ("owner/stand-in", "owner/gated") else None


def commit_of(repository: str) -> str:
    return hashlib.sha1(repository.encode()).hexdigest()


def name_of(file: str, body: bytes) -> str:
    if file.endswith(LARGE):
        return hashlib.sha256(body).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


counts: Counter[str] = Counter()
lock = threading.Lock()


def count(key: str) -> int:
    """How many times it was counted before."""
    with lock:
        counts[key] += 1
        return counts[key] - 1


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    elsewhere: int | None = None  # port of the second server; None in the second server itself
    behaviour, seed = "", 0

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    # ---- answers ----

    def answer(self, code: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, code: int, error: str, message: str = "", **headers: str) -> None:
        self.answer(code, b"<html>refused</html>", X_Error_Code=error, X_Error_Message=message, **headers)

    def hang_up(self, reset: bool = False) -> None:
        if reset:  # the other side sees an error, not an end
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def draw(self, what: str = "") -> random.Random:
        return random.Random(f"{self.behaviour}.{self.seed}.{self.path}.{what}")

    # ---- bodies, right and wrong ----

    def send_body(self, body: bytes, **headers: str) -> None:
        """A whole file, or the range of it that was asked for."""
        first, last = 0, len(body) - 1
        wanted = self.headers["Range"]
        if wanted and self.behaviour != "norange":
            begin, _, end = wanted.removeprefix("bytes=").partition("-")
            first, last = int(begin), min(int(end) if end else last, last)
            if first > last:
                return self.answer(416, Content_Range=f"bytes */{len(body)}")
            headers["Content_Range"] = f"bytes {first}-{last}/{len(body)}"
        code = 206 if "Content_Range" in headers else 200
        part = body[first : last + 1]
        if self.command == "HEAD":
            return self.start(code, len(part), headers)
        fault = FAULTS.get(self.behaviour)
        tries = 1 + self.draw().randrange(3)  # that go wrong
        number = count(f"{self.behaviour}.{self.seed} {self.path} body") if fault else 0
        if fault and (number < tries or self.behaviour in ALWAYS):
            return fault(self, code, part, headers, self.draw(str(number)), number)
        self.start(code, len(part), headers)
        self.wfile.write(part)

    def start(self, code: int, length: int | None, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    # ---- the hub ----

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.path.startswith("http://"):  # as a proxy, for whatever host
            self.path = urllib.parse.urlsplit(self.path).path
        parts = urllib.parse.unquote(self.path.split("?")[0]).strip("/").split("/")
        self.behaviour, _, seed = parts[0].partition(".")
        self.seed = int(seed or 0)
        if parts[1:] in (["requests"], ["ranges"]):
            return self.answer(200, str(counts[f"{parts[0]} {parts[1]}"]).encode())
        count(f"{parts[0]} requests")
        if self.headers["Range"]:
            count(f"{parts[0]} ranges")
        if self.elsewhere is None:
            return self.give(parts[1:])
        if self.early():
            return None
        if self.behaviour == "token" and self.headers["Authorization"] != TOKEN:
            return self.refuse(401, "", "Invalid credentials in Authorization header")
        if parts[1:3] == ["api", "models"] and parts[5:6] == ["revision"]:
            return self.list_files("/".join(parts[3:5]), "/".join(parts[6:]))
        # A revision is one segment, with its slashes encoded.
        raw = self.path.strip("/").split("/")
        if len(raw) < 6 or raw[3] != "resolve":
            return self.answer(404, b"no such address")
        return self.resolve("/".join(raw[1:3]), urllib.parse.unquote(raw[4]), urllib.parse.unquote("/".join(raw[5:])))

    def early(self) -> bool:
        """Failures of the hub itself, of a few requests or of all."""
        draw = self.draw("early")
        number = count(f"{self.behaviour}.{self.seed} {self.path} {self.command}")
        if self.behaviour == "error" or (self.behaviour == "down" and number < 1 + draw.randrange(3)):
            self.answer(500 if self.behaviour == "error" else draw.choice((500, 502, 503, 504)), b"broken")
        elif self.behaviour == "busy" and number < 1 + draw.randrange(3):
            self.answer(draw.choice((429, 503)), b"busy", Retry_After="0")
        elif self.behaviour == "shy" and number == 0 and "/api/" in self.path:
            self.answer(503, b"busy")
        elif self.behaviour == "later":
            self.answer(429, b"busy", Retry_After="1000")
        elif self.behaviour == "silent" and number < 1 + draw.randrange(3):
            self.hang_up(draw.random() < 0.5)
        elif self.behaviour == "garbage" and number < 1 + draw.randrange(3):
            self.wfile.write(
                draw.choice((b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\nETag: ", b"\0\1\2\n\n"))
            )
            self.hang_up()
        elif self.behaviour == "unauthorized":
            self.refuse(401, "")
        elif self.behaviour == "forbidden":
            self.refuse(403, "", "not for you")
        elif self.behaviour == "missing":
            self.answer(404, b"no such file")
        elif self.behaviour == "portal":
            self.answer(200, b"<html>Please log in to the network</html>")
        elif self.behaviour == "loop":
            self.answer(302, b"moved", Location=self.path)
        elif self.behaviour == "file":
            self.answer(302, b"moved", Location="file:///etc/hostname")
        else:
            return False
        return True

    def find(self, repository: str, revision: str) -> tuple[Files, int] | None:
        """The files of a revision and their version; answers itself where there are none."""
        version = 0
        if self.behaviour == "changed":  # while it is fetched: after the first body there are other files
            version = int(counts[f"changed.{self.seed} body"] > 0)
        files = files_of(repository, version)
        if repository == "owner/gated" and self.headers["Authorization"] != TOKEN:
            self.refuse(403 if self.headers["Authorization"] else 401, "GatedRepo", "Access is restricted")
        elif files is None:
            self.refuse(401, "RepoNotFound")
        elif revision not in ("main", "refs/pr/1", commit_of(repository)):
            self.refuse(404, "RevisionNotFound")
        else:
            return files, version
        return None

    def list_files(self, repository: str, revision: str) -> None:
        found = self.find(repository, revision)
        if found:
            siblings = [{"rfilename": name} for name in found[0]]
            self.answer(
                200, json.dumps({"id": repository, "sha": commit_of(repository), "siblings": siblings}).encode()
            )

    def resolve(self, repository: str, revision: str, file: str) -> None:
        if repository == "owner/renamed":
            return self.answer(307, b"moved", Location=self.path.replace("owner/renamed", "owner/stand-in"))
        found = self.find(repository, revision)
        if not found:
            return None
        files, version = found
        commit = commit_of(repository)
        if file not in files:
            return self.refuse(404, "EntryNotFound", "Entry not found", X_Repo_Commit=commit)
        body = files[file]
        if self.command == "GET" and self.behaviour == "changed":
            count(f"changed.{self.seed} body")
        headers = {"X_Repo_Commit": commit}
        if not file.endswith(LARGE):
            return self.send_body(body, ETag=f'"{name_of(file, body)}"', **headers)
        headers["X_Linked_Etag"] = f'"{name_of(file, body)}"'
        headers["X_Linked_Size"] = str(len(body))
        if self.behaviour == "same":  # no other host, and an ETag that tells nothing
            return self.send_body(body, ETag='W/"0-0"', **headers)
        place = f"http://127.0.0.1:{self.elsewhere}{self.path.split('/resolve/')[0]}/{version}/{file}"
        self.answer(302, b"moved", Location=place, **headers)

    # ---- the other host ----

    def give(self, parts: list[str]) -> None:
        if self.headers["Authorization"]:
            return self.answer(400, b"the token came along")
        files = files_of("/".join(parts[:2]), int(parts[2])) or {}
        body = files["/".join(parts[3:])]
        if self.behaviour == "moving" and count("moved"):  # the same address, other bytes
            body = body[::-1]
        self.send_body(body, ETag=f'"{hashlib.md5(body).hexdigest()}"')


Headers = dict[str, str]
Fault = Callable[[Handler, int, bytes, Headers, random.Random, int], None]


def cut(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    handler.start(code, len(part), headers)
    handler.wfile.write(part[: draw.randrange(len(part) + 1) if part else 0])
    handler.hang_up(handler.behaviour == "reset")


def wrong(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    """One bit is another. At first the connection ends behind it, so that the bytes are taken for a good beginning."""
    at = draw.randrange(len(part)) if part else 0
    bad = part[:at] + bytes([part[at] ^ 1 << draw.randrange(8)]) + part[at + 1 :] if part else b"?"
    handler.start(code, len(bad), headers)
    handler.wfile.write(bad[: at + 1] if handler.behaviour == "wrongcut" else bad)
    handler.hang_up()


def stall(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    handler.start(code, len(part), headers)
    handler.wfile.write(part[: draw.randrange(len(part) + 1)])
    time.sleep(4)
    handler.hang_up()


def length(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    """Content-Length and body agree with each other, or not, but never with the file."""
    change = draw.choice((-1, 1, len(part), -len(part) // 2))
    size = max(0, len(part) + change)
    handler.start(code, size, headers)
    handler.wfile.write((part + part + b"?")[: size if draw.random() < 0.5 else len(part)])
    handler.hang_up()


def lying(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    """Another range than was asked for, with and without saying so."""
    if number == 0:
        return cut(handler, code, part, headers, draw, number)
    if "Content_Range" in headers and draw.random() < 0.5:
        headers["Content_Range"] = draw.choice(("bytes 0-9/10", "bytes 5-1/9", "rows 1-2/3", "", "bytes */5"))
    return cut(handler, code, part[::-1], headers, draw, number)


def nothing(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    """No such range."""
    if number == 0:
        return cut(handler, code, part, headers, draw, number)
    return handler.answer(416, Content_Range="bytes */7")


def packed(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    handler.start(code, len(part), headers | {"Content_Encoding": "gzip"})
    handler.wfile.write(part)


def unsized(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    """Ends when the connection does, which a cut cannot be told from."""
    handler.close_connection = True
    handler.start(code, None, headers | {"Connection": "close"})
    handler.wfile.write(part[: draw.randrange(len(part) + 1)])


def slow(handler: Handler, code: int, part: bytes, headers: Headers, draw: random.Random, number: int) -> None:
    handler.start(code, len(part), headers)
    step = max(1, len(part) // 40)
    for begin in range(0, len(part), step):
        handler.wfile.write(part[begin : begin + step])
        time.sleep(0.003)


FAULTS: dict[str, Fault] = {
    "cut": cut,
    "reset": cut,
    "norange": cut,
    "changed": cut,
    "wrong": wrong,
    "wrongcut": wrong,
    "stall": stall,
    "length": length,
    "lying": lying,
    "nothing": nothing,
    "packed": packed,
    "unsized": unsized,
    "slow": slow,
}
ALWAYS = ("wrong", "packed", "slow")  # the others are right in the end


class Second(Handler):
    pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        pass  # a client that hangs up is part of the tests


def write_wheel(folder: str) -> None:
    info = "wl_stand_in-1.0.dist-info/"
    with zipfile.ZipFile(os.path.join(folder, "wl_stand_in-1.0-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("wl_stand_in/weights.bin", STAND_IN["weights.bin"])
        wheel.writestr("wl_stand_in/words.json", STAND_IN["words.json"])
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: wl-stand-in\nVersion: 1.0\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "")


def main() -> None:
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


if __name__ == "__main__":
    main()
