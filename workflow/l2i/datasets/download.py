"""Downloads that resume, wait when told to, and are verified before they get their name.

A file grows as `<name>.part` and is renamed once its size and hash are right, so whatever bears
the final name is whole. No other code of the project touches the network.
"""

from __future__ import annotations

import logging
import re
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import requests
import urllib3
from tqdm import tqdm

from l2i.addresses import without_secrets
from l2i.checks import InputError
from l2i.datasets.pins import HASHES, differences
from l2i.datasets.storage import ELSEWHERE
from l2i.disk import refusal, require_room
from l2i.hashing import file_sha256

# Zenodo throttles the default name of requests and asks clients to introduce themselves.
USER_AGENT = "listen-to-interpret/1 (research workflow; python-requests)"
TIMEOUTS = (20, 60)  # seconds to connect, and between two packets
BLOCK = 1 << 16  # bytes; an attempt that brings fewer has brought nothing new
SLOWEST = 512  # bytes a second, over PATIENCE seconds; a server that is slower is asked again
PATIENCE = 120.0
DROPPED = "the download is deleted; check the url and run again"

log = logging.getLogger(__name__)


def download(
    url: str,
    path: str | Path,
    *,
    size_bytes: int | None = None,
    sha256: str | None = None,
    md5: str | None = None,
    git_blob: str | None = None,
    n_attempts: int = 6,
    first_wait: float = 2.0,
    by_hand: str | Path | None = None,
) -> dict:
    """Fetch one file; a file already there that matches the pins is left as it is.

    Parameters
    ----------
    url : str
        https, http or file. `file:a/b` is relative to the working directory.
    path : str or Path
        Where the file goes; `<path>.part` holds what an interrupted download has got.
    size_bytes : int, optional
        Pinned size.
    sha256, md5, git_blob : str, optional
        Pinned hashes of the content, see `l2i.datasets.pins`.
    n_attempts : int
        Attempts in a row that may bring nothing new.
    first_wait : float
        Seconds before the second attempt, doubled for each further one. A server's Retry-After
        is obeyed instead, up to ten minutes.
    by_hand : str or Path, optional
        Where the message tells the user to put the file where it cannot be had; `path` unless told.

    Returns
    -------
    dict
        Plain facts: url without secrets, size_bytes, sha256.

    Raises
    ------
    InputError
        If the file cannot be had, is not the pinned one, or is larger than the room for it. Its
        message holds no secret of the address.
    """
    try:
        return _downloaded(
            url,
            Path(path),
            {"size_bytes": size_bytes, "sha256": sha256, "md5": md5, "git_blob": git_blob},
            n_attempts=n_attempts,
            first_wait=first_wait,
            by_hand=by_hand or path,
        )
    except InputError as error:
        # From None: what it was raised from may hold them, and would be printed with a traceback.
        raise InputError(without_secrets(str(error))) from None


def _downloaded(
    url: str, path: Path, pins: dict, *, n_attempts: int, first_wait: float, by_hand: str | Path
) -> dict:
    size_bytes = pins["size_bytes"]
    if path.exists():
        _verify(path, pins, f"{path} exists but is not the pinned file; move it away", url)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        if not any(pins[name] for name in HASHES):
            part.unlink(missing_ok=True)  # without a hash nobody could tell whose part it is
        if size_bytes is not None:
            require_room(path.parent, size_bytes - _size(part), url, elsewhere=ELSEWHERE)
        try:
            _fetch(url, part, size_bytes, n_attempts, first_wait, by_hand)
        except OSError as error:
            n_bytes = None if size_bytes is None else size_bytes - _size(part)
            told = refusal(error, part, n_bytes=n_bytes, elsewhere=ELSEWHERE)
            raise told or error from error
        try:
            _verify(part, pins, DROPPED, url)
        except InputError:
            part.unlink()
            raise
        part.replace(path)
    return {
        "url": without_secrets(url),
        "size_bytes": path.stat().st_size,
        "sha256": pins["sha256"] or file_sha256(path),
    }


