"""The simulated model: an OpenAI-compatible HTTP server on loopback, for demo and tests.

Deterministic: the same messages give the same answer. It needs no Django and no network.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from hashlib import blake2b
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from annotation.demo import assistant, judge, optimizer
from annotation.demo.schema import conform

MODEL = "simulated-1"
MAX_BODY_BYTES = 16 * 1024 * 1024
_TOKEN = re.compile(r"\w+|[^\w\s]")


class BadRequest(ValueError):
    """The request is not one that a model server answers; the message says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def completion(request: Any) -> dict[str, Any]:
    """The body of a chat completion. Raises BadRequest naming the field that is wrong."""
    if not isinstance(request, dict):
        raise BadRequest("the body must be a JSON object")
    model = request.get("model")
    if not isinstance(model, str) or "simulated" not in model:
        raise BadRequest(f"model: {model!r} does not exist; the one here is {MODEL}", 404)
    if request.get("stream"):
        raise BadRequest("stream: the simulated model does not stream")
    messages = _messages(request.get("messages"))
    text = reply(messages, request.get("response_format"))
    tokens_in = sum(count_tokens(each["content"]) + 4 for each in messages)
    tokens_out = count_tokens(text)
    digest = blake2b(json.dumps(messages).encode(), digest_size=12).hexdigest()
    return {
        "id": f"chatcmpl-{digest}",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def reply(messages: Sequence[Mapping[str, str]], response_format: Any = None) -> str:
    """What the simulated model says: a verdict, edits of a prompt, or an answer to a customer,
    by what the messages ask for."""
    value: Any
    if judge.recognises(messages):
        value = judge.verdict(messages)
    elif optimizer.recognises(messages):
        value = optimizer.edits(messages)
    else:
        value = _answer(messages)
        if not response_format or response_format.get("type") == "text":
            return str(value)
        value = {"answer": value}
    return json.dumps(conform(value, _schema(response_format)) if response_format else value)


def count_tokens(text: str) -> int:
    """Words and signs: near enough to what a tokenizer counts."""
    return len(_TOKEN.findall(text))


def _answer(messages: Sequence[Mapping[str, str]]) -> str:
    system = "\n\n".join(each["content"] for each in messages if each["role"] == "system")
    return assistant.answer(system, [each for each in messages if each["role"] != "system"])


def _schema(response_format: Any) -> Mapping[str, Any]:
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if kind == "json_object":
        return {}
    if kind != "json_schema":
        raise BadRequest("response_format.type: must be text, json_object or json_schema")
    wrapped = response_format.get("json_schema")
    if not isinstance(wrapped, dict) or not isinstance(wrapped.get("schema"), dict):
        raise BadRequest("response_format.json_schema.schema: is missing")
    schema: Mapping[str, Any] = wrapped["schema"]
    return schema


def _messages(given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list) or not given:
        raise BadRequest("messages: must be a list with at least one message")
    return [_message(index, each) for index, each in enumerate(given)]


def _message(index: int, given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not isinstance(given.get("role"), str):
        raise BadRequest(f"messages.{index}.role: is missing")
    content = given.get("content")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise BadRequest(f"messages.{index}.content: must be text")
    role = "system" if given["role"] == "developer" else given["role"]
    return {"role": role, "content": content}


class Handler(BaseHTTPRequestHandler):
    """HTTP/1.1 with keep-alive. Headers and body leave in one write, without Nagle's delay."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    def do_GET(self) -> None:
        """/healthz and /v1/models."""
        if self.path == "/healthz":
            return self._send(200, {"status": "ok", "model": MODEL})
        if self.path == "/v1/models":
            model = {"id": MODEL, "object": "model", "created": 0, "owned_by": "whetstone-demo"}
            return self._send(200, {"object": "list", "data": [model]})
        return self._fail(404, f"no such path: {self.path}")

    def do_POST(self) -> None:
        """/v1/chat/completions."""
        body = self._body()
        if body is None:
            return None
        if self.path != "/v1/chat/completions":
            return self._fail(404, f"no such path: {self.path}")
        try:
            return self._send(200, completion(json.loads(body)))
        except BadRequest as error:
            return self._fail(error.status, str(error))
        except (ValueError, RecursionError) as error:
            return self._fail(400, f"the body is not JSON: {error}")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """A line a request would drown the output of the demo."""

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            # The unread body would be taken for the next request.
            self.close_connection = True
            self._fail(413 if length.isdigit() else 411, f"Content-Length: 0 to {MAX_BODY_BYTES}")
            return None
        return self.rfile.read(int(length))

    def _fail(self, status: int, message: str) -> None:
        kind = "invalid_request_error"
        self._send(status, {"error": {"message": message, "type": kind, "code": None}})

    def _send(self, status: int, value: Mapping[str, Any]) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.wfile.write(b"".join([*self._headers_buffer, b"\r\n", body]))
        self._headers_buffer: list[bytes] = []


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Simulator(AbstractContextManager["Simulator"]):
    """The server in a thread of this process. `base_url` is what OPENAI_BASE_URL should be."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """`port` 0 takes a free one. Raises OSError where the port is taken."""
        self._server = Server((host, port), Handler)
        self.port: int = self._server.server_address[1]
        self.base_url = f"http://{host}:{self.port}/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Simulator:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self) -> None:
        """Serve in this thread until KeyboardInterrupt or the end of the process."""
        self._server.serve_forever()
