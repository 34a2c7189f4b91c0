"""Night in, text out: pages, index, terminal, JSON. Knows the nouns and the symptoms' pages, and no detector."""
