"""Names that the tables of clips and numbers of several stages share."""

CLASSIFIER = "base_f"  # the classifier under interpretation, among systems, as in the paper
LABEL = "label_"  # in front of a class name: its column in tables of a multi-label corpus
