"""What both shells share of HTTP and WebSockets: no effect is performed here."""

from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx

from rollup.client.flow import MAX_ANSWER_BYTES, Answer, Ask, Lost

HTTP_ERRORS: Final = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError)
_UNSENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""After these the node has not seen the request."""
_LONGEST_ADVICE_SECONDS: Final = 60.0


def request_arguments(ask: Ask) -> dict[str, Any]:
    """What httpx is called with. Compressed answers are not asked for: their size could not be limited."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if ask.body is not None:
        headers["Content-Type"] = "application/json"
    return {"method": ask.method, "url": ask.path, "content": ask.body, "headers": headers}


def timeouts(seconds: float) -> httpx.Timeout:
    """Of each part of a request, so long as the whole may take."""
    return httpx.Timeout(seconds)


def answer_of(response: httpx.Response, body: bytes) -> Answer:
    """The answer of a response that was read whole."""
    advice = response.headers.get("Retry-After", "")
    seconds = min(float(advice), _LONGEST_ADVICE_SECONDS) if advice.isdecimal() else None
    return Answer(response.status_code, body, seconds)


def lost(error: Exception) -> Lost:
    """Why there is no answer."""
    return Lost(str(error) or type(error).__name__, not isinstance(error, _UNSENT))


def too_long(size: int, ask: Ask) -> Lost:
    """The answer was cut off here, for its size or its time."""
    if size > MAX_ANSWER_BYTES:
        return Lost(f"its answer is longer than {MAX_ANSWER_BYTES} bytes", True)
    return Lost(f"its answer was not whole after {ask.seconds:g} s", True)


def socket_url(url: str, path: str) -> str:
    """The WebSocket address of a path of the node's."""
    parts = urlsplit(url)
    scheme = "wss" if parts.scheme == "https" else "ws"
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + path, "", ""))
