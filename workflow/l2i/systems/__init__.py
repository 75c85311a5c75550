"""The systems that the paper compares, behind one face.

A system is one module of this package and one entry of the configuration's `systems`. The module
says in literals, which are read without running it, what it is:

`SETTINGS`
    Name of each setting, and a pair: its kind (one of `$defs` of the configuration's schema, or a
    list of words) and what it means. What need not be given begins with "optional: ".
`NEEDS`
    What it can start from beside clips and labels: a list of possible lists, `[[]]` for nothing.
`MEASURES`
    What can be measured of it, see `measures` in the configuration's schema.

And it has two functions:

`train(task, settings)`
    Learns from the clips of a :class:`l2i.training.task.Task` and returns a
    :class:`l2i.training.task.Trained`: a network, its history, facts for the record. Whatever
    repeats epochs goes through :func:`l2i.training.loop.train` and so can be ended and resumed.

`build(**architecture)`
    The network anew, before its weights are loaded; `network.architecture` says from what.

The network is an `nn.Module` that meets :class:`l2i.training.task.Network`: its `predict(clips)`
gives what it makes of a :class:`l2i.training.task.Clips`. One whose faithfulness or sounds are
measured meets :class:`l2i.interpretation.explained.Explaining` too. Everything else, choosing
settings on selection data, files, measuring, tables, is the same for all.
"""
