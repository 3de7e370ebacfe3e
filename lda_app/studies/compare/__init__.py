"""Programs beside each other: each learns the same counts, in a process of its own, measured by one protocol.

===============  ===================================================================================
``methods``      a module a program; a new rival is one more of them, and nothing else
``clock``        seconds, processor seconds and memory of a training, and snapshots during it
``measuring``    one training, and all that is measured of it
``figures``      the figures, by the same functions for every method
``sessions``     a process of its own, stopped when its time is up
``provenance``   code, versions and machine that a result depends on
``comparison``   the comparison of a user's corpus, and its folder
``running``      its trainings, gone on with where they stopped
``worker``       one of them, in a process of its own
``table``        its table; ``pages``, as Markdown
``curve``        perplexity over seconds, as SVG
===============  ===================================================================================
"""
