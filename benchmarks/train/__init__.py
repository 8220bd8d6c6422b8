"""Learn the tables in ``workers/analysis/learned`` from labelled audio: ``python -m benchmarks.train LABELS.csv...``.

One module for each model. A *lesson* hears every sound, keeps what it needs of it, and then learns its table; every
figure printed is of folds held out by piece, and so is what makes the probabilities honest.
"""

from __future__ import annotations
