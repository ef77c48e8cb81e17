"""A model's server on this machine, which answers as it is told and notes what it was asked."""

import contextlib
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cohortlab.endpoints import Client, Endpoint, Patience
from cohortlab.interpretation import Chat

KEY = "sk-very-secret-key-0123456789"


def answer(content, status=200, **headers):
    """Say something as a model does."""
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]}
    return status, headers, json.dumps(body)


def failure(status, message="", **headers):
    """Fail with a status, at once to be tried again unless the headers say otherwise."""
    body = json.dumps({"error": {"message": f"{message} Incorrect key provided: {KEY}"}})
    return status, {"retry-after-ms": "1"} | headers, body


def slow(seconds, content="too late"):
    """Say something after a while."""

    def wait(_request):
        time.sleep(seconds)
        return answer(content)

    return wait


class Server:
    """What the server shall answer, in turn, the last for ever; and what it was asked."""

    def __init__(self, url):
        self.url, self.replies, self.requests, self.keys, self.times = url, [], [], [], []
        self.endpoint = Endpoint(url, "tiny-1", KEY)

    def will(self, *replies):
        self.replies = list(replies)
        return self

    def chat(self, **options):
        patience = {"timeout_sec": 5, "max_tries": 3, "pause_sec": 0.01}
        return Chat(self.endpoint, **(patience | options))

    def client(self, *, timeout_sec=5, max_tries=3, pause_sec=0.01, **options):
        return Client(self.endpoint, Patience(timeout_sec, max_tries, pause_sec), **options)

    def reply(self, path, body, key):
        self.path = path
        self.times.append(time.monotonic())
        self.requests.append(body)
        self.keys.append(key)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        return reply(body) if callable(reply) else reply


@contextlib.contextmanager
def serving():
    """Open a server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            body = json.loads(self.rfile.read(length))
            status, headers, text = server.reply(self.path, body, self.headers["Authorization"])
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.send_response(status)
                content = text.encode()
                common = {"Content-Type": "application/json", "Content-Length": len(content)}
                for name, value in (common | headers).items():
                    self.send_header(name, str(value))
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        server = Server(f"http://127.0.0.1:{listener.server_port}/v1")
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def model(body):
    """Play a language model of little wit: it counts domains, and looks for those it is told."""
    data = json.loads(body["messages"][1]["content"])
    said = _describe(data["clusters"]) if "clusters" in data else _assign(**data)
    return answer(json.dumps(said))


def _describe(clusters):
    counts = {
        c["cluster"]: Counter(w for s in c["sequences"] for w in s.split() if "." in w)
        for c in clusters
    }
    everywhere = sum(counts.values(), Counter())
    best = {
        name: sorted(own, key=lambda w, own=own: (-own[w] / everywhere[w], w))[:3]
        for name, own in counts.items()
    }
    return {
        "descriptions": [
            {"cluster": name, "keywords": words, "sentence": f"They visit {' and '.join(words)}."}
            for name, words in best.items()
        ]
    }


def _assign(descriptions, sequences):
    def fit(visits, described):
        return sum(word in visits for word in described["keywords"])

    return {
        "assignments": [
            {
                "sequence": s["sequence"],
                "description": max(descriptions, key=lambda d, s=s: fit(s["visits"], d))[
                    "description"
                ],
            }
            for s in sequences
        ]
    }
