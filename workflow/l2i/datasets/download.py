"""Downloads that resume, wait when told to, and are verified before they get their name.

A file grows as `<name>.part` and is renamed once its size and hash are right, so whatever bears
the final name is whole. No other code of the project touches the network.
"""

from __future__ import annotations

import logging
import shutil
import sys
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from tqdm import tqdm

from l2i.checks import InputError
from l2i.datasets.pins import differences
from l2i.datasets.storage import require_room
from l2i.provenance.fingerprints import file_sha256

# Zenodo throttles the default name of requests and asks clients to introduce themselves.
USER_AGENT = "listen-to-interpret/1 (research workflow; python-requests)"
TIMEOUTS = (20, 60)  # seconds to connect, and between two packets
BLOCK = 1 << 16  # bytes; a broken connection loses the block it was in

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
        Plain facts: url, size_bytes, sha256.

    Raises
    ------
    InputError
        If the file cannot be had, is not the pinned one, or is larger than the room for it.
    """
    path = Path(path)
    pins = {"size_bytes": size_bytes, "sha256": sha256, "md5": md5, "git_blob": git_blob}
    if path.exists():
        _verify(path, pins, f"{path} exists but is not the pinned file; move it away", url)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        if not (sha256 or md5 or git_blob):
            part.unlink(missing_ok=True)  # without a hash nobody could tell whose part it is
        if size_bytes is not None:
            require_room(path.parent, size_bytes - _size(part), url)
        _fetch(url, part, size_bytes, n_attempts, first_wait, by_hand or path)
        try:
            _verify(part, pins, "the download is deleted; check the url and run again", url)
        except InputError:
            part.unlink()
            raise
        part.replace(path)
    return {
        "url": url,
        "size_bytes": path.stat().st_size,
        "sha256": sha256 or file_sha256(path),
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
    scheme = urlsplit(url).scheme
    if scheme == "file":
        return _copy(url, part)
    if scheme not in ("http", "https"):
        raise InputError(f"{url}: must begin with https:, http: or file:")
    n_failures, furthest = 0, _size(part)
    while True:
        try:
            return _attempt(url, part, size)
        except (requests.RequestException, ConnectionError) as error:
            if _size(part) > furthest:
                n_failures, furthest = 0, _size(part)
            n_failures += 1
            response = getattr(error, "response", None)
            if n_failures >= n_attempts or not _may_recover(error):
                raise InputError(
                    f"{url}: {error}; check the url and the connection, or put the file at "
                    f"{by_hand} by hand"
                ) from error
            wait = _retry_after(response) or first_wait * 2 ** (n_failures - 1)
            log.warning("%s: %s; next attempt in %.0f s", url, error, wait)
            time.sleep(wait)


def _attempt(url: str, part: Path, size: int | None) -> None:
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
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUTS) as response:
        content_range = response.headers.get("Content-Range", "")
        if response.status_code == 416 and content_range == f"bytes */{start}":
            return  # nothing was missing
        if response.status_code == 206 and content_range.startswith(f"bytes {start}-"):
            _receive(response, part, start, size)
        elif response.status_code in (206, 416):  # the part is not a beginning of this file
            part.unlink(missing_ok=True)
            raise ConnectionError(f"cannot resume at byte {start}, starting again")
        else:
            response.raise_for_status()
            _receive(response, part, 0, size)
    if size is not None and _size(part) < size and not _is_web_page(part):
        raise ConnectionError(f"the connection closed after {_size(part)} of {size} bytes")


def _receive(response: requests.Response, part: Path, start: int, size: int | None) -> None:
    length = response.headers.get("Content-Length")
    with (
        part.open("ab" if start else "wb") as file,
        tqdm(
            total=start + int(length) if length else None,
            initial=start,
            desc=part.with_suffix("").name,
            unit="B",
            unit_scale=True,
            file=sys.__stderr__,  # see l2i.progress
            disable=None,
        ) as bar,
    ):
        for block in response.iter_content(BLOCK):
            file.write(block)
            bar.update(len(block))
            if size is not None and file.tell() > size:
                return  # more than was pinned: not the file, as the check of its size will say


def _copy(url: str, part: Path) -> None:
    source = Path(unquote(urlsplit(url).path))
    if not source.is_file():
        raise InputError(f"{url}: no such file ({source.absolute()}); make it or correct the url")
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
    except (TypeError, ValueError):
        return 0.0
    return min(max(seconds, 0.0), 600.0)


def _seconds_until(date: str) -> float:
    return (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
