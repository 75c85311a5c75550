"""What participants are told and asked, on our page and in webMUSHRA alike."""

from __future__ import annotations

# The paper's, word for word: it is the instrument.
QUESTION = (
    "How well does the interpretation correspond to the part of input audio associated with the "
    "given class?"
)
LOWEST, HIGHEST = "not at all", "perfectly"
WHAT_TO_DO = [
    "You will hear short recordings, one after the other. In each of them a computer has heard a "
    "class of sounds, such as dog or engine, and you are told which.",
    "Beside each recording, which is called the input, there are two other sounds, A and B. They "
    "are interpretations: attempts to play that part of the input in which the class was heard, "
    "and nothing else of it. Which attempt is called A changes from recording to recording.",
    "Listen to the input, to A and to B as often as you like. Then rate A and B, each by itself. "
    "It is not asked how pleasant a sound is.",
    "There are no right answers. Wear headphones if you can, in a quiet place.",
]


def ends_of_scale() -> str:
    """What the numbers at its ends mean."""
    return f"0 means {LOWEST}, 100 means {HIGHEST}."
