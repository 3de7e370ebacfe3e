"""The benchmark: LDA by several methods on several corpora, all measured by one protocol.

``make bench`` runs it and writes docs/benchmarks.md. Each module has one task:

===============  ===================================================================================
``cells``        what is run: a cell is a corpus, a number of topics, a method and a seed
``corpora``      the corpora
``results``      a JSON file a cell; one that is there and up to date is not made again
``run``          each cell in a process of its own
``page``         result files to Markdown and SVG
===============  ===================================================================================

The methods, their clock, their inference and the figures are those of ``lda-app compare``, in
``lda_app.studies.compare``; here are many corpora, and the methods that are LDA.
"""
