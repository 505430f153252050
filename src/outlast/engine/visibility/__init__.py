"""The list filter: a text in, the values of ``vocab.filters`` out."""
