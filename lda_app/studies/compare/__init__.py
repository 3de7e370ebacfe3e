"""A comparison of programs: each is trained on the same counts, in its own process, and evaluated alike.

===============  ===================================================================================
``methods``      one module per program; a new rival is one more module
``clock``        seconds, processor seconds and memory of a training, and snapshots during it
``measuring``    one training and its evaluation
``figures``      the figures, by the same functions for every method
``sessions``     one process per training, stopped at its time limit
``provenance``   code, versions and machine that a result depends on
``comparison``   the comparison of a user's corpus, and its folder
``running``      its trainings, resumed where they stopped
``worker``       one training, in its own process
``table``        its table; ``pages``, as Markdown
``curve``        perplexity over seconds, as SVG
===============  ===================================================================================
"""