def _verify(path: Path, pins: dict, remedy: str, url: str) -> None:
    """Raise InputError unless the file matches its pins."""
    if _is_web_page(path):
        raise InputError(
            f"{url}: gave an HTML page instead of the file, perhaps a login or error page "
            f"({path}); {remedy}"
        )
    for difference in differences(path, pins):
        raise InputError(f"{url}: {difference} ({path}); {remedy}")


def _is_web_page(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _fetch(
    url: str,
    part: Path,
    size: int | None,
    n_attempts: int,
    first_wait: float,
    by_hand: str | Path,
) -> None:
    """Complete `part`, attempt by attempt; attempts that bring new bytes are not counted."""
    if _address(url, by_hand).scheme == "file":
        return _copy(url, part, size)
    n_failures, furthest = 0, _size(part)
    while True:
        try:
            return _attempt(url, part, size)
        except (requests.RequestException, ConnectionError) as error:
            if _size(part) >= furthest + BLOCK:
                n_failures, furthest = 0, _size(part)
            n_failures += 1
            response = getattr(error, "response", None)
            if n_failures >= n_attempts or not _may_recover(error):
                raise InputError(
                    f"{url}: {error}; check the url and the connection, or put the file at "
                    f"{by_hand} by hand"
                ) from error
            wait = _retry_after(response) or first_wait * 2 ** (n_failures - 1)
            log.warning("%s", without_secrets(f"{url}: {error}; next attempt in {wait:.0f} s"))
            time.sleep(wait)


def _address(url: str, by_hand: str | Path) -> SplitResult:
    """The parts of an address, which must be one that can be fetched."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises where it is no number)
    except ValueError as error:
        raise InputError(
            f"{url}: is no address ({error}); correct it, or put the file at {by_hand} by hand"
        ) from error
    if parts.scheme not in ("http", "https", "file"):
        raise InputError(f"{url}: must begin with https:, http: or file:")
    if parts.scheme == "file" and parts.netloc not in ("", "localhost"):
        raise InputError(
            f"{url}: names the machine {parts.netloc}; write file:a/b for a path from here and "
            "file:///a/b for a full one"
        )
    if parts.scheme != "file" and not parts.hostname:
        raise InputError(f"{url}: names no machine; correct it")
    return parts


def _attempt(url: str, part: Path, size: int | None) -> None:
    """Ask for what is missing, once.

    What a server says beside the codes 200 and 206 never gets into the part.
    """
    start = _size(part)
    if size is not None and start == size:
        return
    if size is not None and start > size:
        part.unlink()
        start = 0
    # identity: a compressed answer would have other byte positions than the file
    headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with _asked(url, headers) as response:
        if response.status_code == 416 and _range_of(response) == (None, start):
            return  # nothing was missing
        if response.status_code in (206, 416):
            first, total = _range_of(response)
            if size is not None and total not in (None, size):
                raise _of_other_size(url, part, total, size)
            if first != start or _is_packed(response):  # the part is no beginning of this file
                part.unlink(missing_ok=True)
                raise ConnectionError(f"cannot resume at byte {start}, starting again")
        else:
            response.raise_for_status()
            if response.status_code != 200:
                raise requests.HTTPError(
                    f"the server answers {response.status_code} {response.reason}, which brings "
                    "no file",
                    response=response,
                )
            start = 0
        _receive(response, part, start, size, url)
    if size is not None and _size(part) < size and not _is_web_page(part):
        raise ConnectionError(f"the connection closed after {_size(part)} of {size} bytes")


def _asked(url: str, headers: dict[str, str]) -> requests.Response:
    """The beginning of a server's answer."""
    try:
        return requests.get(url, headers=headers, stream=True, timeout=TIMEOUTS)
    except requests.RequestException:
        raise
    except ValueError as error:  # of an address that it was redirected to
        raise requests.exceptions.InvalidURL(str(error)) from error


def _receive(
    response: requests.Response, part: Path, start: int, size: int | None, url: str
) -> None:
    """Add the body to the part, or refuse it where it is going to be another file's."""
    length = None if _is_packed(response) else _number(response.headers.get("Content-Length"))
    total = None if length is None else start + length
    other = response.status_code == 200 and None not in (size, total) and total != size
    with (
        part.open("ab" if start else "wb") as file,
        tqdm(
            total=total,
            initial=start,
            desc=part.with_suffix("").name,
            unit="B",
            unit_scale=True,
            file=sys.__stderr__,  # see l2i.progress
            disable=None,
        ) as bar,
    ):
        for block in _blocks(response):
            file.write(block)
            bar.update(len(block))
            if other or (size is not None and file.tell() > size):
                break  # the first bytes are enough to tell a web page
        if not other and total is not None and file.tell() < total:
            raise ConnectionError(f"the connection closed after {file.tell()} of {total} bytes")
    if other and not _is_web_page(part):
        raise _of_other_size(url, part, total, size)


def _of_other_size(url: str, part: Path, total: int | None, size: int | None) -> InputError:
    part.unlink(missing_ok=True)
    return InputError(f"{url}: holds {total} bytes, pinned are {size}; {DROPPED}")


def _blocks(response: requests.Response) -> Iterator[bytes]:
    """The body as it arrives, as long as it does so faster than `SLOWEST`."""
    since, n_bytes = time.monotonic(), 0
    while True:
        try:
            block = response.raw.read1(BLOCK, decode_content=True)
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionError(str(error)) from error
        if not block:
            return
        yield block
        n_bytes += len(block)
        if (seconds := time.monotonic() - since) > PATIENCE:
            if n_bytes < SLOWEST * seconds:
                raise ConnectionError(f"only {n_bytes} bytes came in {seconds:.0f} s")
            since, n_bytes = time.monotonic(), 0


def _range_of(response: requests.Response) -> tuple[int | None, int | None]:
    """First byte and size of the file, as Content-Range tells them; None for what it does not."""
    text = response.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes (?:(\d{1,18})-\d{1,18}|\*)/(?:(\d{1,18})|\*)", text, re.ASCII)
    return (_number(found[1]), _number(found[2])) if found else (None, None)


def _number(text: str | None) -> int | None:
    """A count of bytes in a header; None where it is missing or none."""
    return int(text) if text is not None and re.fullmatch(r"[0-9]{1,18}", text.strip()) else None


def _is_packed(response: requests.Response) -> bool:
    """Whether the body is compressed, though that was declined: it counts other bytes."""
    return response.headers.get("Content-Encoding", "identity").lower() != "identity"


def _copy(url: str, part: Path, size: int | None) -> None:
    source = Path(unquote(urlsplit(url).path))
    if "\0" in str(source) or not source.is_file():
        raise InputError(f"{url}: no such file ({source.absolute()}); make it or correct the url")
    if size is not None and source.stat().st_size != size and not _is_web_page(source):
        raise InputError(
            f"{url}: size_bytes is {source.stat().st_size}, pinned is {size} ({source}); correct "
            "the url or the file, and run again"
        )
    shutil.copyfile(source, part)


def _may_recover(error: Exception) -> bool:
    response = getattr(error, "response", None)
    if response is not None:
        return response.status_code in (408, 429) or response.status_code >= 500
    if isinstance(error, requests.exceptions.SSLError):  # a bad certificate stays bad
        return False
    passing = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, (ConnectionError, *passing))


def _retry_after(response: requests.Response | None) -> float:
    """Return the seconds that a server asks to wait, 0 where it asks for none."""
    text = "" if response is None else response.headers.get("Retry-After", "")
    try:
        seconds = float(text) if text.strip().isdigit() else _seconds_until(text)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), 600.0)


def _seconds_until(date: str) -> float:
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
