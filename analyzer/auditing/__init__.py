"""Many runs: finding them, judging one after the other, and telling the night."""
