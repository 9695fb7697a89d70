"""Scores: arrays in, numbers out; numpy alone, and nothing is read or written.

>>> import numpy as np
>>> from emer.metrics import trusted
>>> confidence, right = np.array([0.9, 0.8, 0.6, 0.5]), np.array([True, True, False, True])
>>> scores = trusted.scores_at(confidence, right, threshold=0.7)
>>> scores.precision, scores.coverage, round(scores.gain, 3)
(1.0, 0.5, -0.057)

`classification` and `multilabel` say how often a system is right, `trusted` and `selective` whether it knows when,
`calibration_error` whether its confidence means what it says, `bootstrap` how far any of these numbers can be
believed. Rows are predictions throughout; confidences and risks lie in [0, 1].
"""
