"""How sure a model is: intervals of a document's topics, of a group's, and effects of metadata on topics."""
