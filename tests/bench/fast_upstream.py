"""Fast upstream: an OpenAI endpoint that takes next to no processor, so that a proxy before it is what is measured.

    python -m tests.bench.fast_upstream        prints its port; ends on SIGTERM

A JSON request is answered at once with 64 tokens; a stream sends 64 events, one every two milliseconds.
"""

import asyncio

TOKENS = 64
EVERY_S = 0.002
_HEAD = b'"id":"chatcmpl-1","created":1,"model":"bench"'
_USAGE = b'"usage":{"prompt_tokens":200,"completion_tokens":64,"total_tokens":264}'
_CHOICE = b'"choices":[{"index":0,"message":{"role":"assistant","content":"%s"},"finish_reason":"stop"}]'
_WHOLE = b'{"object":"chat.completion",%s,%s,%s}' % (_HEAD, _CHOICE % (b"word " * TOKENS), _USAGE)
_DELTA = b'"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]'


def _event(fields: bytes) -> bytes:
    data = b'data: {"object":"chat.completion.chunk",%s,%s}\n\n' % (_HEAD, fields)
    return b"%x\r\n%s\r\n" % (len(data), data)


TOKEN = _event(_DELTA)
USAGE = _event(b'"choices":[],' + _USAGE)
END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_WHOLE), _WHOLE)
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client, whose requests follow each other."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._streaming: asyncio.Task[None]
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._received = body[length:]
        if b'"stream":true' in body or b'"stream": true' in body:
            self._streaming = asyncio.get_running_loop().create_task(self._stream())
        else:
            self._transport.write(ANSWER)

    async def _stream(self) -> None:
        self._transport.write(STREAM)
        for _ in range(TOKENS):
            self._transport.write(TOKEN)
            await asyncio.sleep(EVERY_S)
        self._transport.write(USAGE + END)


async def main() -> None:
    """Serve until told to stop."""
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
