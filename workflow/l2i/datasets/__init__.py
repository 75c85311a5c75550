"""Corpora: download, verify, unpack, and list what is in them; a module for each layout.

A layout is one module of this package, named as in the configuration's `corpus.layout`. It says in
literals, which are read without running it (workflow/configuration/layouts.py), what it is:

`SPLIT`
    "folds" where each fold is tested once (column `fold` of the index), "official" where there is
    one split of its own (column `split`).
`LABELLING`
    "single" where one class is right in a clip (column `label`), "multiple" where any number may
    be (columns `label_<class>`).
`CLASSES`
    Their names in order, or how many there are, or None where the corpus at hand decides.
`VALIDATION`
    Whether the split keeps clips that thresholds are chosen on.
`FILES`
    Files and folders by which the layout is recognised; none where they may have any name.
`FIGURE`
    Number of the figure that shows faithfulness class by class, or None.
`OPTIONS`
    Name of each option of the reader, and a pair: the words it may be, or its kind (one of `$defs`
    of workflow/schemas/config.schema.yaml), and what it means.
`NEEDS`
    What else of the configuration the reader is told: keys of the data set, such as clip_seconds,
    and seed.
`PINS`
    What a pinned download must hold beside its files: name of each pin, and a pair: its kind (one
    of `$defs` of workflow/schemas/downloads.schema.yaml), and what it means.

And it has one function, `index_corpus(folder, *, expect, **options)`, which lists and checks every
clip; what it needs is among the options. It returns the index (a row per clip: clip, path, source,
fold or split, labels, n_samples, sample_rate, n_channels, duration_seconds, maximum, sha256), the
class names, and facts for the record; or raises one InputError that lists every problem. `expect`
are the pins of a download, or None.

Where files are cut into clips, a row is a piece: with `first_sample`, and `n_samples` of the piece,
at the rate of the file; see `l2i.datasets.pieces`.

Clips with the same `source` are pieces of one recording, or as good as that. Intervals and tests
count sources, not clips: `l2i.datasets.clips.common_sources` names them by what clips share.
"""
