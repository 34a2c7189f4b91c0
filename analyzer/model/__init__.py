"""The nouns: what a run is, what a tag means, what is said of a run. numpy and the standard library only."""
