"""Names that the tables of several stages share, and what they are called in print."""

CLASSIFIER = "base_f"  # the classifier under interpretation, among systems, as in the paper
OFFICIAL = "official"  # the fold of corpora with one split of their own
RANDOM = "random_"  # in front of a baseline's name: its removals
LABEL = "label_"  # in front of a class name: its column in tables of a multi-label corpus

# What is no system of the configuration, and stands in tables and figures beside them.
TITLES = {
    CLASSIFIER: "classifier f",
    f"{RANDOM}unselected": "random, among the unselected",
    f"{RANDOM}all": "random, among all",
    f"{RANDOM}energy": "random, matched in energy",
    "nothing": "nothing (round trip alone)",
}
