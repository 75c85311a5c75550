"""Names that the tables of several stages share, and what they are called in print."""

CLASSIFIER = "base_f"  # the classifier under interpretation, among systems, as in the paper
LABEL = "label_"  # in front of a class name: its column in tables of a multi-label corpus

# What is no system of the configuration, and stands in tables and figures beside them.
TITLES = {
    CLASSIFIER: "classifier f",
    "random_unselected": "random, among the unselected",
    "random_all": "random, among all",
    "random_energy": "random, matched in energy",
    "nothing": "nothing (round trip alone)",
}
