"""The systems that the paper compares, behind one face.

A system is one module of this package and one entry of the configuration's `systems`. The module
has two functions:

`train(task, settings)`
    Learns from the clips of a :class:`l2i.systems.task.Task` and returns a
    :class:`l2i.systems.task.Trained`: a network, its history, facts for the record. Whatever
    repeats epochs goes through :func:`l2i.training.train` and so can be ended and resumed.

`build(**architecture)`
    The network anew, before its weights are loaded; `network.architecture` says from what.

The network is an `nn.Module` in which `scores(clips)` gives what it makes of a
:class:`l2i.systems.task.Clips`. Everything else, choosing settings on selection data, files,
measuring, tables, is the same for all.
"""
