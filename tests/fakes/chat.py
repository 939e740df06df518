"""A chat that takes messages by incoming webhook, on loopback: what arrives is kept as it came."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class ChatServer:
    """`answers` maps a path to (status, headers); any other path is answered with 200 ok."""

    def __init__(self):
        self.posts = []
        self.requests = []
        self.answers = {}
        chat = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                raw = self.rfile.read(int(self.headers["content-length"]))
                chat.requests.append((self.command, self.path, dict(self.headers), raw))
                chat.posts.append(json.loads(raw))
                status, headers = chat.answers.get(self.path, (200, {}))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_GET = do_POST  # noqa: N815 (the server looks for the name)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.place = f"127.0.0.1:{self.port}"  # as an operator names it
        self.url = f"http://{self.place}/services/T0/B0/secret"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
