"""Opinions, the one currency of confidence: made, read, fused, compared; and hints from rule tables.

An opinion is evidence over a label set. It says what is believed, and how much of it is still open:

>>> from emer.evidence import opinion
>>> voice = opinion.dirichlet("mood", ["good", "bad"], [6, 0])
>>> opinion.uncertainty(voice)
0.25

`opinion` makes and reads one, `fusion.fuse` makes one of several, `conflict.conflict` says whether they
contradict each other, `hints.hint` forms one from measured features by published rules. `dirichlet` is the
arithmetic on arrays beneath all of them.
"""
