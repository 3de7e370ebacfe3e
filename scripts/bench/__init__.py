"""The benchmark: LDA by several methods on several corpora, all measured by one protocol.

``make bench`` runs it and writes docs/benchmarks.md. Each module has one task:

===============  ===================================================================================
``cells``        what is run: a cell is a corpus, a number of topics, a method and a seed
``corpora``      the corpora
``methods``      a module a method; a new rival is one more of them, and nothing else
``clock``        seconds, processor seconds and memory of a training, and snapshots during it
``fold_in``      the inference of θ that all methods share
``figures``      all columns of the tables
``results``      a JSON file a cell; one that is there and up to date is not made again
``run``          each cell in a process of its own
``page``         result files to Markdown, with ``curve`` to SVG
===============  ===================================================================================
"""
