from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l2i.addresses import without_place, without_secrets

WORDS = st.text("abcXYZ019._~%+-", min_size=6, max_size=12)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pw@host/a?token=b", "https://***@host/a?***"),
        ("https://pw@host:80/a", "https://***@host:80/a"),
        ("https://me:p@w@host/a", "https://***@host/a"),
        ("me:pw@host/x is no address", "***@host/x is no address"),
        ("(see https://host/x?a=1&b=(2)): 404", "(see https://host/x?***"),
        ("Max retries exceeded with url: /x?key=pw (Caused by", "/x?***"),
        ("file:///a/b c?d", "file:///a/b c?d"),
        ("what? a=b", "what? a=b"),
        ("https://host/a#token=pw", "https://host/a#***"),
        ("write to a@host, or b: c@d", "write to a@host, or b: c@d"),
    ],
)
def test_known_answers(text, shown):
    assert shown in without_secrets(text)
    assert without_secrets(without_secrets(text)) == without_secrets(text)


@given(WORDS, WORDS, WORDS, st.sampled_from(["{}", "error: {}; try again", "'{}'", "<{}>", "({})"]))
def test_no_secret_is_left_wherever_the_address_stands(user, password, token, sentence):
    address = f"https://{user}:{password}@mirror.org/{{name}}?X-Amz-Signature={token}&n=1"
    shown = without_secrets(sentence.format(address))
    assert "mirror.org/{name}" in shown
    assert not any(f"{mark}{word}" in shown for mark in "/:=" for word in (user, password, token))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("file:/home/me/corpora/ESC-50.zip", "file:ESC-50.zip"),
        ("file:///home/me/{name}", "file:{name}"),
        ("file:~/a.zip", "file:a.zip"),
        ("file:corpora/a.zip", "file:corpora/a.zip"),
        ("https://host/a/b.zip", "https://host/a/b.zip"),
    ],
)
def test_where_a_file_lies_on_this_machine_is_nobody_elses_business(address, shown):
    assert without_place(address) == shown
